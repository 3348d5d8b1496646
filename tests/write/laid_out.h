/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * laid_out: lay a file out and check what holds for every file: segments tile
 * it, predictions pass the reader's check, and each piece names the base bytes
 * that stand where the file's stand. lay_out() asks that of all of them.
 */
#ifndef DFS_TESTS_LAID_OUT_H
#define DFS_TESTS_LAID_OUT_H

#include "headers.h"
#include "predict/predict.h"
#include "write/layout.h"

static struct dfs_match matches[20000];
static struct dfs_layout layout;

static inline uint64_t unit_of(unsigned dtype)
{
	return dfs_dtype_info(dtype)->size;
}

/* The prediction of a segment passes the check that readers make. */
static inline void check_prediction(const struct dfs_segment *s, uint32_t n_files)
{
	struct dfs_piece *pieces = calloc(s->n_pieces + 1, sizeof(*pieces));
	uint64_t *starts = calloc(s->n_pieces + 1, sizeof(*starts));
	struct dfs_prediction p = { .predictor = s->predictor, .dtype = s->dtype, .pieces = pieces,
				    .piece_starts = starts, .n_pieces = s->n_pieces };
	struct dfs_err err = { "" };
	uint64_t start = 0;

	CHECK(pieces && starts);
	for (uint32_t i = 0; i < s->n_pieces; i++) {
		const struct dfs_piece_record *record = &layout.pieces[s->first_piece + i];

		pieces[i] = (struct dfs_piece){ record->len, record->base_off, record->file,
						record->dtype };
		starts[i] = start;
		start += record->len;
	}
	CHECK_OK(dfs_prediction_check(&p, s->len, n_files, &err), err);
	free(pieces);
	free(starts);
}

static inline void check_tiling(uint64_t file_len, uint32_t n_files)
{
	uint64_t pos = 0, chunks = 0;
	uint32_t pieces = 0;

	for (uint32_t i = 0; i < layout.n_segments; i++) {
		const struct dfs_segment *s = &layout.segments[i];

		assert_int_equal(s->off, pos);
		CHECK(s->len > 0 && s->len % unit_of(s->dtype) == 0);
		assert_int_equal(s->first_chunk, chunks);
		assert_int_equal(s->n_chunks, dfs_segment_chunks(s));
		assert_int_equal(s->first_piece, pieces);
		CHECK((s->predictor == DFS_PREDICT_BASE) == (s->n_pieces > 0));
		CHECK(s->cols == 0 || s->kind == DFS_SEGMENT_TENSOR);
		check_prediction(s, n_files);
		pos += s->len;
		chunks += s->n_chunks;
		pieces += s->n_pieces;
	}
	assert_int_equal(pos, file_len);
	assert_int_equal(pieces, layout.n_pieces);
}

/* Where the base holds the byte at @off of the file, by the layout; UINT64_MAX: nowhere. */
static inline uint64_t base_place(uint64_t off, uint32_t *ret_file)
{
	for (uint32_t i = 0; i < layout.n_segments; i++) {
		const struct dfs_segment *s = &layout.segments[i];
		uint64_t start = s->off;

		if (off >= s->off + s->len)
			continue;
		for (uint32_t k = 0; k < s->n_pieces; k++) {
			const struct dfs_piece_record *piece = &layout.pieces[s->first_piece + k];

			if (off < start + piece->len) {
				*ret_file = piece->file;
				return piece->base_off +
				       (off - start) / unit_of(s->dtype) * unit_of(piece->dtype);
			}
			start += piece->len;
		}
		return UINT64_MAX;
	}
	return UINT64_MAX;
}

/* Each tensor's first, middle and last value are predicted from where the match says. */
static inline void check_places(const struct dfs_header *header)
{
	for (size_t i = 0; i < header->n_tensors; i++) {
		const struct dfs_tensor *t = &header->tensors[i];
		uint64_t unit = unit_of(t->dtype), n = t->len / unit;
		const uint64_t values[] = { 0, n / 2, n - 1, matches[i].len / unit };

		for (int k = 0; n > 0 && k < 4; k++) {
			uint64_t want = UINT64_MAX, got;
			uint32_t file = 99;

			if (values[k] >= n)
				continue;
			if (values[k] * unit < matches[i].len)
				want = matches[i].base->off + values[k] * unit_of(matches[i].base->dtype);
			got = base_place(t->off + values[k] * unit, &file);
			/* A stray in a bundle of wider values is read a wider value at a time. */
			if (want != UINT64_MAX && got != want)
				CHECK(got < want && want - got < 8);
			else
				CHECK(got == want);
			if (want != UINT64_MAX)
				assert_int_equal(file, matches[i].file);
		}
	}
}

static inline void lay_out(const struct dfs_header *header, const struct dfs_header *base)
{
	struct dfs_err err = { "" };

	memset(matches, 0, sizeof(matches));
	if (base)
		CHECK_OK(dfs_match_model(header, &base, 1, NULL, matches, NULL, &err), err);
	dfs_layout_release(&layout);
	CHECK_OK(dfs_layout_make(header, header->file_len, base ? matches : NULL, &layout, &err), err);
	check_tiling(header->file_len, 1);
	check_places(header);
}

static inline int release(void **state)
{
	(void)state;
	dfs_layout_release(&layout);
	return 0;
}

static inline void expect(uint32_t i, enum dfs_segment_kind kind, enum dfs_dtype dtype, uint64_t len,
		   uint64_t cols, uint32_t n_pieces)
{
	CHECK(i < layout.n_segments);
	assert_int_equal(layout.segments[i].kind, kind);
	assert_int_equal(layout.segments[i].dtype, dtype);
	assert_int_equal(layout.segments[i].len, len);
	assert_int_equal(layout.segments[i].cols, cols);
	assert_int_equal(layout.segments[i].n_pieces, n_pieces);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, NULL, release)

#endif
