/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_internal: what the parts of check share; shared within this folder.
 */
#ifndef DFS_STORE_CHECK_INTERNAL_H
#define DFS_STORE_CHECK_INTERNAL_H

#include "store/check.h"
#include "store/places.h"

/* A base that a model or a container names. */
struct dfs_check_base {
	struct dfs_hash hash;
	uint64_t size;
	struct dfs_hash model;	/* zero: nobody says */
	char *name;		/* NULL: nobody says */
	bool looked;		/* for its pin */
	bool pinned;		/* it has a pin, which is right as far as was looked */
};

/* A model whose record makes no sense. */
struct dfs_check_lost {
	struct dfs_hash id;
	struct dfs_err why;
};

/* Who says that a base is needed. */
enum dfs_check_asker {
	DFS_ASKER_MODEL,	/* a registered model, that it is pinned */
	DFS_ASKER_REFERENCE,	/* a registered model, that it lies elsewhere */
	DFS_ASKER_CONTAINER,
	DFS_ASKER_STRANGER,	/* a container that may not be decoded against it: nothing is looked for */
};

/* dfs_check_seen() - what was found out about it; NULL: nothing yet. Valid until the next dfs_check_pin(). */
struct dfs_check_base *dfs_check_seen(struct dfs_check *check, struct dfs_hash hash);

/* dfs_check_pin() - somebody needs it: has it a pin, and is it right; told and remembered once. Return: 0; -ENOMEM, -ECANCELED. */
int dfs_check_pin(struct dfs_check *check, const struct dfs_base_file *want, enum dfs_check_asker asker,
		  struct dfs_err *err);

/* What the file at a place is. */
enum dfs_check_place { DFS_PLACE_GONE, DFS_PLACE_OTHER, DFS_PLACE_FITS };

/*
 * dfs_check_place() - does the file at @place have that content
 * Its size tells, and its hash if that is remembered; @certain: it is read.
 * @ret_fd: of what FITS; may be NULL
 * Return: enum dfs_check_place; -ENOMEM, -ECANCELED.
 */
int dfs_check_place(struct dfs_check *check, const struct dfs_place *place, const struct dfs_base_file *want,
		    bool certain, int *ret_fd);

/* dfs_check_names() - paths of what is in a directory of the store; none if it is none. Return: 0; -errno. */
int dfs_check_names(const struct dfs_store *store, const char *rel, struct dfs_paths *ret_names);

/* dfs_check_kept_left() - records of .deltafs/kept that a crash left. Return: 0; -errno. */
int dfs_check_kept_left(const struct dfs_store *store, struct dfs_paths *names);

/* dfs_check_remove() - a dfs_check_mend_fn for a file of .deltafs */
struct dfs_check_removing {
	struct dfs_store *store;
	const char *path;
};
int dfs_check_remove(void *removing, struct dfs_err *err);

#endif
