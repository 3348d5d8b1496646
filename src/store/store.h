/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store: a directory of models and its state under .deltafs/.
 *
 * Opened once; everything in it is reached by *at() calls from that
 * descriptor, so that a mount over the store itself never gets in the way.
 *
 *	.deltafs/version	"deltafs store 1\n"
 *	.deltafs/lock		flock'ed by the one writer; text: "pid mountpoint\n"
 *	.deltafs/pins/HASH	base files by content (XXH3-128), hard links or copies
 *	.deltafs/bases/ID.json	one model: its files, names, origin, by-reference paths
 *	.deltafs/hashes/	remembered hashes of base files, keyed by dev, inode, size, mtime, ctime
 *	.deltafs/pending	what waits to be compressed (store/pending.h)
 *	.deltafs/reasons	why files are plain (write/reasons.h)
 *	.deltafs/kept/		originals of files that gave up bits (store/kept.h)
 *	.deltafs/tmp/		encodes in work, 0600; whatever is there without a lock holder is rubbish
 *
 * None of it needs to exist for reading: any directory is a store.
 */
#ifndef DFS_STORE_STORE_H
#define DFS_STORE_STORE_H

#include <stdbool.h>
#include <sys/types.h>

#include "util/auto.h"
#include "util/err.h"

#define DFS_STORE_DIR ".deltafs"

struct dfs_store;

/**
 * dfs_store_open() - open the directory @path; writes nothing
 * Return: 0; -ENOENT, -ENOTDIR, -EACCES, ...; -ENOTSUP if .deltafs/version is
 * newer than this build (reading still works: open with @any_version).
 */
int dfs_store_open(const char *path, bool any_version, struct dfs_store **ret_store,
		   struct dfs_err *err);
void dfs_store_close(struct dfs_store *store); /* releases the lock; NULL is fine */

int dfs_store_fd(const struct dfs_store *store);		/* borrowed; O_RDONLY|O_DIRECTORY */
const char *dfs_store_path(const struct dfs_store *store);	/* as resolved at open */

/**
 * dfs_store_find() - the store that holds @path: the nearest directory upwards that has a .deltafs
 * @ret_rel: path inside the store, without leading slash; free() it; may be NULL
 * Return: 0; -ENOENT if there is none.
 */
int dfs_store_find(const char *path, struct dfs_store **ret_store, char **ret_rel,
		   struct dfs_err *err);

/**
 * dfs_store_prepare() - make .deltafs/ and what is in it (0700), for a writer
 * Return: 0; -EROFS, -EACCES, ... with a sentence.
 */
int dfs_store_prepare(struct dfs_store *store, struct dfs_err *err);

/**
 * dfs_store_lock() - become the one writer; clears .deltafs/tmp and .deltafs/kept of rubbish
 * @mountpoint: noted for others; "" for a command
 * Return: 0; -EBUSY with a sentence naming the holder (pid, command, mountpoint).
 */
int dfs_store_lock(struct dfs_store *store, const char *mountpoint, struct dfs_err *err);
void dfs_store_unlock(struct dfs_store *store);

/* dfs_store_lock_note() - say anew who holds the lock, e.g. after the daemon forked. Return: 0; -ENOLCK: not locked; errors of writing. */
int dfs_store_lock_note(struct dfs_store *store, const char *mountpoint);

/* Who writes to a store, as far as it can be told from here. */
struct dfs_holder {
	long pid;		/* 0: unknown */
	char command[64];	/* "" if the process is not visible (another host or namespace) */
	char mountpoint[4096];	/* "" for a command */
};

/**
 * dfs_store_holder() - who holds the writer lock
 * Return: 0; -ENOENT: nobody; other errors of open and flock.
 */
int dfs_store_holder(const struct dfs_store *store, struct dfs_holder *ret_holder);

/* dfs_store_tmp() - a new empty file in .deltafs/tmp, 0600, O_RDWR. @ret_name: relative to the store, free() it. */
int dfs_store_tmp(struct dfs_store *store, int *ret_fd, char **ret_name, struct dfs_err *err);

/**
 * dfs_store_openat() - open a file or directory of the store, never outside it
 * @rel: relative path, "" for the root
 * @flags: of open(2); O_CLOEXEC|O_NOFOLLOW|O_NOCTTY|O_NONBLOCK are added (NONBLOCK so that a FIFO cannot hang us)
 *
 * O_NOATIME is left out where it is not allowed.
 * openat2 with RESOLVE_BENEATH|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS; where the kernel lacks it, one component at a time.
 */
int dfs_store_openat(const struct dfs_store *store, const char *rel, int flags, int *ret_fd);

/**
 * dfs_store_subdirectory() - open a directory that lies in @dir, unless something is mounted there
 * Return: 0 with a descriptor for reading; -EXDEV: a mount, which was not asked for anything where the kernel
 * has openat2(2); -ENOTDIR, -ELOOP, -EACCES, ...
 */
int dfs_store_subdirectory(int dir, const char *name, int *ret_fd);

DFS_AUTO_KIND(store, struct dfs_store *, dfs_store_close(*p));

#endif
