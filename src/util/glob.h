/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * glob: patterns of names, as a shell has them, in time that a hostile one
 * cannot make long: at most the product of both lengths. fnmatch(3) takes time
 * that grows with a power of the length for each star.
 *
 *	*	any characters, or none		[a-z]	one of these
 *	?	one character			[!a-z]	one that is none of these
 *	\x	x itself
 *
 * None of them stands for a slash. A dot at the beginning is a character like others.
 */
#ifndef DFS_UTIL_GLOB_H
#define DFS_UTIL_GLOB_H

#include <stdbool.h>

/**
 * dfs_glob_covers() - does @pattern match @path, or a directory that @path lies in
 * @path: relative, without empty components
 *
 * Without a slash, it may match any component of the path; with one, the path
 * from its beginning, component by component. "/x" is x at the beginning; one at
 * the end means nothing.
 */
bool dfs_glob_covers(const char *pattern, const char *path);

#endif
