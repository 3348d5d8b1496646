/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thaw: room is reserved, and old bytes and new ones go each where they
 * belong. Failures: test_thaw_fail; threads against each other: test_thaw_race.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "thawing.h"

/* What the wrapped calls do; all zero: what they always do. */
static struct {
	int fallocate;			/* fails with this errno */
	uint64_t room;			/* that fstatvfs shows */
	uint64_t size;			/* that dfs_view_size shows */
} trap;

int __real_fallocate(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate(int fd, int mode, off_t off, off_t len);
int __wrap_fallocate(int fd, int mode, off_t off, off_t len)
{
	errno = trap.fallocate;
	return trap.fallocate ? -1 : __real_fallocate(fd, mode, off, len);
}

int __real_fstatvfs(int fd, struct statvfs *vfs);
int __wrap_fstatvfs(int fd, struct statvfs *vfs);
int __wrap_fstatvfs(int fd, struct statvfs *vfs)
{
	int ret = __real_fstatvfs(fd, vfs);

	vfs->f_bavail = trap.room / vfs->f_frsize;
	return ret;
}

uint64_t __real_dfs_view_size(const struct dfs_view *view);
uint64_t __wrap_dfs_view_size(const struct dfs_view *view);
uint64_t __wrap_dfs_view_size(const struct dfs_view *view)
{
	return trap.size ? trap.size : __real_dfs_view_size(view);
}

static uint64_t decoded(struct thawing *t)
{
	struct dfs_reader_stats stats;

	dfs_reader_stats(t->reader.reader, &stats);
	return stats.chunks_decoded;
}

/* --- room */

static void an_open_reserves_and_decodes_nothing(void **state)
{
	struct thawing t;
	struct stat st;
	(void)state;

	given_fine_tune(&t, 2000);
	given_thaw(&t);
	CHECK(fstat(dfs_thaw_fd(t.thaw), &st) == 0);
	assert_int_equal(st.st_size, t.len);
	CHECK((uint64_t)st.st_blocks * 512 >= t.len);
	CHECK((st.st_mode & 07777) == 0600);
	assert_int_equal(temporaries(), 1);
	CHECK(!dfs_thaw_begun(t.thaw));
	CHECK_RET(-EINPROGRESS, dfs_thaw_result(t.thaw, NULL));
	CHECK(dfs_thaw_where(t.thaw, 0, t.len) == DFS_THAW_OLD);
	dfs_pool_drain(t.pool);
	thaw_gone(&t);
	assert_int_equal(decoded(&t), 0);
	thawing_gone(&t);
}

static void no_room_is_said_at_once(void **state)
{
	static const int errors[] = { ENOSPC, EDQUOT, EFBIG, EIO };
	struct dfs_err err = { "" };
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 100);
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		trap.fallocate = errors[i];
		CHECK_RET(-errors[i], thaw_new(&t, &err));
		CHECK(strstr(err.text, "file: no room for its ") && strstr(err.text, strerror(errors[i])));
		assert_int_equal(temporaries(), 0);
	}
	trap.fallocate = 0;
	thawing_gone(&t);
}

static void a_file_system_that_cannot_promise_is_asked(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 100);
	trap.fallocate = EOPNOTSUPP;
	trap.room = t.len / 2;
	CHECK_RET(-ENOSPC, thaw_new(&t, &err));
	assert_int_equal(temporaries(), 0);
	trap.room = 2 * t.len + (1 << 20);
	CHECK_OK(thaw_new(&t, &err), err);
	CHECK_OK(finish(&t, &err), err);
	check_file(&t, t.old, t.len);
	trap.fallocate = 0;
	trap.room = 0;
	thaw_gone(&t);
	thawing_gone(&t);
}

static void what_the_kernel_limits_is_an_error(void **state)
{
	struct rlimit old, limit;
	struct dfs_err err = { "" };
	uint8_t bytes[2] = { 1, 2 };
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 100);
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
	limit = old;
	limit.rlim_cur = t.len - 1;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK_RET(-EFBIG, thaw_new(&t, &err));
	assert_int_equal(temporaries(), 0);
	limit.rlim_cur = t.len + 1;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK_OK(thaw_new(&t, &err), err);
	CHECK_RET(1, dfs_thaw_write(t.thaw, bytes, 2, t.len, &err));
	CHECK_RET(-EFBIG, dfs_thaw_write(t.thaw, bytes, 2, t.len + 1, &err));
	CHECK(dfs_thaw_size(t.thaw) == t.len + 1);
	CHECK_OK(finish(&t, &err), err);
	CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
	thawing_gone(&t);
}

