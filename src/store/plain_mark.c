/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/plain_mark.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "format/container.h"
#include "store/claim.h"
#include "store/mark.h"
#include "util/io.h"

static const struct dfs_mark plain = { "trusted.deltafs.plain", "user.deltafs.plain" };

bool dfs_is_plain_mark(const char *name)
{
	return dfs_mark_is(&plain, name);
}

bool dfs_plain_mark_has(int fd)
{
	return dfs_mark_has(&plain, fd);
}

int dfs_plain_mark_keeps(int fd)
{
	uint8_t first[DFS_PLAIN_MARK_RANGE];
	ssize_t got = dfs_pread_some(fd, first, sizeof(first), 0);

	if (got < 0)
		return (int)got;
	return dfs_magic_score(first, (size_t)got) >= DFS_MAGIC_CLAIM && dfs_plain_mark_has(fd);
}

static int mark(int fd)
{
	int ret = dfs_mark_set(&plain, fd);

	if (ret < 0)
		return ret == -ENOTSUP ? -EOPNOTSUPP : ret;
	return fsync(fd) < 0 ? -errno : 0;
}

/* Of the magic's bytes, this one anything can make: a size that grows, a hole. */
#define NUL_AT 12

static unsigned score(const uint8_t first[DFS_PLAIN_MARK_RANGE])
{
	uint8_t bytes[DFS_PLAIN_MARK_RANGE];

	memcpy(bytes, first, sizeof(bytes));
	bytes[NUL_AT] = 0xff;
	return dfs_magic_score(bytes, sizeof(bytes));
}

/*
 * Two who write beside each other at the same time do not see what the other
 * does: who writes a part of the first bytes, and any of the magic's, does not
 * rely on what is there.
 */
int dfs_plain_mark_wanted(int fd, const void *buf, size_t len, uint64_t off)
{
	uint8_t first[DFS_PLAIN_MARK_RANGE] = { 0 }, own[DFS_PLAIN_MARK_RANGE] = { 0 };
	ssize_t got;
	size_t n;
	bool part;

	if (off >= DFS_PLAIN_MARK_RANGE || len == 0)
		return 0;
	n = sizeof(first) - off < len ? sizeof(first) - off : len;
	part = n < sizeof(first);
	got = part ? dfs_pread_some(fd, first, sizeof(first), 0) : 0;
	if (got < 0)
		return (int)got;
	memcpy(first + off, buf, n);
	memcpy(own + off, buf, n);
	if (score(first) < DFS_MAGIC_CLAIM - 1 && !(part && score(own)))
		return 0;
	return !dfs_plain_mark_has(fd);
}

int dfs_plain_mark_guard(int fd, const void *buf, size_t len, uint64_t off)
{
	int ret = dfs_plain_mark_wanted(fd, buf, len, off);

	return ret > 0 ? mark(fd) : ret;
}

int dfs_plain_mark_guard_all(int fd)
{
	uint8_t first[DFS_PLAIN_MARK_RANGE];
	ssize_t got = dfs_pread_some(fd, first, sizeof(first), 0);

	return got < 0 ? (int)got : dfs_plain_mark_guard(fd, first, (size_t)got, 0);
}
