/* SPDX-License-Identifier: GPL-2.0-or-later */
/* give_up_mark: which segments a codec that gives up bits gets. */
#include <stdio.h>
#include <stdlib.h>

#include "write/give_up.h"
#include "write/layout.h"

/* The tensor that a segment holds, wholly or but for rows that have another; NULL: it is of another kind. */
static const struct dfs_tensor *tensor_of(const struct dfs_segment *seg, const struct dfs_header *header)
{
	const struct dfs_tensor *tensor;

	if (!header || seg->kind != DFS_SEGMENT_TENSOR || seg->len < DFS_BUNDLE_SMALL)
		return NULL;
	tensor = dfs_header_at(header, seg->off);
	return tensor && tensor->off == seg->off ? tensor : NULL;
}

/*
 * Is a tensor of the base in the file once more, and as something that keeps its bits? A head that is tied to the
 * embeddings may be called by any name, and stays equal to them.
 */
static bool is_tied(const struct dfs_work *w, const struct dfs_segment *seg, const struct dfs_header *header)
{
	const struct dfs_piece_record *mine = &w->c.pieces[seg->first_piece];

	for (uint32_t i = 0; i < w->c.n_segments; i++) {
		const struct dfs_segment *other = &w->c.segments[i];
		const struct dfs_piece_record *piece = &w->c.pieces[other->first_piece];
		const struct dfs_tensor *tensor;

		if (other == seg || !other->n_pieces || piece->file != mine->file || piece->base_off != mine->base_off)
			continue;
		tensor = other->predictor == DFS_PREDICT_BASE ? tensor_of(other, header) : NULL;
		if (tensor && !dfs_spec_takes(w->spec, tensor))
			return true;
	}
	return false;
}

enum dfs_scope dfs_give_up_scope(const struct dfs_work *w, const struct dfs_header *header, const struct dfs_tensor *tensor)
{
	const struct dfs_lossy *lossy = w->spec->lossy;
	enum dfs_scope scope = dfs_spec_scope(w->spec, tensor);
	const struct dfs_segment *seg;
	uint32_t i;

	if (scope != DFS_SCOPE_LOSSY)
		return scope;
	if (!w->base)
		return DFS_SCOPE_NO_BASE;
	if (tensor->len < DFS_BUNDLE_SMALL)
		return DFS_SCOPE_SMALL;
	i = dfs_container_find(&w->c, tensor->off);
	seg = &w->c.segments[i];
	if (seg->predictor != DFS_PREDICT_BASE)
		return DFS_SCOPE_NO_BASE;
	if (tensor_of(seg, header) != tensor)
		return DFS_SCOPE_SMALL;
	if (!lossy->codec->accepts(w->segments[i].shape) ||
	    (lossy->takes && !lossy->takes(w->spec->options, w->segments[i].shape)))
		return DFS_SCOPE_UNEVEN;
	return is_tied(w, seg, header) ? DFS_SCOPE_TIED : DFS_SCOPE_LOSSY;
}

/* The tensor of a segment, if the codec takes it. What it would take by its name, and may not by its base or shape, is noted. */
static const struct dfs_tensor *taken(struct dfs_work *w, const struct dfs_segment *seg, const struct dfs_header *header)
{
	const struct dfs_tensor *tensor = tensor_of(seg, header);
	enum dfs_scope scope = tensor ? dfs_give_up_scope(w, header, tensor) : DFS_SCOPE_SMALL;

	if (tensor)
		dfs_spared_add(&w->spared, scope, tensor->name);
	return scope == DFS_SCOPE_LOSSY ? tensor : NULL;
}

/* Patterns are for the names of tensors, as they stand in the file. */
static void note_unmatched(struct dfs_work *w, const struct dfs_header *header)
{
	const char *option;
	const char *pattern = dfs_spec_unmatched(w->spec, header, &option);

	if (pattern)
		snprintf(w->spared.unmatched, sizeof(w->spared.unmatched), "%s=%s", option, pattern);
}

int dfs_give_up_mark(struct dfs_work *w, const struct dfs_header *header, struct dfs_err *err)
{
	const struct dfs_lossy *lossy = w->spec ? w->spec->lossy : NULL;

	if (lossy && header)
		note_unmatched(w, header);
	for (uint32_t i = 0; lossy && i < w->c.n_segments; i++) {
		const struct dfs_tensor *tensor = taken(w, &w->c.segments[i], header);
		struct dfs_work_segment *ws = &w->segments[i];

		if (!tensor)
			continue;
		ws->lossy = calloc(1, sizeof(*ws->lossy));
		if (!ws->lossy)
			return dfs_fail(err, ENOMEM, "out of memory");
		if (lossy->chunk_rows)
			w->c.segments[i].chunk_rows = lossy->chunk_rows(w->spec->options, ws->shape);
		ws->measurable = false;
		ws->lossy->name = tensor->name;
		ws->lossy->tensor = (struct dfs_lossy_tensor){
			.shape = ws->shape, .chunk_rows = w->c.segments[i].chunk_rows, .number = w->n_lossy++,
			.values = ws->shape.rows * ws->shape.cols,
		};
	}
	return 0;
}

int dfs_give_up_open(const struct dfs_work *w, uint32_t segment, struct dfs_err *err)
{
	struct dfs_work_lossy *l = w->segments[segment].lossy;
	struct dfs_span bytes;

	if (!l || l->table)
		return 0;
	bytes = (struct dfs_span){ l->table_bytes.data, l->table_bytes.len };
	return w->spec->lossy->codec->table_open(l->tensor.shape, bytes, true, &l->table, err);
}

void dfs_give_up_close(struct dfs_work_lossy *lossy)
{
	dfs_table_close(lossy->table);
	lossy->table = NULL;
}

void dfs_give_up_done(struct dfs_work_lossy *lossy)
{
	if (!lossy)
		return;
	dfs_give_up_close(lossy);
	dfs_buf_release(&lossy->table_bytes);
	dfs_buf_release(&lossy->notes);
}

void dfs_give_up_free(struct dfs_work_lossy *lossy)
{
	if (!lossy)
		return;
	free(lossy->tensor.record);
	dfs_give_up_done(lossy);
	free(lossy);
}
