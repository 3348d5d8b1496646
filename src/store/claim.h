/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claim: is a file of the store plain, or does it claim to be a container.
 *
 * Told apart by content, never by name: the xattr that publish sets, or the
 * magic at offset 0. A claim with a valid superblock (head, else tail) is a
 * container; one without is broken: stat works, open is EIO, and it is never
 * shown as its raw bytes.
 */
#ifndef DFS_STORE_CLAIM_H
#define DFS_STORE_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "format/container.h"
#include "util/err.h"

enum dfs_claim_kind {
	DFS_PLAIN,
	DFS_CONTAINER,		/* sb is valid */
	DFS_CONTAINER_NEWER,	/* bytes 0-63 valid, another version or feature: size known, open is ENOTSUP */
	DFS_CONTAINER_BROKEN,	/* claims, but no superblock is valid: open is EIO */
};

struct dfs_claim {
	enum dfs_claim_kind kind;
	bool marked;			/* has the xattr: published by deltafs, trusted */
	uint64_t original_size;		/* what st_size shows */
	struct dfs_superblock sb;	/* DFS_CONTAINER only */
	struct dfs_err why;		/* BROKEN, NEWER: a sentence */
};

/* xattr name for this process: "trusted.deltafs.container" with CAP_SYS_ADMIN, else "user.deltafs.container". Both are honoured on reading if readable. */
const char *dfs_claim_xattr(void);

/**
 * dfs_claim_check() - look at an open regular file
 * @size: its st_size
 * Return: 0 with *ret_claim; -EIO and other errors of pread.
 */
int dfs_claim_check(int fd, uint64_t size, struct dfs_claim *ret_claim);

/* dfs_claim_mark() - set the xattr on a finished container. Return: 0; -ENOTSUP: the file system has none (harmless: the magic claims too). */
int dfs_claim_mark(int fd, const struct dfs_superblock *sb);

/* dfs_container_load() - read and unpack the metadata of a container. Two reads with dfs_claim_check()'s. Return: as dfs_container_unpack(), -EIO. */
int dfs_container_load(int fd, const struct dfs_superblock *sb, struct dfs_container **ret, struct dfs_err *err);

#endif
