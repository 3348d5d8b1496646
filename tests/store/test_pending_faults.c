/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pending_faults: calls fail, others come in between, .deltafs goes, the
 * process dies at any call: what had been said before is known afterwards.
 *
 * write, fsync and renameat are wrapped by the linker (--wrap, local.mk).
 */
#include <signal.h>

#include "given_pending.h"

/* --- calls that fail, are short or kill, at a place of the test's choice */

static unsigned calls, kill_at, fail_at, meanwhile_at, fail_errno = EIO;
static void (*meanwhile)(void); /* what another thread does during a call */

static bool step(void)
{
	unsigned call = ++calls;

	if (call == kill_at)
		kill(getpid(), SIGKILL);
	if (call == meanwhile_at)
		meanwhile();
	errno = (int)fail_errno;
	return call == fail_at;
}

static void no_faults(void)
{
	calls = kill_at = fail_at = meanwhile_at = 0;
}

int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

int __wrap_renameat(int a, const char *from, int b, const char *to)
{
	return step() ? -1 : __real_renameat(a, from, b, to);
}

int __wrap_fsync(int fd)
{
	return step() ? -1 : __real_fsync(fd);
}

/* Half of it gets through before it fails, or the end comes. */
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || len < 2)
		return __real_write(fd, data, len);
	if (calls + 1 == kill_at || (fail_at && calls + 1 == fail_at))
		CHECK(__real_write(fd, data, len / 2) == (ssize_t)(len / 2));
	return step() ? -1 : __real_write(fd, data, len);
}

/* --- failing calls */

static void after_a_failed_write_all_is_written_anew(void **state)
{
	(void)state;
	/* the first is the version's line, then one a record */
	for (unsigned k = 1; k <= 4; k++) {
		DFS_AUTO(store) struct dfs_store *store = lock_store(".");
		struct dfs_log *log;
		struct set set = { .n = 0 };
		struct dfs_journal *pending;

		unlink(PENDING);
		unlink("log");
		log = dfs_log_new(DFS_LOG_TO_FILE, "log", DFS_LOG_NOTICE);
		pending = open_pending(store, log, &set);
		no_faults();
		fail_at = k;
		for (int i = 0; i < 6; i++)
			say(pending, &set, i == 4 ? DFS_PENDING_DROP : DFS_PENDING_ADD,
			    (const char *[]){ "a", "b", "c", "d", "a", "e" }[i], NULL);
		CHECK(calls >= k);
		no_faults();
		CHECK(count_lines("log") == 1);
		CHECK(dfs_journal_compact_in_ms(pending) > 10000);
		fail_at = 1;
		CHECK_RET(-EIO, write_anew(pending, &set));
		CHECK(dfs_journal_compact_in_ms(pending) > 10000 && count_lines("log") == 1);
		no_faults();
		CHECK_RET(0, write_anew(pending, &set));
		check_disk(&set);
		CHECK(count_lines("log") == 2); /* well again */
		say(pending, &set, DFS_PENDING_ADD, "f", NULL);
		dfs_journal_close(pending);
		check_disk(&set);
		dfs_log_free(log);
		set_clear(&set);
	}
}

static void a_failed_rewrite_leaves_the_file_and_the_way_on(void **state)
{
	unsigned k = 0;
	int ret;

	(void)state;
	do {
		DFS_AUTO(store) struct dfs_store *store = lock_store(".");
		struct set set = { .n = 0 };
		struct dfs_journal *pending;

		unlink(PENDING);
		pending = open_pending(store, NULL, &set);
		say(pending, &set, DFS_PENDING_ADD, "a", NULL);
		say(pending, &set, DFS_PENDING_ADD, "b", NULL);
		dfs_journal_snapshot(pending);
		dfs_pending_snapshot_add(pending, "a");
		dfs_pending_snapshot_add(pending, "b");
		dfs_pending_note(pending, DFS_PENDING_MOVE, "a", "moved");
		set_apply(&set, DFS_PENDING_MOVE, "a", "moved");
		no_faults();
		fail_at = ++k;
		ret = dfs_journal_compact(pending);
		CHECK((ret < 0) == (calls >= k));
		no_faults();
		check_disk(&set);
		say(pending, &set, DFS_PENDING_ADD, "c", NULL);
		dfs_journal_close(pending);
		check_disk(&set);
		CHECK(system("test -z \"$(ls -A .deltafs/tmp)\"") == 0);
		set_clear(&set);
	} while (ret < 0);
	CHECK(k == 5); /* two writes, an fsync, a rename; then all went well */
}

