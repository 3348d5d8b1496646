/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mountinfo: what proc(5) says is mounted where, as this process sees it. Asks no file system, so none can hang it. */
#ifndef DFS_UTIL_MOUNTINFO_H
#define DFS_UTIL_MOUNTINFO_H

#include <stdbool.h>

#define DFS_MOUNT_TYPE 64
#define DFS_MOUNT_SOURCE 4096

/* dfs_mountinfo_plain() - of a word of it: blanks, tabs, newlines and backslashes are written as \ooo. In place. */
void dfs_mountinfo_plain(char *word);

/**
 * dfs_mountinfo_find() - what is mounted at @path, the topmost
 * @path: absolute, without links
 * @type, @source: DFS_MOUNT_TYPE and DFS_MOUNT_SOURCE bytes
 * Return: false: nothing, or that cannot be told.
 */
bool dfs_mountinfo_find(const char *path, char *type, char *source);

#endif
