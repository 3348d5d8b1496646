/* SPDX-License-Identifier: GPL-2.0-or-later */
/* work: from an open file and a base to segments that are ready to be measured. */
#include "write/work.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/dtype.h"
#include "write/give_up.h"
#include "write/layout.h"
#include "write/match.h"

/* What the fingerprints of match are read from. */
struct fingerprint_from {
	int in_fd;
	const struct dfs_model *base;
};

static int fingerprint(void *arg, uint32_t file, const struct dfs_tensor *tensor,
		       uint64_t *ret_fingerprint)
{
	const struct fingerprint_from *from = arg;
	int fd = file == DFS_MATCH_THE_FILE ? from->in_fd : from->base->files[file].fd;

	return dfs_match_fingerprint(fd, tensor, ret_fingerprint);
}

static int match_base(const struct dfs_work_input *input, struct dfs_match *matches,
		      struct dfs_err *err)
{
	struct fingerprint_from from = { input->fd, input->base };
	struct dfs_match_config config = { input->by_content ? fingerprint : NULL, &from };
	DFS_AUTO(mem) const struct dfs_header **headers = calloc(input->base->n_files, sizeof(*headers));

	if (!headers)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < input->base->n_files; i++)
		headers[i] = input->base->files[i].header;
	return dfs_match_model(input->header, headers, input->base->n_files, &config, matches, NULL, err);
}

static int make_layout(const struct dfs_work_input *input, struct dfs_layout *layout,
		       struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_match *matches = NULL;
	int ret;

	if (!input->header || !input->base)
		return dfs_layout_make(input->header, input->len, NULL, layout, err);
	matches = calloc(input->header->n_tensors + 1, sizeof(*matches));
	if (!matches)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = match_base(input, matches, err);
	return ret < 0 ? ret : dfs_layout_make(input->header, input->len, matches, layout, err);
}

static int list_bases(struct dfs_work *w, struct dfs_layout *layout, struct dfs_err *err)
{
	const struct dfs_model *base = w->base;

	if (!base)
		return 0;
	w->used = calloc(base->n_files, sizeof(*w->used));
	w->c.bases = calloc(base->n_files, sizeof(*w->c.bases));
	if (!w->used || !w->c.bases)
		return dfs_fail(err, ENOMEM, "out of memory");
	w->c.n_bases = dfs_layout_number_files(layout, base->n_files, w->used);
	for (uint32_t i = 0; i < w->c.n_bases; i++) {
		const struct dfs_model_file *file = &base->files[w->used[i]];

		w->c.bases[i] = (struct dfs_base_file){
			.hash = file->hash, .size = file->size, .model = base->id,
			.name = file->name, .origin = file->origin,
		};
	}
	return 0;
}

static int take_pieces(struct dfs_work *w, struct dfs_err *err)
{
	struct dfs_container *c = &w->c;

	w->pieces = calloc(c->n_pieces + 1, sizeof(*w->pieces));
	c->piece_starts = calloc(c->n_pieces + 1, sizeof(*c->piece_starts));
	if (!w->pieces || !c->piece_starts)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < c->n_pieces; i++)
		w->pieces[i] = (struct dfs_piece){
			.len = c->pieces[i].len, .base_off = c->pieces[i].base_off,
			.file = c->pieces[i].file, .dtype = c->pieces[i].dtype,
		};
	for (uint32_t s = 0; s < c->n_segments; s++) {
		const struct dfs_segment *seg = &c->segments[s];
		uint64_t start = 0;

		if (seg->n_pieces > w->max_needs)
			w->max_needs = seg->n_pieces;
		for (uint32_t i = 0; i < seg->n_pieces; i++) {
			c->piece_starts[seg->first_piece + i] = start;
			start += c->pieces[seg->first_piece + i].len;
		}
	}
	return 0;
}

static int make_segments(struct dfs_work *w, struct dfs_err *err)
{
	struct dfs_container *c = &w->c;

	w->segments = calloc(c->n_segments + 1, sizeof(*w->segments));
	if (!w->segments)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < c->n_segments; i++) {
		const struct dfs_segment *seg = &c->segments[i];
		uint64_t row = seg->cols * dfs_segment_unit(seg);

		w->segments[i] = (struct dfs_work_segment){
			.shape = { .dtype = seg->dtype, .cols = seg->cols, .rows = row ? seg->len / row : 0 },
			.measurable = seg->dtype != DFS_BYTES || seg->predictor != DFS_PREDICT_NONE,
		};
	}
	return 0;
}

