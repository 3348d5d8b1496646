/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_search: which file of all places is the base; shared within this folder.
 */
#ifndef DFS_STORE_BASE_SEARCH_H
#define DFS_STORE_BASE_SEARCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "store/bases.h"
#include "store/hashes.h"
#include "store/places.h"

/* What is known of hashes in this process, also where nothing may be written. */
#define DFS_KNOWN 256

struct dfs_known {
	struct stat st;		/* st_ino 0: free */
	struct dfs_hash hash;
};

struct dfs_search {
	struct dfs_store *store;
	struct dfs_paths named;		/* fixed after the first search */
	pthread_mutex_t lock;
	struct dfs_known known[DFS_KNOWN];	/* under lock; a ring */
	unsigned next_known;			/* under lock */
	_Atomic dev_t own_dev;			/* see dfs_bases_shown_at(); 0: none */
};

/* Where a base was opened and how it looked then. */
struct dfs_found {
	struct dfs_place place;		/* path is owned */
	struct stat st;
	enum dfs_identity identity;	/* when it was opened */
};

void dfs_search_init(struct dfs_search *search, struct dfs_store *store);
void dfs_search_release(struct dfs_search *search);
int dfs_search_add(struct dfs_search *search, const char *path, struct dfs_err *err);

/* dfs_search_open() - as dfs_bases_get(), without sharing */
int dfs_search_open(struct dfs_search *search, const struct dfs_base_file *want,
		    struct dfs_found *ret_found, int *ret_fd, struct dfs_err *err);

/* dfs_search_still() - is the file at its place still that one, unchanged, and not known to be another? */
bool dfs_search_still(struct dfs_search *search, const struct dfs_found *found,
		      const struct dfs_base_file *want);

/* dfs_search_settle() - hash it, gently. Return: 0: right; -EUCLEAN: another file; -ECANCELED; errors of reading. */
int dfs_search_settle(struct dfs_search *search, const struct dfs_found *found, int fd,
		      const struct dfs_base_file *want, dfs_hash_progress_fn *progress, void *arg,
		      struct dfs_err *err);

void dfs_found_release(struct dfs_found *found);

#endif
