/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * span: measure, or encode, a run of neighbouring chunks. Pure but for the
 * reads of file and base; any thread.
 */
#ifndef DFS_WRITE_SPAN_H
#define DFS_WRITE_SPAN_H

#include "write/expect.h"
#include "write/ticker.h"
#include "write/work.h"

/**
 * dfs_span_drop() - settle how many low bits are zero in all values of a segment
 * @ticker: is told @done all the while, since a segment of zeros is read whole; may be NULL
 * Return: 0; -EIO, -ENOMEM; -ECANCELED.
 */
int dfs_span_drop(struct dfs_work *w, uint32_t segment, struct dfs_ticker *ticker, uint64_t done,
		  struct dfs_err *err);

/**
 * dfs_span_measure() - read a span, and add to a record what its values look like
 * @bytes: where to read them to; dfs_span_encode() can go on with them
 * Return: 0; -EIO, -ENOMEM.
 */
int dfs_span_measure(const struct dfs_work *w, const struct dfs_span_place *place,
		     struct dfs_hand *hand, struct dfs_span_bytes *bytes,
		     struct dfs_exact_record *record, struct dfs_err *err);

/* An encoded span. */
struct dfs_coded {
	struct dfs_span_place place;
	struct dfs_span_bytes *bytes;	/* borrowed */
	bool read;			/* bytes holds them already */
	uint8_t *payload;		/* of all chunks, back to back */
	size_t payload_room;
	uint64_t payload_len;
	const uint8_t *shown;		/* what decoding gives: the span's bytes, or own */
	uint8_t *own;			/* with a codec that gives up bits */
	size_t own_room;
};

void dfs_coded_release(struct dfs_coded *coded);

/**
 * dfs_span_encode() - write the payloads of coded->place
 * The chunks' rows get codec, len and decoded_hash; off and payload_hash are for whoever places them.
 * Return: 0; -EIO, -ENOMEM.
 */
int dfs_span_encode(struct dfs_work *w, struct dfs_coded *coded, struct dfs_hand *hand,
		    struct dfs_err *err);

#endif
