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
	uint8_t *input;		/* DFS_SPAN_BYTES or what a longer span took, and room behind them */
	uint8_t *values;	/* likewise; of use only if predicted */
	size_t input_room, values_room;
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
	float *delta;			/* of a chunk whose codec gives up bits */
	size_t delta_room;
};

/* dfs_hand_delta() - room for @n differences. Return: NULL: out of memory. */
float *dfs_hand_delta(struct dfs_hand *hand, size_t n);

void *dfs_hand_new(void);	/* for a pool; NULL: out of memory */
void dfs_hand_free(void *hand);

/* dfs_span_room() - @len bytes at least and DFS_VALUES_PAD behind them, in a buffer that grows; its content is lost then. Return: 0; -ENOMEM. */
int dfs_span_room(uint8_t **buffer, size_t *room, size_t len);

/* dfs_expect_read() - [place.off, place.off + place.len) of the file. Return: 0; -EIO, -ENOMEM. */
int dfs_expect_read(const struct dfs_work *w, const struct dfs_span_place *place,
		    struct dfs_span_bytes *bytes, struct dfs_err *err);

/**
 * dfs_expect() - predict the same run, if something does
 * The segment's drop must be settled. Return: 0; -EIO naming the base file that cannot be read; -ENOMEM.
 */
int dfs_expect(const struct dfs_work *w, const struct dfs_span_place *place,
	       struct dfs_hand *hand, struct dfs_span_bytes *bytes, struct dfs_err *err);

/* dfs_expect_both() - read it, and predict it. Return: errors of both. */
int dfs_expect_both(const struct dfs_work *w, const struct dfs_span_place *place, struct dfs_hand *hand,
		    struct dfs_span_bytes *bytes, struct dfs_err *err);

/* dfs_expect_block() - chunk @i of a span, as codecs see it; @ret_at: where it lies in the span's bytes */
struct dfs_block dfs_expect_block(const struct dfs_work *w, const struct dfs_span_place *place, uint32_t i,
				  const struct dfs_span_bytes *bytes, uint64_t *ret_at);

#endif
