/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pending: what waits to be compressed is known after a restart, whatever
 * became of the file that says so.
 */
#include "given_pending.h"
#include "store/pending.h"
#include "util/hash.h"

/* --- what is written is read */

static void every_kind_and_any_name_comes_back(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct set set = { .n = 0 };
	struct dfs_journal *pending = open_pending(store, NULL, &set);
	char odd[256];

	(void)state;
	for (int c = 1; c < 256; c++)
		odd[c - 1] = (char)(c == '/' ? '_' : c);
	odd[255] = '\0';
	say(pending, &set, DFS_PENDING_ADD, odd, NULL);
	say(pending, &set, DFS_PENDING_ADD, "a/b\tc\\t\n/\\", NULL);
	say(pending, &set, DFS_PENDING_ADD, "a/2", NULL);
	say(pending, &set, DFS_PENDING_ADD, "ab", NULL);
	say(pending, &set, DFS_PENDING_ADD, "d/e/f", NULL);
	say(pending, &set, DFS_PENDING_MOVE, "a", "x\ty");
	say(pending, &set, DFS_PENDING_EXCHANGE, "d", "x\ty");
	CHECK(set_has(&set, "d/b\tc\\t\n/\\") && set_has(&set, "x\ty/e/f") && set.n == 5);
	check_disk(&set);
	say(pending, &set, DFS_PENDING_DONE, "x\ty", NULL); /* nothing is there, and what is below stays */
	check_disk(&set);
	say(pending, &set, DFS_PENDING_DROP, "d", NULL);
	say(pending, &set, DFS_PENDING_DONE, "ab", NULL);
	dfs_journal_close(pending);
	CHECK(set.n == 2);
	check_disk(&set);
	set_clear(&set);
}

/* The page's example, with a check from the hash's own definition. */
static void the_form_is_what_the_header_says(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct set set = { .n = 0 };
	char want[512], line[128];
	uint8_t got[1024];
	size_t len = 0;
	static const char *const bodies[] = { "deltafs-pending\t1", "add\ta\\tb", "move\ta\\tb\tc", "drop\tc" };
	struct dfs_journal *pending = open_pending(store, NULL, &set);

	(void)state;
	say(pending, NULL, DFS_PENDING_ADD, "a\tb", NULL);
	say(pending, NULL, DFS_PENDING_MOVE, "a\tb", "c");
	say(pending, NULL, DFS_PENDING_DROP, "c", NULL);
	dfs_journal_close(pending);
	for (size_t i = 0; i < 4; i++) {
		snprintf(line, sizeof(line), "%016llx\t%s\n",
			 (unsigned long long)dfs_hash64(bodies[i], strlen(bodies[i]), 0), bodies[i]);
		memcpy(want + len, line, strlen(line));
		len += strlen(line);
	}
	CHECK(slurp(got, sizeof(got)) == len);
	CHECK_BYTES(got, want, len);
}

/* A file of one line. */
static void put_line(const char *const *fields, size_t n)
{
	struct dfs_buf line = { 0 };

	CHECK_RET(0, dfs_journal_line(&line, fields, n));
	put(PENDING, line.data, line.len);
	dfs_buf_release(&line);
}

#define PUT_LINE(...) put_line((const char *[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

static void paths_that_are_none_of_a_users_are_no_records(void **state)
{
	static const char *const bad[] = {
		"", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", ".deltafs", ".deltafs/tmp/x",
	};

	(void)state;
	CHECK(mkdir(".deltafs", 0700) == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		PUT_LINE("add", bad[i]);
		CHECK(count_damaged(0) == 1);
		PUT_LINE("move", "fine", bad[i]);
		CHECK(count_damaged(0) == 1);
		PUT_LINE("exchange", bad[i], "fine");
		CHECK(count_damaged(0) == 1);
	}
}

