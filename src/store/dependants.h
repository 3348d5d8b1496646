/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dependants: which containers of a store need which base files.
 */
#ifndef DFS_STORE_DEPENDANTS_H
#define DFS_STORE_DEPENDANTS_H

#include <stdint.h>

#include "store/store.h"
#include "util/auto.h"
#include "util/hash.h"

struct dfs_dependants;

struct dfs_dependants_sum {
	uint64_t n;			/* containers */
	uint64_t original_bytes;	/* as shown */
	uint64_t stored_bytes;
};

/**
 * dfs_dependants_count() - look into every container of the store
 * @ret_dependants: dfs_dependants_free() it
 * Return: 0; errors of opening the store's root; -ENOMEM.
 */
int dfs_dependants_count(const struct dfs_store *store, struct dfs_dependants **ret_dependants,
			 struct dfs_err *err);
void dfs_dependants_free(struct dfs_dependants *dependants); /* NULL is fine */

/* dfs_dependants_of() - those that need at least one of the @n files @hashes; each counts once */
struct dfs_dependants_sum dfs_dependants_of(const struct dfs_dependants *dependants,
					    const struct dfs_hash *hashes, size_t n);

/* dfs_dependants_unreadable() - containers and directories whose needs could not be told */
uint64_t dfs_dependants_unreadable(const struct dfs_dependants *dependants);

DFS_AUTO_KIND(dependants, struct dfs_dependants *, dfs_dependants_free(*p));

#endif
