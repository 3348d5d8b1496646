/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout: how a file is cut into segments, and which base bytes predict each.
 *
 * WRITE: match -> this -> encode.
 *
 * First each tensor becomes one run, or two where only its first rows have a
 * base. Then the runs are taken in order: a large one is a segment, small ones
 * that agree gather in the segment that is open. Whatever no tensor covers is
 * filled with opaque bytes, so that segments tile the file in any case.
 */
#include "write/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "predict/predict.h"
#include "tensor/dtype.h"

/* Part of a tensor that is predicted throughout, or not at all. */
struct run {
	uint64_t len;
	uint64_t cols;			/* values in a row; 0: none */
	const struct dfs_tensor *base;	/* NULL: not predicted */
	uint32_t file;
	uint8_t dtype;
};

struct maker {
	struct dfs_layout layout;
	uint32_t room_segments, room_pieces;
	uint64_t pos;			/* end of what is laid out */
	bool bundle_open;		/* the last segment may take more small runs */
	uint64_t strays;		/* bytes in it that are of another dtype */
};

static int grow(void **array, uint32_t n, uint32_t *room, size_t size)
{
	uint32_t more = *room ? 2 * *room : 64;
	void *bigger;

	if (n < *room)
		return 0;
	if (*room > INT32_MAX)
		return -E2BIG;
	bigger = reallocarray(*array, more, size);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*room = more;
	return 0;
}

static struct dfs_segment *last_segment(struct maker *m)
{
	return &m->layout.segments[m->layout.n_segments - 1];
}

/* Opens a segment at m->pos; its length comes with what is put into it. */
static int open_segment(struct maker *m, enum dfs_segment_kind kind, uint8_t dtype,
			enum dfs_predictor_id predictor)
{
	int ret = grow((void **)&m->layout.segments, m->layout.n_segments, &m->room_segments,
		       sizeof(*m->layout.segments));

	if (ret < 0)
		return ret;
	m->layout.segments[m->layout.n_segments++] = (struct dfs_segment){
		.off = m->pos,
		.first_piece = m->layout.n_pieces,
		.kind = kind,
		.dtype = dtype,
		.predictor = predictor,
	};
	m->bundle_open = false;
	m->strays = 0;
	return 0;
}

static int add_opaque(struct maker *m, enum dfs_segment_kind kind, uint64_t end)
{
	int ret;

	if (end == m->pos)
		return 0;
	ret = open_segment(m, kind, DFS_BYTES, DFS_PREDICT_NONE);
	if (ret < 0)
		return ret;
	last_segment(m)->len = end - m->pos;
	m->pos = end;
	return 0;
}

static uint64_t base_bytes(uint64_t len, uint8_t dtype, uint8_t base_dtype)
{
	return len / dfs_dtype_info(dtype)->size * dfs_dtype_info(base_dtype)->size;
}

/*
 * A run of another dtype in a bundle is read as the bundle's dtype, and so is
 * its base: both sides are the same bytes as before.
 */
static uint8_t piece_dtype(const struct dfs_segment *s, const struct run *run)
{
	return run->dtype == s->dtype ? run->base->dtype : s->dtype;
}

/* A run that goes on in the base where the last one ended needs no piece of its own. */
static int add_piece(struct maker *m, struct dfs_segment *s, const struct run *run)
{
	struct dfs_piece_record piece = {
		.len = run->len,
		.base_off = run->base->off,
		.file = run->file,
		.dtype = piece_dtype(s, run),
	};
	int ret;

	if (s->n_pieces > 0) {
		struct dfs_piece_record *last = &m->layout.pieces[m->layout.n_pieces - 1];

		if (last->file == piece.file && last->dtype == piece.dtype &&
		    last->base_off + base_bytes(last->len, s->dtype, last->dtype) == piece.base_off) {
			last->len += piece.len;
			return 0;
		}
	}
	ret = grow((void **)&m->layout.pieces, m->layout.n_pieces, &m->room_pieces,
		   sizeof(*m->layout.pieces));
	if (ret < 0)
		return ret;
	m->layout.pieces[m->layout.n_pieces++] = piece;
	s->n_pieces++;
	return 0;
}

static bool is_small(const struct run *run)
{
	return run->len < DFS_BUNDLE_SMALL;
}

/* Few bytes of another dtype, now and all told, whose values the bundle's dtype can be read across. */
static bool is_stray(const struct maker *m, const struct dfs_segment *s, const struct run *run)
{
	return run->len <= DFS_BUNDLE_STRAY &&
	       (m->strays + run->len) * DFS_BUNDLE_STRAY_SHARE <= s->len &&
	       run->len % dfs_dtype_info(s->dtype)->size == 0 &&
	       (!run->base || run->base->dtype == run->dtype);
}

static bool joins_last(struct maker *m, const struct run *run)
{
	const struct dfs_segment *s;

	if (!m->bundle_open || !is_small(run))
		return false;
	s = last_segment(m);
	return s->len < DFS_BUNDLE_FULL &&
	       s->predictor == (run->base ? DFS_PREDICT_BASE : DFS_PREDICT_NONE) &&
	       (s->dtype == run->dtype || is_stray(m, s, run));
}