static void records_have_as_many_paths_as_they_should(void **state)
{
	(void)state;
	CHECK(mkdir(".deltafs", 0700) == 0);
	PUT_LINE("move", "a", "b");
	CHECK(count_damaged(1) == 0);
	PUT_LINE("add", "a");
	CHECK(count_damaged(1) == 0);
	PUT_LINE("add");
	CHECK(count_damaged(0) == 1);
	PUT_LINE("add", "a", "b");
	CHECK(count_damaged(0) == 1);
	PUT_LINE("move", "a");
	CHECK(count_damaged(0) == 1);
	PUT_LINE("move", "a", "b", "c");
	CHECK(count_damaged(0) == 1);
	PUT_LINE("adds", "a");
	CHECK(count_damaged(0) == 1);
	PUT_LINE("add", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12");
	CHECK(count_damaged(0) == 1);
	PUT_LINE("deltafs-pending", "0");
	CHECK(count_damaged(0) == 1);
	PUT_LINE("deltafs-pending", "1x");
	CHECK(count_damaged(0) == 1);
}

static void a_path_that_is_too_long_costs_only_itself(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct set set = { .n = 0 };
	struct dfs_journal *pending = open_pending(store, NULL, &set);
	char *long_path = malloc(40001);

	(void)state;
	memset(long_path, 'x', 40000);
	long_path[40000] = '\0';
	say(pending, &set, DFS_PENDING_ADD, "a", NULL);
	say(pending, NULL, DFS_PENDING_ADD, long_path, NULL);
	say(pending, &set, DFS_PENDING_ADD, "b", NULL);
	dfs_journal_close(pending);
	check_disk(&set);
	set_clear(&set);
	free(long_path);
}

/* --- what is no file of ours */

static void what_is_no_file_is_replaced_or_left_and_said_once(void **state)
{
	static const char *const others[] = {
		"mkdir " PENDING, "mkfifo " PENDING, "ln -s ../elsewhere " PENDING, "ln -s /dev/zero " PENDING,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		DFS_AUTO(store) struct dfs_store *store = lock_store(".");
		struct dfs_log *log;
		struct set set = { .n = 0 };
		struct dfs_journal *pending;

		CHECK(system("rm -rf " PENDING " log") == 0 && system(others[i]) == 0);
		log = dfs_log_new(DFS_LOG_TO_FILE, "log", DFS_LOG_WARNING);
		pending = open_pending(store, log, &set);
		for (int k = 0; k < 3; k++)
			say(pending, &set, DFS_PENDING_ADD, k ? "b" : "a", NULL);
		CHECK(set.n == 2 && count_lines("log") == 1);
		CHECK(access("elsewhere", F_OK) < 0);
		CHECK(dfs_journal_compact_in_ms(pending) > 10000); /* not at once again */
		if (i > 0) {
			CHECK_RET(0, write_anew(pending, &set));
			check_disk(&set);
		} else {
			CHECK(write_anew(pending, &set) < 0);
		}
		dfs_journal_close(pending);
		dfs_log_free(log);
		CHECK(count_lines("log") == 1);
		CHECK(system("test -z \"$(ls -A .deltafs/tmp)\"") == 0);
		set_clear(&set);
	}
}

static void a_newer_file_is_left_as_it_is(void **state)
{
	static const char body[] = "deltafs-pending\t2", more[] = "add\ta";
	uint8_t got[512];
	char text[256];
	struct set set = { .n = 0 };
	struct dfs_log *log = dfs_log_new(DFS_LOG_TO_FILE, "log", DFS_LOG_WARNING);
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct dfs_journal *pending;

	(void)state;
	snprintf(text, sizeof(text), "%016llx\t%s\n%016llx\t%s\nsomething else\n",
		 (unsigned long long)dfs_hash64(body, strlen(body), 0), body,
		 (unsigned long long)dfs_hash64(more, strlen(more), 0), more);
	put_text(PENDING, text);
	pending = open_pending(store, log, &set);
	CHECK(set.n == 0 && count_lines("log") == 1);
	say(pending, &set, DFS_PENDING_ADD, "b", NULL);
	CHECK(dfs_journal_compact_in_ms(pending) == -1);
	CHECK(write_anew(pending, &set) < 0);
	dfs_journal_close(pending);
	CHECK(slurp(got, sizeof(got)) == strlen(text));
	CHECK_BYTES(got, text, strlen(text));
	CHECK(count_lines("log") == 1);
	dfs_log_free(log);
	set_clear(&set);
}

static void without_the_lock_nothing_is_written(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = open_store(".");
	struct set set = { .n = 0 };
	struct dfs_journal *pending = open_pending(store, NULL, &set);

	(void)state;
	say(pending, NULL, DFS_PENDING_ADD, "a", NULL);
	CHECK(dfs_journal_compact_in_ms(pending) == -1);
	dfs_journal_close(pending);
	CHECK(access(".deltafs", F_OK) < 0);
}

/* --- growth */

static void a_file_that_has_grown_wants_to_be_written_anew(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct set set = { .n = 0 };
	struct dfs_journal *pending = open_pending(store, NULL, &set);
	int rounds = 0;

	(void)state;
	say(pending, &set, DFS_PENDING_ADD, "kept", NULL);
	while (dfs_journal_compact_in_ms(pending) < 0) {
		CHECK(++rounds < 100000);
		say(pending, NULL, DFS_PENDING_ADD, "a-file-that-comes-and-goes", NULL);
		say(pending, NULL, DFS_PENDING_DROP, "a-file-that-comes-and-goes", NULL);
	}
	CHECK(size_of(PENDING) > 100000);
	CHECK_RET(0, write_anew(pending, &set));
	CHECK(size_of(PENDING) < 200);
	CHECK(dfs_journal_compact_in_ms(pending) == -1);
	dfs_journal_close(pending);
	check_disk(&set);
	set_clear(&set);
}

static const struct CMUnitTest cases[] = {
	CASE(every_kind_and_any_name_comes_back),
	CASE(the_form_is_what_the_header_says),
	CASE(paths_that_are_none_of_a_users_are_no_records),
	CASE(records_have_as_many_paths_as_they_should),
	CASE(a_path_that_is_too_long_costs_only_itself),
	CASE(what_is_no_file_is_replaced_or_left_and_said_once),
	CASE(a_newer_file_is_left_as_it_is),
	CASE(without_the_lock_nothing_is_written),
	CASE(a_file_that_has_grown_wants_to_be_written_anew),
};

CHECK_MAIN(cases)
