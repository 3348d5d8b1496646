/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect: a run of the file, and the values that the base predicts for it.
 *
 * WRITE: layout -> this -> measure, encode. The READ flow's counterpart is
 * src/read's; both ask the same predictor for the same bytes, and verify
 * makes sure that they agree.
 */
#ifndef DFS_WRITE_EXPECT_H
#define DFS_WRITE_EXPECT_H

#include "write/work.h"

/* A run of the file, and what the base predicts for it. All zero is empty; buffers come with the first use and stay. */
struct dfs_span_bytes {
	uint8_t *input;		/* DFS_SPAN_BYTES, and room behind them */
	uint8_t *values;	/* likewise; of use only if predicted */
	bool predicted;
};

void dfs_span_bytes_release(struct dfs_span_bytes *bytes);

/* Buffers that one thread reuses from span to span. */
struct dfs_hand {
	struct dfs_scratch *scratch;
	struct dfs_need *needs;
	uint32_t max_needs;
	struct dfs_buf base;		/* bytes of the base */
	struct dfs_span_bytes span;	/* for whoever keeps them no longer than one span */
};

void *dfs_hand_new(void);	/* for a pool; NULL: out of memory */
void dfs_hand_free(void *hand);

/* dfs_expect_read() - [place.off, place.off + place.len) of the file, DFS_SPAN_BYTES at most. Return: 0; -EIO, -ENOMEM. */
int dfs_expect_read(const struct dfs_work *w, const struct dfs_span_place *place,
		    struct dfs_span_bytes *bytes, struct dfs_err *err);

/**
 * dfs_expect() - predict the same run, if something does
 * The segment's drop must be settled. Return: 0; -EIO naming the base file that cannot be read; -ENOMEM.
 */
int dfs_expect(const struct dfs_work *w, const struct dfs_span_place *place,
	       struct dfs_hand *hand, struct dfs_span_bytes *bytes, struct dfs_err *err);

#endif
