/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept: what is kept of a store's files that gave up bits.
 */
#ifndef DELTAFSCTL_KEPT_H
#define DELTAFSCTL_KEPT_H

#include <jansson.h>
#include <stdbool.h>

#include "store/kept.h"

/* What is kept of a file. */
struct ctl_kept {
	char until[DFS_KEPT_UNTIL_LEN];	/* as dfs_kept_until_text(); "" if it is not */
	uint64_t bytes;			/* 0: not for this user to know; the same of: */
	bool changed;			/* the file is not any more what was made of it */
};

/**
 * ctl_kept_find() - is the original of a file kept?
 * @store: that it lies in; NULL: not known; @rel: its path there, or NULL
 * @path: as the user named it: a daemon knows of those that are not for this user to list
 */
bool ctl_kept_find(const struct dfs_store *store, const char *path, const char *rel, int fd, struct ctl_kept *ret_kept);

/* ctl_kept_of() - the same of a file that was not looked for yet, in a mount or in a store */
bool ctl_kept_of(const char *path, struct ctl_kept *ret_kept);

/* ctl_kept_json() - files, bytes, manual, as the daemon tells it. Return: NULL: not for this user to know. */
json_t *ctl_kept_json(const char *store);

#endif
