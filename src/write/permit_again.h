/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * permit_again: is a policy of the same mind still when bits are about to be given up?
 *
 * Coding takes minutes. Who has taken a policy back meanwhile, and was told
 * that it is done, finds the file exact.
 * WRITE: ingest -> this -> publish.
 */
#ifndef DFS_WRITE_PERMIT_AGAIN_H
#define DFS_WRITE_PERMIT_AGAIN_H

#include "store/store.h"
#include "write/ingest.h"
#include "write/permit.h"

/* All borrowed. */
struct dfs_permit_again {
	const struct dfs_store *store;
	struct dfs_permit_mount mount;
	const char *rel;
	int fd;				/* of the file at rel, plain */
	const char *codec;		/* what dfs_permit_codec() said */
	const struct dfs_ingest_watch *next;	/* may be NULL */
	struct dfs_ingest_watch watch;	/* filled in: it asks, then lets next enter */
};

/* dfs_permit_again() - Return: a watch for dfs_ingest(), which then fails with -ESTALE if the policy says something else. */
const struct dfs_ingest_watch *dfs_permit_again(struct dfs_permit_again *again);

#endif
