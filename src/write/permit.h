/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * permit: may a policy have the bits of this file given up?
 *
 * Only of what came after the policy; who wants it of older files says so by
 * name (deltafsctl encode --codec).
 */
#ifndef DFS_WRITE_PERMIT_H
#define DFS_WRITE_PERMIT_H

#include <stdint.h>

#include "store/policy.h"
#include "write/reason.h"

/* What a mount was told, and when. */
struct dfs_permit_mount {
	const char *codec;	/* SPEC; NULL: exact */
	int64_t since;		/* nanoseconds since 1970 */
};

/**
 * dfs_permit_codec() - what a file is to be coded with that nobody asked for by name
 * @policy: of its directories
 * @ret_why: why that is exact, though the policy or the mount has it otherwise; DFS_REASON_NONE: it is as they have it
 *
 * Return: a SPEC; NULL: exact.
 */
const char *dfs_permit_codec(const struct dfs_policy *policy, const struct dfs_permit_mount *mount, const char *rel,
			     int fd, enum dfs_reason_id *ret_why);

/**
 * dfs_permit_why_exact() - of a container that is exact, nobody having noted why
 * @fd: of the container
 * Return: DFS_REASON_NONE: neither policy nor mount have it otherwise.
 */
enum dfs_reason_id dfs_permit_why_exact(const struct dfs_policy *policy, const struct dfs_permit_mount *mount,
					const char *rel, int fd);

/* dfs_permit_gives_up() - has policy or mount a codec that gives up bits, whatever becomes of this file or that */
bool dfs_permit_gives_up(const struct dfs_policy *policy, const struct dfs_permit_mount *mount);

/* dfs_permit_wanted() - the same of what somebody asked for by name: never of a file whose name is the hash of its content. @spec: NULL: exact. */
const char *dfs_permit_wanted(const char *rel, const char *spec, enum dfs_reason_id *ret_why);

#endif