static int add_run(struct maker *m, const struct run *run)
{
	struct dfs_segment *s;
	int ret;

	if (joins_last(m, run)) {
		s = last_segment(m);
		s->kind = DFS_SEGMENT_BUNDLE;
		s->cols = 0;
		m->strays += run->dtype == s->dtype ? 0 : run->len;
	} else {
		ret = open_segment(m, DFS_SEGMENT_TENSOR, run->dtype,
				   run->base ? DFS_PREDICT_BASE : DFS_PREDICT_NONE);
		if (ret < 0)
			return ret;
		s = last_segment(m);
		s->cols = run->cols;
		m->bundle_open = is_small(run);
	}
	if (run->base) {
		ret = add_piece(m, s, run);
		if (ret < 0)
			return ret;
	}
	s->len += run->len;
	m->pos += run->len;
	return 0;
}

/* Values in a row, as the dtype's unit counts them: twice the elements for C64, whole bytes for F4. */
static uint64_t row_values(const struct dfs_tensor *t)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(t->dtype);
	uint64_t bits;

	if (__builtin_mul_overflow(dfs_tensor_cols(t), info->bits, &bits) || bits % (8 * info->size) != 0)
		return 0;
	return bits / (8 * info->size);
}

static int add_tensor(struct maker *m, const struct dfs_tensor *t, const struct dfs_match *match)
{
	uint64_t matched = match && match->base ? match->len : 0;
	struct run run = { .cols = row_values(t), .dtype = t->dtype };
	int ret;

	if (matched > 0) {
		run.len = matched;
		run.base = match->base;
		run.file = match->file;
		ret = add_run(m, &run);
		if (ret < 0)
			return ret;
	}
	if (matched == t->len)
		return 0;
	run.len = t->len - matched;
	run.base = NULL;
	return add_run(m, &run);
}

static int add_tensors(struct maker *m, const struct dfs_header *header,
		       const struct dfs_match *matches)
{
	for (size_t i = 0; i < header->n_tensors; i++) {
		const struct dfs_tensor *t = &header->tensors[i];
		int ret;

		if (t->len == 0)
			continue;
		ret = add_opaque(m, DFS_SEGMENT_OPAQUE, t->off);
		if (ret < 0)
			return ret;
		ret = add_tensor(m, t, matches ? &matches[i] : NULL);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int dfs_layout_count(struct dfs_segment *segments, uint32_t n_segments)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < n_segments; i++) {
		struct dfs_segment *s = &segments[i];
		uint64_t chunks = dfs_segment_chunks(s);

		if (chunks > UINT32_MAX - n)
			return -E2BIG;
		s->first_chunk = (uint32_t)n;
		s->n_chunks = (uint32_t)chunks;
		n += chunks;
	}
	return 0;
}

static int make(struct maker *m, const struct dfs_header *header, uint64_t file_len,
		const struct dfs_match *matches)
{
	int ret = 0;

	if (header) {
		ret = add_opaque(m, DFS_SEGMENT_HEADER, header->data_off);
		if (ret == 0)
			ret = add_tensors(m, header, matches);
	}
	if (ret == 0)
		ret = add_opaque(m, DFS_SEGMENT_OPAQUE, file_len);
	if (ret == 0)
		ret = dfs_layout_count(m->layout.segments, m->layout.n_segments);
	return ret;
}

int dfs_layout_make(const struct dfs_header *header, uint64_t file_len,
		    const struct dfs_match *matches, struct dfs_layout *ret_layout,
		    struct dfs_err *err)
{
	struct maker m = { 0 };
	int ret;

	if (header && header->file_len != file_len)
		return dfs_fail(err, EINVAL, "file of %llu bytes with a header for %llu",
				(unsigned long long)file_len, (unsigned long long)header->file_len);
	ret = make(&m, header, file_len, matches);
	if (ret < 0) {
		dfs_layout_release(&m.layout);
		return dfs_fail(err, -ret, "layout: %s",
				ret == -E2BIG ? "too many segments, pieces or chunks" : "out of memory");
	}
	*ret_layout = m.layout;
	return 0;
}

static uint32_t new_number(const uint32_t *used, uint32_t n_used, uint32_t old)
{
	uint32_t low = 0, high = n_used;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (used[middle] <= old)
			low = middle;
		else
			high = middle;
	}
	return low;
}

uint32_t dfs_layout_number_files(struct dfs_layout *layout, uint32_t n_files, uint32_t *ret_used)
{
	uint32_t n_used = 0;

	/* Marks first, then the numbers of the marked ones, which never overtake the marks. */
	memset(ret_used, 0, n_files * sizeof(*ret_used));
	for (uint32_t i = 0; i < layout->n_pieces; i++)
		ret_used[layout->pieces[i].file] = 1;
	for (uint32_t old = 0; old < n_files; old++) {
		if (ret_used[old])
			ret_used[n_used++] = old;
	}
	for (uint32_t i = 0; i < layout->n_pieces; i++) {
		struct dfs_piece_record *piece = &layout->pieces[i];

		piece->file = new_number(ret_used, n_used, piece->file);
	}
	return n_used;
}

void dfs_layout_release(struct dfs_layout *layout)
{
	free(layout->segments);
	free(layout->pieces);
	*layout = (struct dfs_layout){ 0 };
}
