/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_outside: what of a container its hashes do not cover: two superblocks,
 * the mark, and what lies behind the end.
 *
 * What is written is what the container had when it was published, at its own
 * place in the file: proven by the other superblock, whose metadata and
 * payloads were found right. Until it is on disk the other one stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/check_internal.h"
#include "store/internal.h"
#include "store/plain_mark.h"
#include "util/io.h"

#define PIECE (64u << 10)

struct outside {
	struct dfs_check *check;
	const struct dfs_walk_file *file;
	uint8_t good[DFS_SUPERBLOCK_SIZE];
	uint64_t at;			/* of the damaged one */
	bool right[2];			/* head, tail */
	bool proven;
};

/* The same file, for writing, and nobody has changed it since. */
static int open_again(const struct outside *o, int *ret_fd, struct dfs_err *err)
{
	struct stat st;
	int ret = dfs_store_openat(o->check->store, o->file->path, O_RDWR, ret_fd);

	if (ret < 0)
		return dfs_fail(err, -ret, "open for writing: %s", strerror(-ret));
	if (fstat(*ret_fd, &st) < 0 || st.st_ino != o->file->st.st_ino || st.st_dev != o->file->st.st_dev ||
	    !dfs_time_same(st.st_mtim, o->file->st.st_mtim))
		return dfs_fail(err, ESTALE, "it was changed meanwhile");
	return 0;
}

/* On disk, and with the times it had: it holds what it held. */
static int finish(const struct outside *o, int fd, struct dfs_err *err)
{
	const struct timespec times[2] = { o->file->st.st_atim, o->file->st.st_mtim };

	if (futimens(fd, times) < 0 && errno != EPERM)
		return dfs_fail_errno(err, "set the times");
	return fsync(fd) < 0 ? dfs_fail_errno(err, "fsync") : 0;
}

/* --- superblocks */

static int write_superblock(void *arg, struct dfs_err *err)
{
	const struct outside *o = arg;
	DFS_AUTO(fd) int fd = -1;
	int ret = open_again(o, &fd, err);

	if (ret < 0)
		return ret;
	ret = dfs_pwrite_all(fd, o->good, sizeof(o->good), o->at);
	return ret < 0 ? dfs_fail(err, -ret, "write: %s", strerror(-ret)) : finish(o, fd, err);
}

static bool is_valid(int fd, uint64_t at)
{
	uint8_t bytes[DFS_SUPERBLOCK_SIZE];
	struct dfs_superblock sb;
	int ret = dfs_pread_all(fd, bytes, sizeof(bytes), at);

	if (ret == 0)
		ret = dfs_superblock_unpack(bytes, &sb, NULL);
	return ret == 0 || ret == -ENOTSUP;
}

static void check_superblock(struct outside *o, unsigned which, uint64_t at)
{
	static const char *const damaged[] = { "the superblock at the head is damaged", "the superblock at the tail is damaged" };
	uint8_t got[DFS_SUPERBLOCK_SIZE];

	o->right[which] = dfs_pread_all(o->file->fd, got, sizeof(got), at) == 0 && memcmp(got, o->good, sizeof(got)) == 0;
	if (o->right[which])
		return;
	o->at = at;
	/* which of two valid ones is meant cannot be told */
	if (is_valid(o->file->fd, at))
		dfs_check_found(o->check, DFS_CHECK_SUPERBLOCK, o->file->path, "its two superblocks are of different containers", NULL, NULL);
	else
		dfs_check_found(o->check, DFS_CHECK_SUPERBLOCK, o->file->path, damaged[which], o->proven ? write_superblock : NULL, o);
}

/* --- what follows */

static int cut_off(void *arg, struct dfs_err *err)
{
	const struct outside *o = arg;
	DFS_AUTO(fd) int fd = -1;
	int ret = open_again(o, &fd, err);

	if (ret < 0)
		return ret;
	if (ftruncate(fd, (off_t)o->file->claim.sb.container_size) < 0)
		return dfs_fail_errno(err, "truncate");
	return finish(o, fd, err);
}

/* Nothing but zeros: nobody's bytes. */
static bool is_blank(int fd, uint64_t from, uint64_t size)
{
	DFS_AUTO(mem) uint8_t *piece = malloc(PIECE);
	bool blank = piece;

	while (blank && from < size) {
		size_t n = size - from < PIECE ? size - from : PIECE;

		blank = dfs_pread_all(fd, piece, n, from) == 0;
		for (size_t i = 0; i < n && blank; i++)
			blank = piece[i] == 0;
		from += n;
	}
	return blank;
}

static void check_end(struct outside *o)
{
	uint64_t end = o->file->claim.sb.container_size, size = (uint64_t)o->file->st.st_size;
	bool blank = size > end && is_blank(o->file->fd, end, size);
	char what[128];

	if (size <= end)
		return;
	snprintf(what, sizeof(what), "%llu bytes%s follow the container, which ends at byte %llu", (unsigned long long)(size - end),
		 blank ? ", all zero," : "", (unsigned long long)end);
	dfs_check_found(o->check, DFS_CHECK_TRAILING, o->file->path, what, blank && o->right[1] && o->proven ? cut_off : NULL, o);
}

/* --- the mark */

static int remove_mark(void *arg, struct dfs_err *err)
{
	const struct outside *o = arg;
	struct dfs_claim claim;
	int ret = dfs_claim_unmark(o->file->fd);

	if (ret == 0)
		ret = dfs_claim_check(o->file->fd, (uint64_t)o->file->st.st_size, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "remove the attribute: %s", strerror(-ret));
	return claim.mismarked ? dfs_fail(err, EPERM, "the attribute cannot be removed by this user") : 0;
}

/* Without its mark a file is told by its head, unless it is marked plain: then the mark alone shows what is in it. */
static void check_mark(struct outside *o)
{
	bool told_by_head = o->proven && is_valid(o->file->fd, 0) && !dfs_plain_mark_has(o->file->fd);

	if (o->file->claim.mismarked)
		dfs_check_found(o->check, DFS_CHECK_MARK, o->file->path, "its mark is of another container",
				told_by_head ? remove_mark : NULL, o);
}

void dfs_check_outside(struct dfs_check *check, const struct dfs_walk_file *file, bool proven)
{
	struct outside o = { .check = check, .file = file, .proven = proven };

	dfs_superblock_pack(&file->claim.sb, o.good);
	check_superblock(&o, 0, 0);
	check_superblock(&o, 1, file->claim.sb.container_size - DFS_SUPERBLOCK_SIZE);
	check_end(&o);
	check_mark(&o);
}
