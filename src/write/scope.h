/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scope: why a tensor is one that bits are given up of, or is not.
 */
#ifndef DFS_WRITE_SCOPE_H
#define DFS_WRITE_SCOPE_H

enum dfs_scope {
	DFS_SCOPE_LOSSY,
	/* what it is */
	DFS_SCOPE_ONE_DIMENSION,
	DFS_SCOPE_DTYPE,		/* neither BF16 nor F16 nor F32 */
	DFS_SCOPE_SHAPE,		/* no matrix, or less than DFS_LINEAR_MIN rows or columns */
	DFS_SCOPE_EXCLUDED,		/* by a glob */
	DFS_SCOPE_EMBEDDING,		/* or output head, by its name, as the next two */
	DFS_SCOPE_NORM,
	DFS_SCOPE_NAME,			/* convolutions, routers, adapters */
	/* what it is beside the base */
	DFS_SCOPE_NO_BASE,
	DFS_SCOPE_SMALL,		/* shares a segment with others */
	DFS_SCOPE_UNEVEN,		/* the codec, with its options, takes no such shape */
	DFS_SCOPE_TIED,			/* is in the file twice, and exact there */
	/* what its values are */
	DFS_SCOPE_SAME,			/* as the base's */
	DFS_SCOPE_NOT_FINITE,		/* or so large that a codec cannot take them */
	DFS_SCOPE_DECLINED,		/* the codec makes nothing of it */
	DFS_SCOPE_SMALLER,		/* coded exactly, or as small */
	DFS_SCOPE_UNPLANNED,		/* it was not there when its model was planned */
	DFS_SCOPES
};

/* dfs_scope_text() - a word or two for people and scripts: "embedding or head"; "" for DFS_SCOPE_LOSSY */
const char *dfs_scope_text(enum dfs_scope scope);

#endif
