/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps: what root's rights a process keeps, and which of them it uses when.
 *
 * A right that is only *permitted* does nothing until a thread raises it, for
 * as long as it needs it:
 *
 *	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);
 *
 *	ret = umount2(...);
 *
 * Sets are masks of 1 << CAP_X. All of this concerns the calling thread, and
 * the threads that it starts later.
 */
#ifndef DFS_UTIL_CAPS_H
#define DFS_UTIL_CAPS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/auto.h"

#define DFS_CAP(cap) (1ull << (cap))

/**
 * dfs_caps_limit() - give all other rights up, for good
 * @effective: keep those of them that there are, at work
 * @permitted: the same, to be raised
 *
 * Nor does a program that is started get them back: they go from the bounding
 * set as well, where that is allowed. Return: 0; -errno of capset(2).
 */
int dfs_caps_limit(uint64_t effective, uint64_t permitted);

/* dfs_caps_raise() - Return: @cap, for dfs_caps_lower(); -1 if there was nothing to raise: at work already, or not permitted. */
int dfs_caps_raise(int cap);
void dfs_caps_lower(int cap); /* -1: nothing */

struct dfs_caps {
	uint64_t effective, permitted;
};

/* dfs_caps_save() - what this thread has now. Return: 0; -errno. */
int dfs_caps_save(struct dfs_caps *ret_caps);
/* dfs_caps_restore() - have that again; no more than is permitted. Return: 0; -errno. */
int dfs_caps_restore(const struct dfs_caps *caps);

/* dfs_caps_permitted() - Return: whether this thread has @cap or may raise it */
bool dfs_caps_permitted(int cap);

DFS_AUTO_KIND(raised, int, dfs_caps_lower(*p));

#endif