int dfs_work_make_chunks(struct dfs_work *w, struct dfs_err *err)
{
	struct dfs_container *c = &w->c;
	uint64_t n_chunks = 0;

	if (dfs_layout_count(c->segments, c->n_segments) < 0)
		return dfs_fail(err, E2BIG, "more than %u chunks", UINT32_MAX);
	for (uint32_t i = 0; i < c->n_segments; i++) {
		w->segments[i].unmeasured = c->segments[i].n_chunks;
		n_chunks += c->segments[i].n_chunks;
	}
	free(c->chunks);
	c->n_chunks = (uint32_t)n_chunks;
	c->chunks = calloc(n_chunks + 1, sizeof(*c->chunks));
	return c->chunks ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

int dfs_work_init(struct dfs_work *w, const struct dfs_work_input *input, struct dfs_err *err)
{
	struct dfs_layout layout = { 0 };
	int ret;

	*w = (struct dfs_work){ .in_fd = input->fd, .base = input->base, .spec = input->spec };
	w->c.sb.original_size = input->len;
	ret = make_layout(input, &layout, err);
	if (ret < 0)
		return ret;
	ret = list_bases(w, &layout, err);
	w->c.segments = layout.segments;
	w->c.n_segments = layout.n_segments;
	w->c.pieces = layout.pieces;
	w->c.n_pieces = layout.n_pieces;
	if (ret == 0)
		ret = take_pieces(w, err);
	if (ret == 0)
		ret = make_segments(w, err);
	if (ret == 0)
		ret = dfs_give_up_mark(w, input->header, err);
	if (ret == 0)
		ret = dfs_work_make_chunks(w, err);
	if (ret < 0)
		dfs_work_release(w);
	return ret;
}

void dfs_work_release(struct dfs_work *w)
{
	for (uint32_t i = 0; w->segments && i < w->c.n_segments; i++) {
		for (unsigned k = 0; k < w->segments[i].n_partials; k++)
			dfs_exact_record_free(w->segments[i].partials[k]);
		free(w->segments[i].partials);
		dfs_exact_tables_free(w->segments[i].tables);
		dfs_give_up_free(w->segments[i].lossy);
	}
	free(w->segments);
	free(w->pieces);
	free(w->used);
	free(w->c.bases);
	free(w->c.segments);
	free(w->c.pieces);
	free(w->c.piece_starts);
	free(w->c.chunks);
	*w = (struct dfs_work){ 0 };
}

static uint32_t span_chunks(const struct dfs_segment *seg)
{
	uint64_t rows = (uint64_t)seg->chunk_rows * seg->cols * dfs_segment_unit(seg);

	if (!rows)
		return DFS_SPAN_CHUNKS;
	return rows < DFS_SPAN_BYTES ? (uint32_t)(DFS_SPAN_BYTES / rows) : 1;
}

struct dfs_span_place dfs_work_span(const struct dfs_work *w, uint32_t segment, uint32_t first)
{
	const struct dfs_segment *seg = &w->c.segments[segment];
	struct dfs_span_place place = { .segment = segment, .first = first };
	uint64_t off, len;

	place.n = seg->n_chunks - first;
	if (place.n > span_chunks(seg))
		place.n = span_chunks(seg);
	dfs_segment_chunk(seg, first, &place.off, &len);
	dfs_segment_chunk(seg, first + place.n - 1, &off, &len);
	place.len = off + len - place.off;
	return place;
}

uint32_t dfs_work_spans(const struct dfs_work *w, uint32_t segment)
{
	const struct dfs_segment *seg = &w->c.segments[segment];
	uint32_t n = span_chunks(seg);

	return seg->n_chunks / n + (seg->n_chunks % n != 0);
}

struct dfs_prediction dfs_work_prediction(const struct dfs_work *w, uint32_t segment)
{
	const struct dfs_segment *seg = &w->c.segments[segment];

	return (struct dfs_prediction){
		.predictor = seg->predictor,
		.dtype = seg->dtype,
		.drop = w->segments[segment].shape.drop,
		.pieces = w->pieces + seg->first_piece,
		.piece_starts = w->c.piece_starts + seg->first_piece,
		.n_pieces = seg->n_pieces,
	};
}