static void what_was_said_is_synced_once(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct set set = { .n = 0 };
	struct dfs_journal *pending;

	(void)state;
	unlink(PENDING);
	pending = open_pending(store, NULL, &set);
	say(pending, &set, DFS_PENDING_ADD, "a", NULL);
	no_faults();
	dfs_journal_sync(pending);
	CHECK(calls == 1);
	dfs_journal_sync(pending);
	CHECK(calls == 1); /* nothing came since */
	say(pending, &set, DFS_PENDING_ADD, "b", NULL);
	no_faults();
	fail_at = 1;
	dfs_journal_sync(pending);
	CHECK(calls == 1);
	dfs_journal_sync(pending);
	CHECK(calls == 1); /* an fsync that failed says nothing the second time */
	no_faults();
	CHECK(dfs_journal_compact_in_ms(pending) > 10000); /* it is to be written anew */
	CHECK_RET(0, write_anew(pending, &set));
	CHECK(dfs_journal_compact_in_ms(pending) == -1);
	dfs_journal_close(pending);
	check_disk(&set);
	set_clear(&set);
}

/* --- what another thread says while a call is under way */

static struct dfs_journal *shared;
static struct set shared_set;

static void add_meanwhile(void)
{
	meanwhile_at = 0;
	dfs_pending_note(shared, DFS_PENDING_ADD, "meanwhile", NULL);
	dfs_journal_flush(shared); /* somebody is writing: he takes it along */
	set_apply(&shared_set, DFS_PENDING_ADD, "meanwhile", "");
}

static void given_shared(struct dfs_store *store)
{
	no_faults();
	unlink(PENDING);
	set_clear(&shared_set);
	shared = open_pending(store, NULL, &shared_set);
	say(shared, &shared_set, DFS_PENDING_ADD, "a", NULL);
	meanwhile = add_meanwhile;
	calls = 0;
}

static void who_writes_takes_along_what_comes_meanwhile(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");

	(void)state;
	given_shared(store);
	meanwhile_at = 1;
	say(shared, &shared_set, DFS_PENDING_ADD, "b", NULL);
	CHECK(shared_set.n == 3);
	check_disk(&shared_set);
	dfs_journal_close(shared);
	set_clear(&shared_set);
}

/* Or a move that is not there would be followed by what only makes sense after it. */
static void nothing_follows_a_record_that_could_not_be_written(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");

	(void)state;
	given_shared(store);
	meanwhile_at = fail_at = 1;
	say(shared, NULL, DFS_PENDING_MOVE, "a", "b");
	say(shared, NULL, DFS_PENDING_ADD, "c", NULL);
	CHECK(calls == 1 && shared_set.n == 2);
	set_drop(&shared_set, "meanwhile");
	check_disk(&shared_set);
	dfs_journal_close(shared);
	check_disk(&shared_set);
	no_faults();
	set_clear(&shared_set);
}

/* At each call of a rewrite, which then goes well or fails. */
static void a_rewrite_loses_nothing_that_comes_meanwhile(void **state)
{
	(void)state;
	for (unsigned at = 1; at <= 3; at++) {
		for (unsigned fails = 0; fails < 2; fails++) {
			DFS_AUTO(store) struct dfs_store *store = lock_store(".");
			struct set before = { .n = 0 };

			given_shared(store);
			set_apply(&before, DFS_PENDING_ADD, "a", "");
			meanwhile_at = at;
			fail_at = fails ? at : 0;
			CHECK_RET(fails ? -EIO : 0, write_anew(shared, &before));
			CHECK(meanwhile_at == 0 && shared_set.n == 2);
			no_faults();
			check_disk(&shared_set);
			dfs_journal_close(shared);
			check_disk(&shared_set);
			set_clear(&shared_set);
			set_clear(&before);
		}
	}
}

