/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_thaw_fail: thaws that do not work out, or are cancelled: who waits is
 * told, with a reason, and nothing is left behind.
 */
#include "thawing.h"

/* What the wrapped calls do; all zero: what they always do. */
static struct {
	uint64_t full_at;	/* what is written there or behind it: ENOSPC */
	bool hold;		/* submitted reads are not answered until answer_held() */
	struct dfs_view *view;	/* of the one held */
	struct dfs_read *read;
	sem_t held;
} trap;

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
	if (trap.full_at && (uint64_t)off >= trap.full_at) {
		errno = ENOSPC;
		return -1;
	}
	if (trap.full_at && len > trap.full_at - (uint64_t)off)
		len = trap.full_at - (uint64_t)off;
	return __real_pwrite(fd, buf, len, off);
}

void __real_dfs_view_submit(struct dfs_view *view, struct dfs_read *read);
void __wrap_dfs_view_submit(struct dfs_view *view, struct dfs_read *read);
void __wrap_dfs_view_submit(struct dfs_view *view, struct dfs_read *read)
{
	if (!trap.hold) {
		__real_dfs_view_submit(view, read);
		return;
	}
	trap.view = view;
	trap.read = read;
	sem_post(&trap.held);
}

/* Until the decode waits for an answer: as it does when a base's disk hangs. */
static void wait_held(void)
{
	while (sem_wait(&trap.held) < 0)
		;
}

static void flip(struct thawing *t, uint64_t off)
{
	uint8_t byte;

	CHECK(pread(t->fd, &byte, 1, (off_t)off) == 1);
	byte ^= 0x40;
	CHECK(pwrite(t->fd, &byte, 1, (off_t)off) == 1);
}

/* --- what cannot be decoded */

static void a_damaged_chunk_is_named_and_nothing_is_left(void **state)
{
	struct dfs_err err = { "" }, again = { "" };
	struct thawing t;
	uint8_t got[100];
	size_t len;
	char *name;
	int fd;
	(void)state;

	given_fine_tune(&t, 2000);
	/* The last payload is the end of the tensor. */
	flip(&t, t.sb.meta_off - 1);
	given_thaw(&t);
	CHECK_RET(3, dfs_thaw_write(t.thaw, "abc", 3, 1000, &err));
	CHECK_RET(-EBADMSG, finish(&t, &err));
	CHECK(strstr(err.text, "file") && strstr(err.text, "chunk"));
	CHECK_RET(-EBADMSG, dfs_thaw_write(t.thaw, "abc", 3, 1000, &again));
	assert_string_equal(again.text, err.text);
	CHECK_RET(-EBADMSG, dfs_thaw_write_slowly(t.thaw, "abc", 3, 1000, &again));
	CHECK_RET(-EBADMSG, dfs_thaw_take(t.thaw, &fd, &name, &again));
	/* It is what it was. */
	CHECK(dfs_thaw_where(t.thaw, 900, 200) == DFS_THAW_OLD);
	CHECK(dfs_thaw_size(t.thaw) == t.len);
	CHECK_OK(dfs_thaw_read_mixed(t.thaw, got, sizeof(got), 950, &len, &err), err);
	assert_int_equal(len, sizeof(got));
	CHECK_BYTES(got, t.old + 950, sizeof(got));
	thaw_gone(&t);
	thawing_gone(&t);
}

static void a_damaged_chunk_that_is_overwritten_does_not_matter(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	size_t from;
	(void)state;

	given_fine_tune(&t, 2000);
	flip(&t, t.sb.meta_off - 1);
	given_thaw(&t);
	keep(&t);
	from = t.len - 400000;
	memset(t.old + from, 7, t.len - from);
	CHECK_RET(400000, dfs_thaw_write(t.thaw, t.old + from, t.len - from, from, &err));
	let_go(&t);
	CHECK_OK(finish(&t, &err), err);
	check_file(&t, t.old, t.len);
	thawing_gone(&t);
}

static void a_missing_base_is_named(void **state)
{
	struct files_reader without = files_reader_new(-1);
	struct dfs_err err = { "" };
	struct thawing t;
	int ret;
	(void)state;

	given_fine_tune(&t, 500);
	dfs_view_close(t.view);
	files_reader_free(&t.reader);
	t.reader = without;
	open_view(&t);
	given_thaw(&t);
	ret = finish(&t, &err);
	CHECK(ret < 0 && ret != -EINPROGRESS);
	CHECK(strstr(err.text, "base"));
	thaw_gone(&t);
	thawing_gone(&t);
}

