/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coding: what a file of a store is to be coded with.
 *
 * WRITE: choose base -> this (permit, planned) -> ingest.
 */
#ifndef DFS_WRITE_CODING_H
#define DFS_WRITE_CODING_H

#include "store/store.h"
#include "write/keeper.h"
#include "write/permit.h"
#include "write/planned.h"

/* All borrowed. */
struct dfs_coding {
	const struct dfs_store *store;
	const struct dfs_policy *policy;	/* of the file's directories */
	struct dfs_permit_mount mount;
	const char *wanted;		/* SPEC that somebody asked for by name; NULL: nobody */
	struct dfs_planned *planned;
	struct dfs_keeper *keeper;	/* of the store's originals; may be NULL */
};

/**
 * dfs_coding_of() - settle codec and plan
 * @fd: of the file at @rel, plain
 * @encode: base, threads, progress are set; codec, norms and plan are filled in
 * @ret_why: why the codec is exact though somebody wants bits given up; DFS_REASON_NONE: it is as wanted
 * Return: 0; as dfs_planned_get().
 */
int dfs_coding_of(const struct dfs_coding *coding, const char *rel, int fd, struct dfs_encode_config *encode,
		  enum dfs_reason_id *ret_why, struct dfs_err *err);

/* dfs_coding_compare() - fill in the base's norms, if encode->codec compares a model with them */
void dfs_coding_compare(const struct dfs_store *store, struct dfs_encode_config *encode);

#endif
