/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper_internal: what keeper.c and its sisters share; nobody else includes it.
 */
#ifndef DFS_WRITE_KEEPER_INTERNAL_H
#define DFS_WRITE_KEEPER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "write/keeper.h"

struct dfs_keeper_entry {
	struct dfs_kept kept;
	bool busy;		/* somebody reads or writes the disk for it, and has it for himself */
	bool making;		/* nothing took its name yet */
	bool leaving;		/* it is about to get its name back */
	unsigned removed;	/* so often somebody took away what it is kept for, unless that was another with its number */
	bool emptied;		/* that has another content now */
	bool moved;		/* the record on disk has another path, or other files */
	bool told;		/* that it cannot be told what it is kept for */
	unsigned missed;	/* walks that did not find what it is kept for */
	int64_t followed_ms;	/* when something set out to take its file's place; 0: before this keeper began */
};

struct dfs_keeper {
	struct dfs_keeper_config config;
	dev_t dev;			/* of .deltafs/kept */
	atomic_size_t n_now;		/* n, for who need not wait for the lock */
	pthread_t thread;
	bool started;
	int64_t search_ms;		/* when the store may be walked; who looks has it for himself */
	unsigned searched;		/* walks that saw all; the same */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under lock */
	struct dfs_keeper_entry **entries;
	size_t n;
	uint64_t moves;			/* of files, through the mount */
	bool ended;
	bool hurry;			/* there is something to let go of, or to write down */
};

/* One whose file is not where it was. */
struct dfs_keeper_astray {
	char id[DFS_KEPT_ID];
	struct dfs_kept kept;
	bool found;
};

/* dfs_keeper_search() - walk the store for the files of @n of them; what is nowhere for the second time counts as removed */
void dfs_keeper_search(struct dfs_keeper *k, struct dfs_keeper_astray *astray, size_t n);

/* dfs_keeper_ended() - is everybody to come to an end? */
bool dfs_keeper_ended(struct dfs_keeper *k);

/* dfs_keeper_add() - @kept: its path is taken; @making: it is held. Under the lock. Return: 0; -ENOMEM. */
int dfs_keeper_add(struct dfs_keeper *k, const struct dfs_kept *kept, bool making);

/* dfs_keeper_entry_of() - held or not. Under the lock. Return: NULL: it is not there. */
struct dfs_keeper_entry *dfs_keeper_entry_of(const struct dfs_keeper *k, const char *id);

/* dfs_keeper_hold() - have one for oneself. Under the lock, which it lets go of while it waits. Return: NULL: it is not there. */
struct dfs_keeper_entry *dfs_keeper_hold(struct dfs_keeper *k, const char *id);
/* dfs_keeper_hold_for() - the one whose file that is. As above; NULL: nothing is kept of it. */
struct dfs_keeper_entry *dfs_keeper_hold_for(struct dfs_keeper *k, const struct dfs_file_id *file);
/* dfs_keeper_unhold() - Under the lock. */
void dfs_keeper_unhold(struct dfs_keeper *k, struct dfs_keeper_entry *e);
/* dfs_keeper_adopt() - in a store that was copied here, know anew what each is kept for */
void dfs_keeper_adopt(struct dfs_keeper *k);
/* dfs_keeper_look_last() - at those of which something was told that no look has seen: nobody will know it afterwards */
void dfs_keeper_look_last(struct dfs_keeper *k);
/* dfs_keeper_drop() - forget one that is held. Under the lock. */
void dfs_keeper_drop(struct dfs_keeper *k, struct dfs_keeper_entry *e);

#endif