/* --- a full disk */

static void a_disk_that_fills_up_fails_the_decode(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 2000);
	given_thaw(&t);
	trap.full_at = t.len / 2;
	CHECK_RET(-ENOSPC, finish(&t, &err));
	CHECK(strstr(err.text, "file: ") && strstr(err.text, strerror(ENOSPC)));
	trap.full_at = 0;
	thaw_gone(&t);
	thawing_gone(&t);
}

static void what_did_not_fit_is_old_still(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	uint8_t *bytes = calloc(1, 1 << 20);
	uint64_t off;
	(void)state;

	given_fine_tune(&t, 2000);
	CHECK(bytes);
	given_thaw(&t);
	keep(&t);
	/* Within the old size: up to the last block that fitted. */
	trap.full_at = 100000;
	CHECK_RET(-ENOSPC, dfs_thaw_write(t.thaw, bytes, 100, 100000, &err));
	CHECK_RET(-ENOSPC, dfs_thaw_write(t.thaw, bytes, 100, 99950, &err));
	CHECK_RET(98304 - 90000, dfs_thaw_write(t.thaw, bytes, 50000, 90000, &err));
	memset(t.old + 90000, 0, 98304 - 90000);
	CHECK(dfs_thaw_where(t.thaw, 98304, 10) == DFS_THAW_OLD);
	/* Behind it: each byte. */
	trap.full_at = off = t.len + 1234;
	CHECK_RET(-ENOSPC, dfs_thaw_write(t.thaw, bytes, 100, off, &err));
	CHECK(dfs_thaw_size(t.thaw) == t.len);
	CHECK_RET(1235, dfs_thaw_write(t.thaw, bytes, 5000, t.len - 1, &err));
	CHECK(dfs_thaw_size(t.thaw) == off);
	trap.full_at = 0;
	let_go(&t);
	CHECK_OK(finish(&t, &err), err);
	t.old = realloc(t.old, off);
	CHECK(t.old);
	memset(t.old + t.len - 1, 0, 1235);
	check_file(&t, t.old, off);
	free(bytes);
	thawing_gone(&t);
}

static void a_slow_write_that_does_not_fit_changes_nothing(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 100);
	given_thaw(&t);
	keep(&t);
	trap.full_at = 50000;
	CHECK_RET(-ENOSPC, dfs_thaw_write_slowly(t.thaw, "abc", 3, 60000, &err));
	CHECK(dfs_thaw_where(t.thaw, 50000, 20000) == DFS_THAW_OLD);
	trap.full_at = 0;
	let_go(&t);
	CHECK_OK(finish(&t, &err), err);
	check_file(&t, t.old, t.len);
	thawing_gone(&t);
}

static void no_file_is_longer_than_an_offset(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 10);
	given_thaw(&t);
	CHECK_RET(-EFBIG, dfs_thaw_write(t.thaw, "abc", 3, INT64_MAX - 1, &err));
	CHECK_RET(-EFBIG, dfs_thaw_write(t.thaw, "abc", 3, UINT64_MAX - 1, &err));
	CHECK(dfs_thaw_where(t.thaw, UINT64_MAX - 1, 3) == DFS_THAW_NEW);
	CHECK(dfs_thaw_where(t.thaw, 0, SIZE_MAX) == DFS_THAW_OLD);
	thawing_gone(&t);
}

/* --- who waits */

static void all_who_wait_are_told_once(void **state)
{
	struct waiter waiters[5];
	struct dfs_err err = { "" };
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 100);
	given_thaw(&t);
	keep(&t);
	for (unsigned i = 0; i < 5; i++) {
		waiter_init(&waiters[i]);
		if (i < 4)
			dfs_thaw_then(t.thaw, &waiters[i].wait, t.pool, (enum dfs_urgency)(i % DFS_URGENCIES));
	}
	CHECK(dfs_thaw_begun(t.thaw));
	for (unsigned i = 0; i < 4; i++)
		CHECK(!is_told(&waiters[i]));
	let_go(&t);
	for (unsigned i = 0; i < 4; i++)
		wait_told(&waiters[i]);
	CHECK_OK(dfs_thaw_result(t.thaw, &err), err);
	/* Too late to wait: at once. */
	dfs_thaw_then(t.thaw, &waiters[4].wait, t.pool, DFS_URGENT);
	wait_told(&waiters[4]);
	dfs_pool_drain(t.pool);
	for (unsigned i = 0; i < 5; i++)
		CHECK(!is_told(&waiters[i]));
	thawing_gone(&t);
}

