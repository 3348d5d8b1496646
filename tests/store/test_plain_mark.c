/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_plain_mark: what a user writes stays plain, however its bytes begin. */
#include <sys/xattr.h>

#include "given.h"
#include "store/plain_mark.h"

static const char *magic(void)
{
	static uint8_t superblock[DFS_SUPERBLOCK_SIZE];
	struct dfs_superblock sb = { 0 };

	dfs_superblock_pack(&sb, superblock);
	return (const char *)superblock;
}

static int make(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	return fd;
}

/* As the mount does it. */
static void user_writes(int fd, const void *bytes, size_t len, off_t off)
{
	CHECK_RET(0, dfs_plain_mark_guard(fd, bytes, len, (uint64_t)off));
	CHECK(pwrite(fd, bytes, len, off) == (ssize_t)len);
}

static enum dfs_claim_kind kind_of(int fd)
{
	struct dfs_claim claim;
	struct stat st;

	CHECK(fstat(fd, &st) == 0);
	CHECK_RET(0, dfs_claim_check(fd, (uint64_t)st.st_size, &claim));
	return claim.kind;
}

static bool has_xattrs(void)
{
	DFS_AUTO(fd) int fd = make("x");

	return fsetxattr(fd, "user.x", "", 0, 0) == 0;
}

static void magic_at_once_or_in_pieces_stays_plain(void **state)
{
	static const size_t pieces[] = { 1, 3, 7, 8, 16, 256 };

	(void)state;
	if (!has_xattrs())
		skip();
	for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
		DFS_AUTO(fd) int fd = make("f");

		for (size_t at = 0; at < 256; at += pieces[p])
			user_writes(fd, magic() + at, pieces[p] < 256 - at ? pieces[p] : 256 - at, (off_t)at);
		CHECK(dfs_plain_mark_has(fd));
		CHECK(kind_of(fd) == DFS_PLAIN);
	}
}

static void backwards_it_does_too(void **state)
{
	DFS_AUTO(fd) int fd = make("f");

	(void)state;
	if (!has_xattrs())
		skip();
	for (off_t at = 256; at-- > 0;)
		user_writes(fd, magic() + at, 1, at);
	CHECK(kind_of(fd) == DFS_PLAIN);
}

static void other_bytes_cost_no_mark(void **state)
{
	DFS_AUTO(fd) int fd = make("f");
	char half[16];

	(void)state;
	memcpy(half, magic(), 16);
	memset(half, 'x', 5); /* 11 of 16 are the magic's: not a claim */
	user_writes(fd, half, sizeof(half), 0);
	user_writes(fd, magic(), 16, 16);
	CHECK(!dfs_plain_mark_has(fd));
	CHECK(kind_of(fd) == DFS_PLAIN);
}

/* One byte of the magic is 0: a longer file has it, and a hole. */
static void one_short_of_a_claim_and_grown_it_stays_plain(void **state)
{
	DFS_AUTO(fd) int fd = make("f");
	char most[12];

	(void)state;
	if (!has_xattrs())
		skip();
	memcpy(most, magic(), sizeof(most));
	most[11] = 'x';
	user_writes(fd, most, sizeof(most), 0);
	CHECK(ftruncate(fd, 4096) == 0);
	CHECK(kind_of(fd) == DFS_PLAIN);
}

/* Each asks before the other has written. */
static void two_who_write_halves_at_once_stay_plain(void **state)
{
	DFS_AUTO(fd) int fd = make("f");

	(void)state;
	if (!has_xattrs())
		skip();
	CHECK_RET(0, dfs_plain_mark_guard(fd, magic(), 8, 0));
	CHECK_RET(0, dfs_plain_mark_guard(fd, magic() + 8, 8, 8));
	CHECK(pwrite(fd, magic(), 16, 0) == 16);
	CHECK(kind_of(fd) == DFS_PLAIN);
}

static void without_the_mark_it_would_claim(void **state)
{
	DFS_AUTO(fd) int fd = make("f");

	(void)state;
	CHECK(pwrite(fd, magic(), 256, 0) == 256);
	CHECK(kind_of(fd) != DFS_PLAIN);
}

static void the_mark_is_ours(void **state)
{
	(void)state;
	CHECK(dfs_is_mark("trusted.deltafs.plain") && dfs_is_mark("user.deltafs.plain"));
	CHECK(!dfs_is_mark("user.deltafs.plainer"));
}

static const struct CMUnitTest cases[] = {
	CASE(magic_at_once_or_in_pieces_stays_plain),
	CASE(backwards_it_does_too),
	CASE(other_bytes_cost_no_mark),
	CASE(one_short_of_a_claim_and_grown_it_stays_plain),
	CASE(two_who_write_halves_at_once_stay_plain),
	CASE(without_the_mark_it_would_claim),
	CASE(the_mark_is_ours),
};

CHECK_MAIN(cases)
