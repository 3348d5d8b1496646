/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segment: from an offset in the file to the chunk that holds it, and what
 * predicts its values.
 *
 * READ: request.c -> this -> chunk.c
 */
#include <errno.h>

#include "read/internal.h"

static struct dfs_extent extent_in(const struct dfs_container *c, uint32_t segment, uint32_t index)
{
	const struct dfs_segment *s = &c->segments[segment];
	struct dfs_extent extent = {
		.segment = segment,
		.index = index,
		.chunk = s->first_chunk + index,
	};

	dfs_segment_chunk(s, index, &extent.off, &extent.len);
	return extent;
}

struct dfs_extent dfs_extent_at(const struct dfs_view *view, uint64_t off)
{
	const struct dfs_container *c = view->container;
	uint32_t segment = dfs_container_find(c, off);

	return extent_in(c, segment, dfs_segment_chunk_at(&c->segments[segment], off));
}

bool dfs_extent_next(const struct dfs_view *view, struct dfs_extent *extent)
{
	const struct dfs_container *c = view->container;
	uint32_t segment = extent->segment;
	uint32_t index = extent->index + 1;

	while (segment < c->n_segments && index >= c->segments[segment].n_chunks) {
		segment++;
		index = 0;
	}
	if (segment == c->n_segments)
		return false;
	*extent = extent_in(c, segment, index);
	return true;
}

enum { UNCHECKED, SANE };

int dfs_segment_prediction(struct dfs_view *view, uint32_t segment,
			   struct dfs_prediction *ret_prediction, struct dfs_err *err)
{
	const struct dfs_container *c = view->container;
	const struct dfs_segment *s = &c->segments[segment];
	struct dfs_prediction prediction = {
		.predictor = s->predictor,
		.dtype = s->dtype,
		.drop = s->drop,
		.pieces = view->pieces + s->first_piece,
		.piece_starts = c->piece_starts + s->first_piece,
		.n_pieces = s->n_pieces,
		.params = { c->blob + s->params_off, s->params_len },
	};

	/* Once a segment: a bundle may have thousands of pieces. */
	if (atomic_load_explicit(&view->checked[segment], memory_order_relaxed) == UNCHECKED) {
		int ret = dfs_prediction_check(&prediction, s->len, c->n_bases, err);

		if (ret < 0)
			return ret;
		atomic_store_explicit(&view->checked[segment], SANE, memory_order_relaxed);
	}
	*ret_prediction = prediction;
	return 0;
}
