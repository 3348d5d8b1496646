/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hashes: XXH3-128 of files, computed once and remembered.
 */
#include "store/hashes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/internal.h"
#include "util/cached.h"
#include "util/fdpath.h"
#include "util/io.h"

#define PIECE (1u << 20)

/* Asked for before it is needed: keeps a disk of 1 GB/s busy through 4 ms of latency, at any read_ahead_kb. */
#define AHEAD (4u << 20)

/* Gently: smaller, since between two pieces it is asked whether to go on, and a disk may give 1 MB/s. */
#define PIECE_GENTLE (256u << 10)

/*
 * How old a change must be before hashing starts, so that a later one is sure
 * to get another time: above the kernel's tick (10 ms at HZ=100), or two
 * seconds where the file system only keeps seconds (FAT).
 */
#define FINE_NS 20000000ll
#define COARSE_NS 2000000000ll

DFS_AUTO_KIND(hasher, struct dfs_hasher *, dfs_hasher_free(*p));

static int64_t nanoseconds(struct timespec t)
{
	return (int64_t)((uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
}

/* Would a change from now on surely show? Waits out a fine-grained clock. */
static bool times_can_tell(const struct stat *st)
{
	int64_t margin = st->st_ctim.tv_nsec == 0 && st->st_mtim.tv_nsec == 0 ? COARSE_NS : FINE_NS;
	struct timespec now;
	int64_t age;

	clock_gettime(CLOCK_REALTIME, &now);
	age = nanoseconds(now) - nanoseconds(st->st_ctim);
	if (age < margin && age >= 0 && margin == FINE_NS) {
		struct timespec wait = { .tv_nsec = margin - age };

		nanosleep(&wait, NULL);
		return true;
	}
	return age >= margin;
}

bool dfs_hash_times_settle(int fd, struct stat *ret_st)
{
	bool certain;

	memset(ret_st, 0, sizeof(*ret_st));
	certain = fstat(fd, ret_st) == 0 && times_can_tell(ret_st);
	return fstat(fd, ret_st) == 0 && certain;
}

static int hash_fast(int fd, uint64_t size, dfs_hash_progress_fn *progress, void *arg,
			struct dfs_hash *ret_hash)
{
	DFS_AUTO(hasher) struct dfs_hasher *hasher = dfs_hasher_new();
	DFS_AUTO(mem) uint8_t *piece = malloc(PIECE);
	uint64_t done = 0;

	if (!hasher || !piece)
		return -ENOMEM;
	posix_fadvise(fd, 0, AHEAD, POSIX_FADV_WILLNEED);
	for (;;) {
		ssize_t n;

		posix_fadvise(fd, (off_t)(done + AHEAD), PIECE, POSIX_FADV_WILLNEED);
		n = dfs_pread_some(fd, piece, PIECE, done);
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		dfs_hasher_add(hasher, piece, (size_t)n);
		done += (uint64_t)n;
		if (progress && !progress(arg, done, size))
			return -ECANCELED;
	}
	*ret_hash = dfs_hasher_end(hasher);
	return done == size ? 0 : -ESTALE;
}

/*
 * A descriptor of the same file of our own, so that the kernel reads ahead for
 * others and not for us. Return: -1 where it cannot be had: rights were changed
 * since, or there is no /proc.
 */
static int open_again(int fd)
{
	char path[DFS_FD_PATH_SIZE];
	int own = open(dfs_fd_path(fd, path), O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (own >= 0)
		posix_fadvise(own, 0, 0, POSIX_FADV_RANDOM);
	return own;
}

/* What was not cached is dropped again. */
static int hash_gentle(int fd, uint64_t size, dfs_hash_progress_fn *progress, void *arg,
		       struct dfs_hash *ret_hash)
{
	DFS_AUTO(hasher) struct dfs_hasher *hasher = dfs_hasher_new();
	DFS_AUTO(mem) uint8_t *piece = malloc(PIECE_GENTLE);
	DFS_AUTO(fd) int own = open_again(fd);
	uint64_t done = 0;

	if (!hasher || !piece)
		return -ENOMEM;
	if (own >= 0)
		fd = own;
	while (progress(arg, done, size)) {
		bool cached = dfs_cached(fd, done, PIECE_GENTLE);
		ssize_t n = dfs_pread_some(fd, piece, PIECE_GENTLE, done);

		if (n < 0)
			return (int)n;
		if (n == 0) {
			*ret_hash = dfs_hasher_end(hasher);
			return done == size ? 0 : -ESTALE;
		}
		if (!cached)
			posix_fadvise(fd, (off_t)done, n, POSIX_FADV_DONTNEED);
		dfs_hasher_add(hasher, piece, (size_t)n);
		done += (uint64_t)n;
	}
	return -ECANCELED;
}

typedef int hash_fn(int fd, uint64_t size, dfs_hash_progress_fn *progress, void *arg, struct dfs_hash *ret_hash);

static int hash_file(int fd, hash_fn *hash_content, dfs_hash_progress_fn *progress, void *arg,
		     struct dfs_hash *ret_hash, struct stat *ret_st)
{
	struct stat before, after;
	bool certain;
	int ret;

	if (fstat(fd, &before) < 0)
		return -errno;
	certain = times_can_tell(&before);
	ret = hash_content(fd, (uint64_t)before.st_size, progress, arg, ret_hash);
	if (ret < 0)
		return ret;
	if (fstat(fd, &after) < 0)
		return -errno;
	/* a new ctime alone may be a link or a chmod; the content counts as changed only with its mtime */
	if (after.st_size != before.st_size ||
	    nanoseconds(after.st_mtim) != nanoseconds(before.st_mtim))
		return -ESTALE;
	if (ret_st) {
		*ret_st = after;
		if (!certain || nanoseconds(after.st_ctim) != nanoseconds(before.st_ctim))
			ret_st->st_ino = 0;
	}
	return 0;
}

int dfs_hash_file(int fd, dfs_hash_progress_fn *progress, void *arg, struct dfs_hash *ret_hash,
		  struct stat *ret_st)
{
	return hash_file(fd, hash_fast, progress, arg, ret_hash, ret_st);
}

int dfs_hash_file_gently(int fd, dfs_hash_progress_fn *progress, void *arg, struct dfs_hash *ret_hash,
			 struct stat *ret_st)
{
	return hash_file(fd, hash_gentle, progress, arg, ret_hash, ret_st);
}

static void key_path(const struct stat *st, char *ret_path, size_t size)
{
	snprintf(ret_path, size, DFS_STORE_DIR "/hashes/%" PRIx64 "-%" PRIx64, (uint64_t)st->st_dev,
		 (uint64_t)st->st_ino);
}

#define LINE_MAX_LEN 160

static int line_write(const struct stat *st, struct dfs_hash hash, char *ret_line)
{
	char hex[DFS_HASH_HEX];
	int n = snprintf(ret_line, LINE_MAX_LEN, "%s %" PRIu64 " %" PRId64 " %" PRId64 " ",
			 dfs_hash_hex(hash, hex), (uint64_t)st->st_size, nanoseconds(st->st_mtim),
			 nanoseconds(st->st_ctim));

	return n + snprintf(ret_line + n, LINE_MAX_LEN - (size_t)n, "%016" PRIx64 "\n",
			    dfs_hash64(ret_line, (size_t)n, 0));
}

/* The only line that counts is the one we would write for @st and the hash in it. */
bool dfs_hashes_find(const struct dfs_store *store, const struct stat *st,
		     struct dfs_hash *ret_hash)
{
	struct dfs_buf found = { 0 };
	char path[80], expected[LINE_MAX_LEN], hex[DFS_HASH_HEX];
	struct dfs_hash hash;
	bool valid = false;

	if (!store)
		return false;
	key_path(st, path, sizeof(path));
	if (dfs_read_small(store->fd, path, LINE_MAX_LEN, &found) < 0)
		return false;
	snprintf(hex, sizeof(hex), "%.32s", (char *)found.data);
	if (dfs_hash_parse(hex, &hash) == 0) {
		line_write(st, hash, expected);
		valid = strcmp(expected, (char *)found.data) == 0;
	}
	dfs_buf_release(&found);
	if (valid)
		*ret_hash = hash;
	return valid;
}

void dfs_hashes_remember(struct dfs_store *store, const struct stat *st, struct dfs_hash hash)
{
	DFS_AUTO(fd) int fd = -1;
	DFS_AUTO(mem) char *tmp = NULL;
	char path[80], line[LINE_MAX_LEN];
	int len = line_write(st, hash, line);

	if (!store || store->lock_fd < 0 || dfs_store_tmp(store, &fd, &tmp, NULL) < 0)
		return;
	key_path(st, path, sizeof(path));
	if (dfs_write_all(fd, line, (size_t)len) < 0 ||
	    renameat(store->fd, tmp, store->fd, path) < 0)
		unlinkat(store->fd, tmp, 0);
}

int dfs_hashes_get(struct dfs_store *store, int fd, dfs_hash_progress_fn *progress, void *arg,
		   struct dfs_hash *ret_hash)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (dfs_hashes_find(store, &st, ret_hash))
		return 0;
	ret = dfs_hash_file(fd, progress, arg, ret_hash, &st);
	if (ret == 0 && st.st_ino)
		dfs_hashes_remember(store, &st, *ret_hash);
	return ret;
}