static void a_cancel_tells_them_and_stays(void **state)
{
	struct dfs_err err = { "" };
	struct waiter waiter;
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 100);
	given_thaw(&t);
	keep(&t);
	CHECK_RET(1, dfs_thaw_write(t.thaw, "a", 1, 0, &err));
	waiter_init(&waiter);
	dfs_thaw_then(t.thaw, &waiter.wait, t.pool, DFS_URGENT);
	dfs_thaw_cancel(t.thaw);
	CHECK_RET(-ECANCELED, dfs_thaw_result(t.thaw, &err));
	CHECK(err.text[0]);
	CHECK_RET(-ECANCELED, dfs_thaw_write(t.thaw, "a", 1, 0, &err));
	let_go(&t);
	wait_told(&waiter);
	dfs_pool_drain(t.pool);
	CHECK_RET(-ECANCELED, dfs_thaw_result(t.thaw, &err));
	thaw_gone(&t);
	/* What is complete is not cancelled. */
	given_thaw(&t);
	CHECK_OK(finish(&t, &err), err);
	dfs_thaw_cancel(t.thaw);
	CHECK_OK(dfs_thaw_result(t.thaw, &err), err);
	thawing_gone(&t);
}

/* --- ending it */

/* The room is what a process can still reach: no name, and no descriptor. */
static unsigned open_temporaries(void)
{
	DFS_AUTO(dir) DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	CHECK(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char target[4096] = "";

		if (readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) > 0)
			n += strstr(target, "/.deltafs/tmp/") != NULL;
	}
	return n;
}

static void a_base_that_hangs_holds_up_nobody_who_frees(void **state)
{
	struct dfs_err err = { "" };
	struct waiter waiter;
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 2000);
	given_thaw(&t);
	assert_int_equal(open_temporaries(), 1);
	sem_init(&trap.held, 0, 0);
	trap.hold = true;
	CHECK_RET(1, dfs_thaw_write(t.thaw, "a", 1, 0, &err));
	wait_held();
	/* Writers go on, wherever. */
	CHECK_RET(1, dfs_thaw_write(t.thaw, "b", 1, 77, &err));
	waiter_init(&waiter);
	dfs_thaw_then(t.thaw, &waiter.wait, t.pool, DFS_URGENT);
	thaw_gone(&t);
	assert_int_equal(open_temporaries(), 0);
	wait_told(&waiter);
	dfs_pool_drain(t.pool);
	trap.hold = false;
	/* The base answers after all. */
	__real_dfs_view_submit(trap.view, trap.read);
	sem_destroy(&trap.held);
	thawing_gone(&t);
}

static void a_decode_can_be_ended_at_any_time(void **state)
{
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 4000);
	for (unsigned i = 0; i < 60; i++) {
		struct timespec pause = { 0, 150000l * (i % 30) }, start, end;

		given_thaw(&t);
		dfs_thaw_begin(t.thaw);
		nanosleep(&pause, NULL);
		clock_gettime(CLOCK_MONOTONIC, &start);
		thaw_gone(&t);
		clock_gettime(CLOCK_MONOTONIC, &end);
		/* 100 ms are promised; a loaded machine gets more, a decode of all of it would still not fit often. */
		CHECK((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000 < 1000);
	}
	dfs_pool_drain(t.pool);
	assert_int_equal(open_temporaries(), 0);
	thawing_gone(&t);
}

static const struct CMUnitTest cases[] = {
	CASE(a_damaged_chunk_is_named_and_nothing_is_left),
	CASE(a_damaged_chunk_that_is_overwritten_does_not_matter),
	CASE(a_missing_base_is_named),
	CASE(a_disk_that_fills_up_fails_the_decode),
	CASE(what_did_not_fit_is_old_still),
	CASE(a_slow_write_that_does_not_fit_changes_nothing),
	CASE(no_file_is_longer_than_an_offset),
	CASE(all_who_wait_are_told_once),
	CASE(a_cancel_tells_them_and_stays),
	CASE(a_base_that_hangs_holds_up_nobody_who_frees),
	CASE(a_decode_can_be_ended_at_any_time),
};

CHECK_MAIN(cases)
