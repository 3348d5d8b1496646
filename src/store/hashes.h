/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hashes: XXH3-128 of files, computed once and remembered.
 *
 * A hash is remembered for (dev, inode, size, mtime, ctime), in a file of
 * .deltafs/hashes/ named DEV-INODE (hexadecimal), one line:
 *
 *	hash size mtime-ns ctime-ns check
 *
 * check is the XXH3-64 of what stands before it, so that a line which is torn,
 * damaged or of another age is no line at all. Losing one costs a reading.
 *
 * A hash of content that may have changed within one tick of the file system's
 * clock is not remembered: the times could not tell.
 */
#ifndef DFS_STORE_HASHES_H
#define DFS_STORE_HASHES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/store.h"
#include "util/err.h"
#include "util/hash.h"

/* Return: false to cancel (-ECANCELED). */
typedef bool dfs_hash_progress_fn(void *arg, uint64_t done_bytes, uint64_t total_bytes);

/**
 * dfs_hash_file() - read and hash a whole file, at the speed of the disk
 * @progress: called once a MiB; may be NULL
 * @ret_st: the file as it was, if its hash may be remembered; st_ino 0 if not; may be NULL
 *
 * Does not keep the file's pages from being evicted, nor evict what was cached.
 * Return: 0; -ECANCELED; -ESTALE: it changed meanwhile; errors of pread.
 */
int dfs_hash_file(int fd, dfs_hash_progress_fn *progress, void *arg, struct dfs_hash *ret_hash,
		  struct stat *ret_st);

/**
 * dfs_hash_file_gently() - the same, leaving the page cache as it was
 * @progress: called before each 256 KiB, so it may also wait there; not NULL
 *
 * Pages that it had to fetch it drops again, those that somebody else uses stay.
 */
int dfs_hash_file_gently(int fd, dfs_hash_progress_fn *progress, void *arg, struct dfs_hash *ret_hash,
			 struct stat *ret_st);

/**
 * dfs_hash_times_settle() - the attributes of @fd, once a later change is sure to show in them
 * Waits some 20 ms if it was changed just now. Return: false where the file
 * system keeps seconds only, or on failure; the attributes are there if fstat() works.
 */
bool dfs_hash_times_settle(int fd, struct stat *ret_st);

/* dfs_hashes_find() - the remembered hash of a file that now looks like @st. Return: found. */
bool dfs_hashes_find(const struct dfs_store *store, const struct stat *st,
		     struct dfs_hash *ret_hash);

/* dfs_hashes_remember() - note @hash for @st. Only the holder of the lock writes; failing costs only time later. */
void dfs_hashes_remember(struct dfs_store *store, const struct stat *st, struct dfs_hash hash);

/**
 * dfs_hashes_get() - the remembered hash of @fd, else computed and remembered
 * @store: may be NULL: always computed
 * Return: as dfs_hash_file().
 */
int dfs_hashes_get(struct dfs_store *store, int fd, dfs_hash_progress_fn *progress, void *arg,
		   struct dfs_hash *ret_hash);

#endif
