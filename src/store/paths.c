/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paths: users' paths, made independent of where this process stands.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

char *dfs_absolute(const char *path)
{
	DFS_AUTO(mem) char *here = NULL;
	char *whole;

	if (path[0] == '/')
		return strdup(path);
	here = getcwd(NULL, 0);
	return here && asprintf(&whole, "%s/%s", here, path) >= 0 ? whole : NULL;
}

char *dfs_resolve_parent(const char *path)
{
	DFS_AUTO(mem) char *copy = strdup(path);
	DFS_AUTO(mem) char *parent = NULL;
	const char *name;
	char *slash, *whole;

	if (!copy)
		return NULL;
	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return realpath(path, NULL);
	if (slash)
		*slash = '\0';
	parent = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (!parent || asprintf(&whole, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name) < 0)
		return NULL;
	return whole;
}
