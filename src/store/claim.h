/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claim: is a file of the store plain, or does it claim to be a container.
 *
 * Told apart by content, never by name: the xattr that publish sets (the
 * mark), or the magic at offset 0 of a file that is not marked plain
 * (plain_mark.h). A claim with a valid superblock (head, else
 * tail) is a container; one without is broken: stat works, open is EIO, and it
 * is never shown as its raw bytes.
 *
 * The mark, "trusted.deltafs.container" or "user.deltafs.container":
 *
 *	0	16	XXH3-128 of the metadata, as in the superblock
 *	16	8	u64le original size
 *
 * Users cannot set a trusted.* attribute, so only that one is trusted, and
 * only for the metadata whose hash it holds.
 */
#ifndef DFS_STORE_CLAIM_H
#define DFS_STORE_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "format/container.h"
#include "util/err.h"

#define DFS_MARK_SIZE 24

enum dfs_claim_kind {
	DFS_PLAIN,
	DFS_CONTAINER, /* sb is valid */
	DFS_CONTAINER_NEWER, /* bytes 0-63 are valid, version or feature unknown: open is ENOTSUP */
	DFS_CONTAINER_BROKEN, /* claims, but no superblock is valid: open is EIO */
};

struct dfs_claim {
	enum dfs_claim_kind kind;
	bool marked;			/* has an xattr that fits sb.meta_hash */
	bool mismarked;			/* has one that does not: DFS_CONTAINER only */
	bool trusted;			/* has the trusted.* one: published by deltafs as root */
	uint64_t original_size;		/* what st_size shows */
	struct dfs_superblock sb;	/* DFS_CONTAINER only */
	struct dfs_err why;		/* BROKEN, NEWER: a sentence */
};

/* dfs_claim_lossy() - is it a container that has given up bits? */
static inline bool dfs_claim_lossy(const struct dfs_claim *claim)
{
	return claim->kind == DFS_CONTAINER && dfs_superblock_lossy(&claim->sb);
}

/* dfs_claim_trusted() - is a container that this process publishes trusted, whoever owns it? */
bool dfs_claim_trusted(void);

/* dfs_claim_xattr() - the mark's name for this process: trusted.* with CAP_SYS_ADMIN, else user.*. Both are honoured on reading if readable. */
const char *dfs_claim_xattr(void);

/* dfs_is_mark() - is @name one of the two, or another mark of ours on a file? */
bool dfs_is_mark(const char *name);

/**
 * dfs_claim_check() - look at an open regular file
 * @fd: open for reading
 * @size: its st_size
 *
 * One read for a plain file or a healthy container, two for a damaged head.
 * Return: 0 with *ret_claim; -EIO and other errors of pread.
 */
int dfs_claim_check(int fd, uint64_t size, struct dfs_claim *ret_claim);

/**
 * dfs_claim_mark() - set the xattr on a finished container
 *
 * Where the kernel refuses trusted.* (a user namespace), the user.* name.
 * Return: 0; -ENOTSUP: the file system has none (harmless: the magic claims too); -errno.
 */
int dfs_claim_mark(int fd, const struct dfs_superblock *sb);

/* dfs_claim_unmark() - remove both marks. Return: 0, also if there is none; -errno. */
int dfs_claim_unmark(int fd);

/**
 * dfs_container_load() - read and unpack the metadata of a container
 *
 * Two reads with dfs_claim_check()'s. Memory in proportion to what the file
 * really holds, whatever the superblock says.
 * Return: as dfs_container_unpack(); -EUCLEAN if the file ends before its metadata does; -EIO.
 */
int dfs_container_load(int fd, const struct dfs_superblock *sb, struct dfs_container **ret,
		       struct dfs_err *err);

#endif