static void a_size_that_lies_is_an_error(void **state)
{
	static const uint64_t sizes[] = { 1ull << 62, INT64_MAX, 1ull << 63, UINT64_MAX };
	struct dfs_err err = { "" };
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 100);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int ret;

		trap.size = sizes[i];
		ret = thaw_new(&t, &err);
		CHECK(ret == -ENOSPC || ret == -EFBIG);
		assert_int_equal(temporaries(), 0);
	}
	trap.size = t.len + 1;
	given_thaw(&t);
	CHECK_RET(-ESTALE, finish(&t, &err));
	thaw_gone(&t);
	trap.size = 0;
	thawing_gone(&t);
}

/* --- bytes */

static void what_is_not_written_is_decoded(void **state)
{
	static const uint64_t rows[] = { 1, 2, 511, 512, 2048 };
	struct dfs_err err = { "" };
	(void)state;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct thawing t;

		given_fine_tune(&t, rows[i]);
		given_thaw(&t);
		CHECK_OK(finish(&t, &err), err);
		check_file(&t, t.old, t.len);
		CHECK(dfs_thaw_where(t.thaw, 0, t.len) == DFS_THAW_NEW);
		thawing_gone(&t);
	}
}

static void a_finished_file_is_handed_over_once(void **state)
{
	struct dfs_err err = { "" };
	struct stat a, b;
	struct thawing t;
	char *name;
	int fd;
	(void)state;

	given_fine_tune(&t, 100);
	given_thaw(&t);
	CHECK_RET(-EINPROGRESS, dfs_thaw_take(t.thaw, &fd, &name, &err));
	CHECK_OK(finish(&t, &err), err);
	CHECK_OK(dfs_thaw_take(t.thaw, &fd, &name, &err), err);
	CHECK_RET(1, dfs_thaw_write(t.thaw, "x", 1, 3, &err));
	dfs_thaw_free(dfs_steal(&t.thaw));
	assert_int_equal(temporaries(), 1);
	CHECK(stat(name, &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino);
	CHECK(pread(fd, t.old, t.len, 0) == (ssize_t)t.len && t.old[3] == 'x');
	CHECK(unlink(name) == 0);
	close(fd);
	free(name);

	given_thaw(&t);
	CHECK_OK(finish(&t, &err), err);
	CHECK_OK(dfs_thaw_take(t.thaw, &fd, &name, &err), err);
	CHECK(unlink(name) == 0);
	close(fd);
	free(name);
	CHECK_RET(-EINVAL, dfs_thaw_take(t.thaw, &fd, &name, &err));
	thawing_gone(&t);
}

static void an_empty_file_can_be_written(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	uint8_t want[10] = { [5] = 'a', 'b', 'c', 'd', 'e' };
	(void)state;

	given_container(&t, -1, files_memory("empty"));
	given_thaw(&t);
	CHECK(dfs_thaw_where(t.thaw, 0, 100) == DFS_THAW_NEW);
	CHECK_OK(finish(&t, &err), err);
	thaw_gone(&t);
	given_thaw(&t);
	CHECK_RET(5, dfs_thaw_write(t.thaw, "abcde", 5, 5, &err));
	CHECK(dfs_thaw_size(t.thaw) == 10);
	CHECK_OK(finish(&t, &err), err);
	check_file(&t, want, 10);
	thawing_gone(&t);
}

static void each_byte_is_where_it_is_said_to_be(void **state)
{
	struct dfs_err err = { "" };
	uint8_t got[300], want[300], gap[1000] = { 0 };
	struct thawing t;
	size_t len;
	(void)state;

	given_fine_tune(&t, 1000);
	given_thaw(&t);
	keep(&t);
	CHECK_RET(3, dfs_thaw_write(t.thaw, "abc", 3, 5000, &err));
	CHECK(dfs_thaw_where(t.thaw, 4000, 1000) == DFS_THAW_OLD);
	CHECK(dfs_thaw_where(t.thaw, 5003, 1000) == DFS_THAW_OLD);
	CHECK(dfs_thaw_where(t.thaw, 5000, 3) == DFS_THAW_NEW);
	CHECK(dfs_thaw_where(t.thaw, 5001, 1) == DFS_THAW_NEW);
	CHECK(dfs_thaw_where(t.thaw, 4999, 2) == DFS_THAW_MIXED);
	CHECK(dfs_thaw_where(t.thaw, 5002, 2) == DFS_THAW_MIXED);
	memcpy(want, t.old + 4900, sizeof(want));
	memcpy(want + 100, "abc", 3);
	CHECK_OK(dfs_thaw_read_mixed(t.thaw, got, sizeof(got), 4900, &len, &err), err);
	assert_int_equal(len, sizeof(got));
	CHECK_BYTES(got, want, sizeof(got));

	/* Behind the end: zeros up to what is written there. */
	CHECK(dfs_thaw_where(t.thaw, t.len - 1, 5) == DFS_THAW_OLD);
	CHECK_RET(2, dfs_thaw_write(t.thaw, "yz", 2, t.len + sizeof(gap), &err));
	CHECK(dfs_thaw_size(t.thaw) == t.len + sizeof(gap) + 2);
	CHECK(dfs_thaw_where(t.thaw, t.len - 1, 5) == DFS_THAW_MIXED);
	CHECK(dfs_thaw_where(t.thaw, t.len, 5) == DFS_THAW_NEW);
	CHECK_OK(dfs_thaw_read_mixed(t.thaw, got, sizeof(got), t.len - 100, &len, &err), err);
	assert_int_equal(len, sizeof(got));
	CHECK_BYTES(got, t.old + t.len - 100, 100);
	CHECK_BYTES(got + 100, gap, 200);
	CHECK_OK(dfs_thaw_read_mixed(t.thaw, got, sizeof(got), t.len + sizeof(gap) - 1, &len, &err), err);
	assert_int_equal(len, 3);
	CHECK_BYTES(got, "\0yz", 3);
	CHECK_OK(dfs_thaw_read_mixed(t.thaw, got, sizeof(got), t.len + sizeof(gap) + 2, &len, &err), err);
	assert_int_equal(len, 0);
	let_go(&t);
	thawing_gone(&t);
}

static void what_is_all_written_is_not_decoded(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	uint8_t *bytes;
	(void)state;

	given_fine_tune(&t, 1000);
	given_thaw(&t);
	bytes = calloc(1, t.len);
	CHECK(bytes);
	keep(&t);
	/* In pieces that cut blocks, and from behind. */
	for (size_t end = t.len, off; end > 0; end = off) {
		off = end > 77777 ? end - 77777 : 0;
		CHECK_RET((int)(end - off), dfs_thaw_write(t.thaw, bytes + off, end - off, off, &err));
	}
	CHECK(dfs_thaw_where(t.thaw, 0, t.len) == DFS_THAW_NEW);
	let_go(&t);
	CHECK_OK(finish(&t, &err), err);
	check_file(&t, bytes, t.len);
	assert_int_equal(decoded(&t), 0);
	free(bytes);
	thawing_gone(&t);
}

static void very_many_pieces_are_written_slowly(void **state)
{
	struct dfs_err err = { "" };
	struct thawing t;
	size_t off = 1;
	ssize_t ret = 1;
	(void)state;

	given_fine_tune(&t, 100);
	CHECK(t.len > 2 * DFS_COVER_PIECES + 20000);
	given_thaw(&t);
	keep(&t);
	for (; ret == 1; off += ret == 1 ? 2 : 0) {
		ret = dfs_thaw_write(t.thaw, "\xaa", 1, off, &err);
		if (ret == 1)
			t.old[off] = 0xaa;
	}
	assert_int_equal(ret, -EAGAIN);
	CHECK(off / 2 > DFS_COVER_PIECES - 2);
	/* Whole blocks are taken still; others with the old bytes around them. */
	memset(t.old + 4096 * 40, 0xbb, 4096);
	CHECK_RET(4096, dfs_thaw_write(t.thaw, t.old + 4096 * 40, 4096, 4096 * 40, &err));
	memset(t.old + 4096 * 45 + 5, 0xcc, 4096);
	CHECK_RET(4096, dfs_thaw_write_slowly(t.thaw, t.old + 4096 * 45 + 5, 4096, 4096 * 45 + 5, &err));
	memset(t.old + t.len - 3, 0xdd, 2);
	CHECK_RET(2, dfs_thaw_write_slowly(t.thaw, t.old + t.len - 3, 2, t.len - 3, &err));
	CHECK(dfs_thaw_where(t.thaw, 4096 * 45, 8192) == DFS_THAW_NEW);
	CHECK(dfs_thaw_where(t.thaw, t.len - 1, 1) == DFS_THAW_NEW);
	let_go(&t);
	CHECK_OK(finish(&t, &err), err);
	check_file(&t, t.old, t.len);
	thawing_gone(&t);
}

static const struct CMUnitTest cases[] = {
	CASE(an_open_reserves_and_decodes_nothing),
	CASE(no_room_is_said_at_once),
	CASE(a_file_system_that_cannot_promise_is_asked),
	CASE(what_the_kernel_limits_is_an_error),
	CASE(a_size_that_lies_is_an_error),
	CASE(what_is_not_written_is_decoded),
	CASE(a_finished_file_is_handed_over_once),
	CASE(an_empty_file_can_be_written),
	CASE(each_byte_is_where_it_is_said_to_be),
	CASE(what_is_all_written_is_not_decoded),
	CASE(very_many_pieces_are_written_slowly),
};

CHECK_MAIN(cases)
