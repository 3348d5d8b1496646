/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * provenance: what a path tells about where a model came from. For people
 * who have lost a base, never for finding one.
 */
#ifndef DFS_WRITE_PROVENANCE_H
#define DFS_WRITE_PROVENANCE_H

/* dfs_provenance_name() - "directory/file" of @path, or "org/name/file" in a hub cache. Return: free() it; NULL: out of memory. */
char *dfs_provenance_name(const char *path);

/* dfs_provenance_origin() - "org/name@commit" of a file in a hub cache's snapshot, else "". Return: as above. */
char *dfs_provenance_origin(const char *path);

#endif
