/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shown: what stat shows of files whose backing file deltafs has replaced.
 *
 * Compressing a file puts another inode in its place, and nobody is to see
 * that: number and ctime stay those of the file that was there, for as long as
 * the store is mounted, whether the kernel remembers the file meanwhile or
 * not. A row a file that was replaced.
 *
 * The file that is gone gives its number back to the store's file system,
 * which may use it for a new file at once: that one is shown another number,
 * and keeps that too.
 */
#ifndef DFS_FUSE_SHOWN_H
#define DFS_FUSE_SHOWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct dfs_shown;

struct dfs_shown *dfs_shown_new(void); /* NULL: out of memory */
void dfs_shown_free(struct dfs_shown *shown); /* NULL is fine */

/**
 * dfs_shown_replaced() - @after takes the place of @before
 * @before, @after: of one inode: a directory in which that happened
 * @keep_ctime: nothing that a user could see has changed; else ctime shows as it is
 *
 * Return: 0 or -ENOMEM: then it shows as it is.
 */
int dfs_shown_replaced(struct dfs_shown *shown, const struct stat *before, const struct stat *after, bool keep_ctime);

/* dfs_shown_removed() - the file of @st has no name any more */
void dfs_shown_removed(struct dfs_shown *shown, const struct stat *st);

/* dfs_shown_apply() - st_ino and st_ctim of a backing file as they are shown */
void dfs_shown_apply(struct dfs_shown *shown, struct stat *st);

/* dfs_shown_number() - the same of a number alone */
uint64_t dfs_shown_number(struct dfs_shown *shown, dev_t dev, uint64_t number);

#endif
