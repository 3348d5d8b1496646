/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * duplicate: another container of the same bytes; nothing is decoded.
 *
 * WRITE, beside the flow: container -> this -> publish.
 */
#ifndef DFS_WRITE_DUPLICATE_H
#define DFS_WRITE_DUPLICATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "read/view.h"
#include "store/store.h"
#include "util/err.h"

/**
 * dfs_duplicate_allowed() - may a file of @owner be a container of these bytes?
 *
 * The copy gets a mark if this process may give one, and with that may read
 * any base (store/access.h). So it must show nothing that its owner could not
 * have read: what deltafs published is read by whoever may read the file. Of
 * anything else this process's own files alone are allowed, for itself.
 */
bool dfs_duplicate_allowed(const struct dfs_view *view, uid_t owner);

/**
 * dfs_duplicate() - the stored bytes of a container in a new temporary file
 * @store: prepared, its writer lock is held
 * @view: of a container
 * @ret_fd: O_RDWR, marked, not synced; close() it
 * @ret_tmp_name: relative to the store; free() it. The file is the caller's to publish or remove.
 *
 * Takes the time of copying what is stored, and none where the file system
 * shares it. Superblocks, metadata and the hash of every payload are checked
 * in the copy.
 *
 * Return: 0; -EXDEV: it lies on another file system; -EUCLEAN: it is damaged;
 * -ENOSPC, -EDQUOT, -EIO, -ENOMEM, ...
 */
int dfs_duplicate(struct dfs_store *store, const struct dfs_view *view, int *ret_fd, char **ret_tmp_name,
		  struct dfs_err *err);

#endif
