/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal: what the files of this folder share; nobody else includes it.
 */
#ifndef DFS_STORE_INTERNAL_H
#define DFS_STORE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/store.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/err.h"

#define DFS_STORE_VERSION 1

struct dfs_store {
	int fd;			/* the root, O_RDONLY|O_DIRECTORY */
	char *path;		/* resolved */
	int lock_fd;		/* -1: not the writer */
	unsigned version;	/* of .deltafs/version; 0: there is none */
	bool version_damaged;	/* the file is there and says nothing we understand */
};

/*
 * dfs_openat_beneath() - dfs_store_openat() below any directory, with the mode of a new file
 * Return: 0; -errno.
 */
int dfs_openat_beneath(int dir, const char *rel, int flags, unsigned mode, int *ret_fd);

/*
 * dfs_read_small() - a whole small file, NUL-terminated
 * @dir: nothing outside it is reached; AT_FDCWD: a path of the user's, who may name a symlink
 * @max: more bytes than this are -EFBIG
 * @ret_buf: len does not count the NUL; dfs_buf_release() it
 */
int dfs_read_small(int dir, const char *rel, size_t max, struct dfs_buf *ret_buf);

/*
 * dfs_write_durable() - make or replace one small file of .deltafs/: temporary,
 * fsync, rename, fsync of the directory. A crash leaves the old or the new.
 * @rel: relative to the store
 */
int dfs_write_durable(struct dfs_store *store, const char *rel, const void *data, size_t len,
		      struct dfs_err *err);

/* dfs_absolute() - @path from here, unresolved; free() it. NULL: out of memory, or no current directory. */
char *dfs_absolute(const char *path);

/*
 * dfs_resolve_parent() - @path with all but its last component resolved
 *
 * The last one may be a symlink (kept) or missing. NULL with errno if its
 * directory is missing or out of memory.
 */
char *dfs_resolve_parent(const char *path);

/* dfs_link_fd() - a second name for an open file, whatever happened to its first. Return: 0; -errno. */
int dfs_link_fd(int fd, int dir, const char *path);

/* dfs_sync_dir() - make the names of a directory of the store durable. */
int dfs_sync_dir(const struct dfs_store *store, const char *rel);

/*
 * dfs_dir_open() - a directory of the store, for dfs_dir_next()
 * Return: 0; -ENOENT, -ENOTDIR and -ELOOP: there is none; -errno.
 */
int dfs_dir_open(const struct dfs_store *store, const char *rel, DIR **ret_dir);

/*
 * dfs_dir_next() - the next name of a directory, "." and ".." left out
 * Return: 1 with a name that is valid until the next call; 0 at the end; -errno:
 * what was listed so far is not all there is.
 */
int dfs_dir_next(DIR *dir, const char **ret_name);

/* dfs_store_is_newer() - the store was made by a later deltafs: never write to it. */
static inline bool dfs_store_is_newer(const struct dfs_store *store)
{
	return store->version > DFS_STORE_VERSION;
}

/* dfs_stat_unchanged() - do two stats show one inode with untouched content (size, mtime, ctime)? */
static inline bool dfs_stat_unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       dfs_time_same(a->st_mtim, b->st_mtim) && dfs_time_same(a->st_ctim, b->st_ctim);
}

#endif
