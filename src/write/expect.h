/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect: the values that the base predicts for a run of a segment.
 *
 * WRITE: layout -> this -> measure, encode. The READ flow's counterpart is
 * src/read's; both ask the same predictor for the same bytes, and verify
 * makes sure that they agree.
 */
#ifndef DFS_WRITE_EXPECT_H
#define DFS_WRITE_EXPECT_H

#include "write/work.h"

/* Buffers that one thread reuses from span to span. */
struct dfs_hand {
	struct dfs_scratch *scratch;
	struct dfs_need *needs;
	uint32_t max_needs;
	struct dfs_buf input;		/* of the file, while measuring */
	struct dfs_buf bytes;		/* of the base */
	struct dfs_buf values;		/* predicted */
};

void *dfs_hand_new(void);	/* for a pool; NULL: out of memory */
void dfs_hand_free(void *hand);

/**
 * dfs_expect() - predict [place.off, place.off + place.len) of the file
 * @ret_values: in @hand, valid until its next use; NULL if nothing predicts
 *
 * Return: 0; -EIO naming the base file that cannot be read; -ENOMEM.
 */
int dfs_expect(const struct dfs_work *w, const struct dfs_span_place *place,
	       struct dfs_hand *hand, const void **ret_values, struct dfs_err *err);

#endif
