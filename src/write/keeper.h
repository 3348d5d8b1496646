/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper: who has the originals of files that gave up bits (store/kept.h).
 *
 * WRITE: beside the flow. ingest asks it to keep one before it publishes; who
 * shows the store tells it what becomes of the files; revert and accept end it.
 * In a daemon a thread lets go of what is due, of what somebody removed or
 * emptied, and looks for what was moved behind the mount.
 *
 * It knows what .deltafs/kept holds, which nobody else changes while the
 * store's lock is held.
 *
 * All calls from any thread, but new, start and free. No I/O under the lock.
 */
#ifndef DFS_WRITE_KEEPER_H
#define DFS_WRITE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/kept.h"
#include "store/store.h"
#include "util/err.h"
#include "util/log.h"

/*
 * What is due goes at most so late. And so often at most a store is walked for
 * what is not where it was, and for a twentieth of the time. Removed behind the
 * mount it is once two walks did not find it: more often, and a slow store does
 * nothing else. The first two come one after the other, since a daemon that is
 * killed takes along what it knew of files that were removed.
 */
#define DFS_KEEPER_LOOK_MS 30000
#define DFS_KEEPER_SEARCH_MS 60000

struct dfs_keeper;

/* Borrowed until dfs_keeper_free(). */
struct dfs_keeper_config {
	struct dfs_store *store;	/* its lock is held */
	struct dfs_log *log;		/* may be NULL */
	unsigned search_ms;
};

/* dfs_keeper_new() - Return: 0; -EIO, -EACCES, -ENOMEM. */
int dfs_keeper_new(const struct dfs_keeper_config *config, struct dfs_keeper **ret_keeper, struct dfs_err *err);
/* dfs_keeper_start() - have a thread do dfs_keeper_look() again and again. Return: 0; -EAGAIN. */
int dfs_keeper_start(struct dfs_keeper *keeper, struct dfs_err *err);
void dfs_keeper_free(struct dfs_keeper *keeper); /* NULL is fine */

/* An original that is to be kept. */
struct dfs_keep {
	const char *rel;		/* its path */
	int fd, new_fd;			/* it, and what is to take its name */
	int64_t until_s;
	struct dfs_hash hash;		/* of its content */
	const struct dfs_pin_watch *watch;	/* who shows it; may be NULL */
};

/**
 * dfs_keeper_keep() - before another file takes its name
 * @st: of keep->fd as it was read; as it is with another link afterwards
 * @ret_id: for dfs_keeper_kept(); "": it is itself what an original is kept for, and that one stays
 * Return: as dfs_kept_make(); -EEXIST: the one that is kept is of what it held before it was emptied.
 */
int dfs_keeper_keep(struct dfs_keeper *keeper, const struct dfs_keep *keep, struct stat *st,
		    char ret_id[DFS_KEPT_ID], struct dfs_err *err);

/* dfs_keeper_refused() - is that failure one of the file system, which another try does not mend? */
bool dfs_keeper_refused(int ret);

/*
 * dfs_keeper_placed() - it took its name; dfs_keeper_kept(), which is yet to come, changes nothing then
 * @id: "": nothing to do. Whoever tells the kernel of the new name calls it
 * before: who waits for the original may hold what the kernel waits for.
 */
void dfs_keeper_placed(struct dfs_keeper *keeper, const char *id);

/* dfs_keeper_kept() - it took its name; or, not @done, it did not, as far as is known, and then nothing is kept */
void dfs_keeper_kept(struct dfs_keeper *keeper, const struct dfs_keep *keep, const char *id, bool done);

/**
 * dfs_keeper_follow() - before another form of a file takes its place: plain or coded anew, with the same bytes
 * Durable when it returns. @keeper: NULL: nothing is kept. Return: 0; -errno with a sentence.
 */
int dfs_keeper_follow(struct dfs_keeper *keeper, int old_fd, int new_fd, struct dfs_err *err);
/*
 * dfs_keeper_follow_written() - the same, where somebody may have written, and
 * that is not to be lost: what cannot be written down is logged, known, and tried again.
 */
void dfs_keeper_follow_written(struct dfs_keeper *keeper, int old_fd, int new_fd);

/* --- what becomes of the files; each NULL is fine, and none blocks on a disk */

/* dfs_keeper_removed() - a name of the file of @st led to it, and does not any more */
void dfs_keeper_removed(struct dfs_keeper *keeper, const struct stat *st);
/* dfs_keeper_emptied() - what is open as @fd lost all its bytes: what comes is another file's content */
void dfs_keeper_emptied(struct dfs_keeper *keeper, int fd);
/* dfs_keeper_moved() - a file, or all below a directory */
void dfs_keeper_moved(struct dfs_keeper *keeper, const char *from, const char *to, bool exchanged);

/* --- asking */

/* dfs_keeper_links() - how many of the names of @st's file are ours: 0 or 1. Costs nothing where nothing is kept. */
unsigned dfs_keeper_links(struct dfs_keeper *keeper, const struct stat *st);

struct dfs_keeper_view {
	char id[DFS_KEPT_ID];
	int64_t at_s, until_s;
	uint64_t bytes;
	struct dfs_hash hash;	/* zero: not known */
	mode_t mode;
};

/* dfs_keeper_ask() - is an original of this file kept? */
bool dfs_keeper_ask(struct dfs_keeper *keeper, int fd, struct dfs_keeper_view *ret_view);

/*
 * dfs_keeper_open() - the original of what this file holds, to read
 * Return: a descriptor; -ENOENT: none is kept, or none of its size, or the file is not what was made of it; -errno.
 */
int dfs_keeper_open(struct dfs_keeper *keeper, int fd);

struct dfs_keeper_stats {
	uint64_t n, n_manual, bytes;
};

void dfs_keeper_stats(struct dfs_keeper *keeper, struct dfs_keeper_stats *ret_stats);

/* --- ending it */

/* dfs_keeper_accept() - let go of what is kept of a file. Return: 0; -ENOENT: nothing is; -errno; with a sentence. */
int dfs_keeper_accept(struct dfs_keeper *keeper, int fd, struct dfs_keeper_view *ret_view, struct dfs_err *err);

/* dfs_keeper_take() - have what is kept of a file for oneself; dfs_keeper_give() follows. Return: as above. */
int dfs_keeper_take(struct dfs_keeper *keeper, int fd, struct dfs_keeper_view *ret_view, struct dfs_err *err);
/* dfs_keeper_give() - @back: the original has a name of its own again, and none of ours */
void dfs_keeper_give(struct dfs_keeper *keeper, const char *id, bool back);

/* dfs_keeper_look() - let go of what is to go, and see to it that the rest is where it was. Blocks on disks. */
void dfs_keeper_look(struct dfs_keeper *keeper);

DFS_AUTO_KIND(keeper, struct dfs_keeper *, dfs_keeper_free(*p));

#endif
