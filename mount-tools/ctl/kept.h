/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept: what is kept of a store's files that gave up bits.
 */
#ifndef DELTAFSCTL_KEPT_H
#define DELTAFSCTL_KEPT_H

#include <jansson.h>
#include <stdbool.h>

#include "store/kept.h"

/**
 * ctl_kept_until() - is the original of a file kept?
 * @store: that it lies in; NULL: not known; @rel: its path there, or NULL
 * @path: as the user named it: a daemon knows of those that are not for this user to list
 * @ret_text: as dfs_kept_until_text(); "" if it is not
 * @ret_bytes: of the original; 0: not known
 */
bool ctl_kept_until(const struct dfs_store *store, const char *path, const char *rel, int fd,
		    char ret_text[DFS_KEPT_UNTIL_LEN], uint64_t *ret_bytes);

/* ctl_kept_of() - the same of a file that was not looked for yet: @fd: it, open for reading */
bool ctl_kept_of(const char *path, int fd, char ret_text[DFS_KEPT_UNTIL_LEN]);

/* ctl_kept_json() - files, bytes, manual, as the daemon tells it. Return: NULL: not for this user to know. */
json_t *ctl_kept_json(const char *store);

#endif
