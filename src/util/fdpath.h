/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fdpath: a path for an open file, whatever became of its name.
 *
 * For what calls with a descriptor do not do: link it, open it again, and
 * change or ask what is open with O_PATH. Needs /proc; in it a link to follow.
 */
#ifndef DFS_UTIL_FDPATH_H
#define DFS_UTIL_FDPATH_H

#include <stdio.h>

/* "/proc/self/fd/", any int, and the end. */
#define DFS_FD_PATH_SIZE 32

/* dfs_fd_path() - Return: @path, written */
static inline const char *dfs_fd_path(int fd, char path[DFS_FD_PATH_SIZE])
{
	snprintf(path, DFS_FD_PATH_SIZE, "/proc/self/fd/%d", fd);
	return path;
}

#endif