static void state_removed_under_our_feet_is_said_once_and_comes_back(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct dfs_log *log = dfs_log_new(DFS_LOG_TO_FILE, "log", DFS_LOG_WARNING);
	struct set set = { .n = 0 };
	struct dfs_journal *pending = open_pending(store, log, &set);

	(void)state;
	say(pending, &set, DFS_PENDING_ADD, "a", NULL);
	CHECK(system("rm -rf .deltafs") == 0);
	for (int i = 0; i < 3; i++)
		say(pending, &set, DFS_PENDING_ADD, (const char *[]){ "b", "c", "d" }[i], NULL);
	CHECK(count_lines("log") == 1 && dfs_journal_compact_in_ms(pending) > 10000);
	CHECK(write_anew(pending, &set) < 0);
	CHECK(count_lines("log") == 1);
	CHECK_RET(0, dfs_store_prepare(store, NULL));
	CHECK_RET(0, write_anew(pending, &set));
	dfs_journal_close(pending);
	check_disk(&set);
	dfs_log_free(log);
	set_clear(&set);
}

/* --- killed */

static const struct {
	enum dfs_pending_kind kind;
	const char *path, *to;
} story[] = {
	{ DFS_PENDING_ADD, "a/1", NULL }, { DFS_PENDING_ADD, "a/2", NULL }, { DFS_PENDING_ADD, "b", NULL },
	{ DFS_PENDING_MOVE, "a", "c" }, { DFS_PENDING_DROP, "b", NULL }, { DFS_PENDING_ADD, "b", NULL },
	{ DFS_PENDING_EXCHANGE, "b", "c/1" }, { DFS_PENDING_ADD, "d", NULL }, { DFS_PENDING_DROP, "c", NULL },
};

#define STORY (sizeof(story) / sizeof(*story))

/* Tells the story, writes anew now and then, and counts into @pipe_fd what has returned. */
static void tell_story(int pipe_fd, unsigned k)
{
	struct dfs_store *store = lock_store(".");
	struct set set = { .n = 0 };
	struct dfs_journal *pending = open_pending(store, NULL, &set);

	calls = 0;
	kill_at = k;
	for (size_t i = 0; i < STORY; i++) {
		say(pending, &set, story[i].kind, story[i].path, story[i].to);
		CHECK(__real_write(pipe_fd, "", 1) == 1);
		if (i % 3 == 1)
			write_anew(pending, &set);
	}
}

/* Return: how many records had been flushed when it died, or -1: it did not. */
static int killed_at(unsigned k)
{
	int ends[2], status, n = 0;
	char byte;
	pid_t pid;

	CHECK(pipe(ends) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		tell_story(ends[1], k);
		_exit(0);
	}
	close(ends[1]);
	while (read(ends[0], &byte, 1) == 1)
		n++;
	close(ends[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status) ? n : -1;
}

static void killed_at_any_call_what_had_returned_is_there(void **state)
{
	unsigned k, deaths = 0;
	int n;

	(void)state;
	for (k = 1; unlink(PENDING), (n = killed_at(k)) >= 0; k++) {
		struct set want = { .n = 0 }, got = { .n = 0 };
		bool before, after;

		for (int i = 0; i < n; i++)
			set_apply(&want, story[i].kind, story[i].path, story[i].to);
		read_set(&got);
		before = set_same(&got, &want);
		if ((size_t)n < STORY)
			set_apply(&want, story[n].kind, story[n].path, story[n].to);
		after = set_same(&got, &want);
		CHECK(before || after);
		set_clear(&want);
		set_clear(&got);
		deaths++;
	}
	CHECK(deaths > STORY + 6);
}

static const struct CMUnitTest cases[] = {
	CASE(after_a_failed_write_all_is_written_anew),
	CASE(a_failed_rewrite_leaves_the_file_and_the_way_on),
	CASE(what_was_said_is_synced_once),
	CASE(who_writes_takes_along_what_comes_meanwhile),
	CASE(nothing_follows_a_record_that_could_not_be_written),
	CASE(a_rewrite_loses_nothing_that_comes_meanwhile),
	CASE(state_removed_under_our_feet_is_said_once_and_comes_back),
	CASE(killed_at_any_call_what_had_returned_is_there),
};

CHECK_MAIN(cases)
