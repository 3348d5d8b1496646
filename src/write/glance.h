/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * glance: about what a tensor takes coded exactly, from a few places of it.
 *
 * Changes that are all in some rows are told the better, the more places there
 * are; a tensor of a megabyte takes a fraction of a millisecond.
 */
#ifndef DFS_WRITE_GLANCE_H
#define DFS_WRITE_GLANCE_H

#include "write/expect.h"

struct dfs_glance {
	uint64_t bytes;		/* that were looked at */
	uint64_t bits;		/* that these take */
	bool differs;		/* from what is predicted */
	bool finite;		/* all that was looked at (dfs_delta()) */
};

/**
 * dfs_glance() - look at a segment that holds floats, and has a prediction
 * Its drop is changed meanwhile, and 0 then. Return: 0; -EIO, -ENOMEM.
 */
int dfs_glance(struct dfs_work *w, uint32_t segment, struct dfs_hand *hand, struct dfs_glance *ret_glance, struct dfs_err *err);

#endif
