/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments and pieces of files of every odd shape. Whatever the file, what is
 * laid out must tile it, and each piece must name the base bytes that stand
 * where the file's stand: check_layout() asks that of all of them.
 */
#include "../check.h"

#include <errno.h>

#include "headers.h"
#include "predict/predict.h"
#include "tensor/convert.h"
#include "write/layout.h"

static struct dfs_match matches[20000];
static struct dfs_layout layout;

static uint64_t unit_of(unsigned dtype)
{
	return dfs_dtype_info(dtype)->size;
}

/* The prediction of a segment passes the check that readers make. */
static void check_prediction(const struct dfs_segment *s, uint32_t n_files)
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

static void check_tiling(uint64_t file_len, uint32_t n_files)
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
static uint64_t base_place(uint64_t off, uint32_t *ret_file)
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
static void check_places(const struct dfs_header *header)
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

static void lay_out(const struct dfs_header *header, const struct dfs_header *base)
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

static int release(void **state)
{
	(void)state;
	dfs_layout_release(&layout);
	return 0;
}

static void expect(uint32_t i, enum dfs_segment_kind kind, enum dfs_dtype dtype, uint64_t len,
		   uint64_t cols, uint32_t n_pieces)
{
	CHECK(i < layout.n_segments);
	assert_int_equal(layout.segments[i].kind, kind);
	assert_int_equal(layout.segments[i].dtype, dtype);
	assert_int_equal(layout.segments[i].len, len);
	assert_int_equal(layout.segments[i].cols, cols);
	assert_int_equal(layout.segments[i].n_pieces, n_pieces);
}

static void an_opaque_file_is_one_segment(void **state)
{
	static const uint64_t lens[] = { 1, 131072, 1ull << 30, 123456789 };
	struct dfs_err err = { "" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		dfs_layout_release(&layout);
		CHECK_OK(dfs_layout_make(NULL, lens[i], NULL, &layout, &err), err);
		assert_int_equal(layout.n_segments, 1);
		expect(0, DFS_SEGMENT_OPAQUE, DFS_BYTES, lens[i], 0, 0);
		check_tiling(lens[i], 0);
	}
	dfs_layout_release(&layout);
	CHECK_OK(dfs_layout_make(NULL, 0, NULL, &layout, &err), err);
	assert_int_equal(layout.n_segments, 0);
	/* 2^32 chunks are more than the format can count. */
	CHECK_RET(-E2BIG, dfs_layout_make(NULL, 1ull << 49, NULL, &layout, NULL));
}

static void a_header_without_tensors_is_all_there_is(void **state)
{
	struct dfs_header *header = make_header(NULL, 0, "");

	(void)state;
	lay_out(header, NULL);
	assert_int_equal(layout.n_segments, 1);
	expect(0, DFS_SEGMENT_HEADER, DFS_BYTES, 10, 0, 0);
	CHECK_RET(-EINVAL, dfs_layout_make(header, 11, NULL, &layout, NULL));
	dfs_header_free(header);
}

static void large_tensors_are_segments_with_rows(void **state)
{
	static const struct spec specs[] = {
		{ "matrix", "BF16", 2, { 256, 128 } },
		{ "vector", "F32", 1, { 20000 } },
		{ "experts", "F16", 3, { 4, 100, 128 } },
		{ "complex", "C64", 2, { 100, 100 } },
		{ "nibbles", "F4", 2, { 400, 500 } },
		{ "odd_nibbles", "F4", 3, { 2, 400, 501 } },
	};
	struct dfs_header *header = MAKE(specs);

	(void)state;
	lay_out(header, header);
	assert_int_equal(layout.n_segments, 7);
	expect(1, DFS_SEGMENT_TENSOR, DFS_BF16, 65536, 128, 1);
	expect(2, DFS_SEGMENT_TENSOR, DFS_F32, 80000, 0, 1);
	expect(3, DFS_SEGMENT_TENSOR, DFS_F16, 102400, 128, 1);
	expect(4, DFS_SEGMENT_TENSOR, DFS_C64, 80000, 200, 1);
	expect(5, DFS_SEGMENT_TENSOR, DFS_F4, 100000, 250, 1);
	expect(6, DFS_SEGMENT_TENSOR, DFS_F4, 200400, 0, 1);
	dfs_header_free(header);
}

static void without_a_base_nothing_is_predicted(void **state)
{
	static const struct spec specs[] = {
		{ "a", "BF16", 2, { 256, 256 } },
		{ "b", "BF16", 1, { 10 } },
	};
	struct dfs_header *header = MAKE(specs);

	(void)state;
	lay_out(header, NULL);
	assert_int_equal(layout.n_pieces, 0);
	expect(1, DFS_SEGMENT_TENSOR, DFS_BF16, 131072, 256, 0);
	expect(2, DFS_SEGMENT_TENSOR, DFS_BF16, 20, 0, 0);
	dfs_header_free(header);
}

static void grown_rows_stand_alone(void **state)
{
	static const struct spec specs[] = {
		{ "embed", "BF16", 2, { 1100, 64 } },
		{ "head", "BF16", 2, { 1001, 64 } },
		{ "new", "BF16", 1, { 9 } },
	};
	static const struct spec base_specs[] = {
		{ "head", "F32", 2, { 1000, 64 } },
		{ "embed", "BF16", 2, { 1000, 64 } },
	};
	struct dfs_header *header = MAKE(specs), *base = MAKE(base_specs);

	(void)state;
	lay_out(header, base);
	assert_int_equal(layout.n_segments, 5);
	expect(1, DFS_SEGMENT_TENSOR, DFS_BF16, 128000, 64, 1);
	expect(2, DFS_SEGMENT_TENSOR, DFS_BF16, 12800, 64, 0);
	expect(3, DFS_SEGMENT_TENSOR, DFS_BF16, 128000, 64, 1);
	expect(4, DFS_SEGMENT_BUNDLE, DFS_BF16, 128 + 18, 0, 0); /* one row, and what is new */
	assert_int_equal(layout.pieces[1].dtype, DFS_F32);
	dfs_header_free(header);
	dfs_header_free(base);
}

static void small_neighbours_share_a_bundle(void **state)
{
	static const struct spec specs[] = {
		{ "a", "BF16", 1, { 100 } },
		{ "b", "BF16", 2, { 10, 10 } },
		{ "none", "BF16", 2, { 0, 10 } },
		{ "c", "BF16", 0, { 0 } },
		{ "big", "BF16", 2, { 200, 200 } },
		{ "d", "BF16", 1, { 30000 } },
		{ "e", "BF16", 1, { 30000 } },
		{ "f", "BF16", 1, { 30000 } },
		{ "g", "F16", 1, { 30000 } },
	};
	static const struct spec base_specs[] = {
		{ "c", "BF16", 0, { 0 } },	      { "a", "BF16", 1, { 100 } },
		{ "b", "BF16", 2, { 10, 10 } },	      { "big", "BF16", 2, { 200, 200 } },
		{ "d", "BF16", 1, { 30000 } },	      { "e", "BF16", 1, { 30000 } },
		{ "f", "F32", 1, { 30000 } },	      { "g", "F16", 1, { 30000 } },
	};
	struct dfs_header *header = MAKE(specs), *base = MAKE(base_specs);

	(void)state;
	lay_out(header, base);
	assert_int_equal(layout.n_segments, 5);
	/* a and b touch in the base, too, so they are one piece */
	expect(1, DFS_SEGMENT_BUNDLE, DFS_BF16, 200 + 200 + 2, 0, 2);
	expect(2, DFS_SEGMENT_TENSOR, DFS_BF16, 80000, 200, 1);
	expect(3, DFS_SEGMENT_BUNDLE, DFS_BF16, 180000, 0, 2);
	expect(4, DFS_SEGMENT_TENSOR, DFS_F16, 60000, 0, 1);
	dfs_header_free(header);
	dfs_header_free(base);
}

static void predicted_and_new_do_not_mix(void **state)
{
	static const struct spec specs[] = {
		{ "a", "F32", 1, { 100 } }, { "new", "F32", 1, { 100 } }, { "b", "F32", 1, { 100 } },
	};
	static const struct spec base_specs[] = {
		{ "a", "F32", 1, { 100 } }, { "b", "F32", 1, { 100 } },
	};
	struct dfs_header *header = MAKE(specs), *base = MAKE(base_specs);

	(void)state;
	lay_out(header, base);
	assert_int_equal(layout.n_segments, 4);
	dfs_header_free(header);
	dfs_header_free(base);
}

static void a_few_bytes_of_another_dtype_join(void **state)
{
	static const struct spec specs[] = {
		{ "bn.bias", "F32", 1, { 100 } },
		{ "bn.count", "I64", 0, { 0 } },
		{ "bn.flag", "BOOL", 1, { 3 } },	/* not whole F32 values: on its own */
		{ "bn2.bias", "F32", 1, { 100 } },
		{ "bn2.scale", "BF16", 1, { 8 } },	/* its base is converted: on its own */
		{ "bn3.bias", "F32", 1, { 100 } },
		{ "bn3.ids", "I64", 1, { 200 } },	/* more than a few */
		{ "bn4.bias", "F32", 1, { 70 } },
		{ "bn4.bytes", "U8", 1, { 8 } },
	};
	static const struct spec base_specs[] = {
		{ "bn.bias", "F32", 1, { 100 } },	{ "bn.count", "I64", 0, { 0 } },
		{ "bn.flag", "BOOL", 1, { 3 } },	{ "bn2.bias", "F32", 1, { 100 } },
		{ "bn2.scale", "F32", 1, { 8 } },	{ "bn3.bias", "F32", 1, { 100 } },
		{ "bn3.ids", "I64", 1, { 200 } },	{ "bn4.bias", "F16", 1, { 70 } },
		{ "bn4.bytes", "U8", 1, { 8 } },
	};
	struct dfs_header *header = MAKE(specs), *base = MAKE(base_specs);

	(void)state;
	lay_out(header, base);
	assert_int_equal(layout.n_segments, 8);
	expect(1, DFS_SEGMENT_BUNDLE, DFS_F32, 408, 0, 1);
	expect(2, DFS_SEGMENT_TENSOR, DFS_BOOL, 3, 0, 1);
	expect(3, DFS_SEGMENT_TENSOR, DFS_F32, 400, 0, 1);
	expect(4, DFS_SEGMENT_TENSOR, DFS_BF16, 16, 0, 1);
	expect(5, DFS_SEGMENT_TENSOR, DFS_F32, 400, 0, 1);
	expect(6, DFS_SEGMENT_TENSOR, DFS_I64, 1600, 0, 1);
	expect(7, DFS_SEGMENT_BUNDLE, DFS_F32, 288, 0, 2);
	assert_int_equal(layout.pieces[layout.n_pieces - 2].dtype, DFS_F16);
	assert_int_equal(layout.pieces[layout.n_pieces - 1].dtype, DFS_F32);
	dfs_header_free(header);
	dfs_header_free(base);
}

/* A tiny tensor does not make bytes of the large ones after it. */
static void strays_stay_a_small_share(void **state)
{
	static const struct spec specs[] = {
		{ "flag", "BOOL", 1, { 4 } },  { "a", "F32", 1, { 2000 } }, { "i", "I64", 1, { 100 } },
		{ "j", "I64", 1, { 100 } },    { "k", "I64", 1, { 100 } },  { "l", "I64", 1, { 100 } },
	};
	struct dfs_header *header = MAKE(specs);

	(void)state;
	lay_out(header, header);
	assert_int_equal(layout.n_segments, 4);
	expect(1, DFS_SEGMENT_TENSOR, DFS_BOOL, 4, 0, 1);
	expect(2, DFS_SEGMENT_BUNDLE, DFS_F32, 8000 + 800, 0, 1);
	expect(3, DFS_SEGMENT_BUNDLE, DFS_I64, 2400, 0, 1);
	dfs_header_free(header);
}

/* Data may begin anywhere, and names are in no order. */
static void any_alignment_and_order(void **state)
{
	static const struct spec specs[] = {
		{ "z", "F64", 2, { 100, 100 } }, { "b", "U8", 1, { 3 } },  { "y", "F32", 2, { 200, 200 } },
		{ "a", "BOOL", 1, { 1 } },	 { "x", "BF16", 1, { 5 } }, { "k", "F64", 1, { 9000 } },
	};
	static const char *const paddings[] = { "", " ", "  ", "   ", "    ", "     ", "       " };
	struct dfs_header *base = MAKE(specs);

	(void)state;
	for (size_t i = 0; i < sizeof(paddings) / sizeof(paddings[0]); i++) {
		struct dfs_header *header = make_header(specs, 6, paddings[i]);

		lay_out(header, base);
		lay_out(header, NULL);
		dfs_header_free(header);
	}
	dfs_header_free(base);
}

static void ten_thousand_tiny_tensors_are_few_segments(void **state)
{
	enum { N = 10000 };
	struct spec *specs = calloc(N, sizeof(*specs));
	char (*names)[32] = malloc(N * sizeof(*names));
	struct dfs_header *header, *other;

	(void)state;
	CHECK(specs && names);
	for (int i = 0; i < N; i++) {
		snprintf(names[i], 32, "t%d", (i * 7919) % N);
		specs[i] = (struct spec){ names[i], i % 3 == 2 ? "I64" : "F32", i % 3 == 2 ? 0 : 1,
					  { 64 } };
	}
	header = make_header(specs, N, "");
	/* 1.7 MB make 14 bundles; a counter that happens to come first in one stays alone. */
	lay_out(header, header);
	CHECK(layout.n_segments <= 1 + 2 * 14);
	assert_int_equal(layout.n_pieces, layout.n_segments - 1);

	/* The same tensors in the opposite order: a piece each, but no more segments. */
	for (int i = 0; i < N / 2; i++) {
		struct spec spec = specs[i];

		specs[i] = specs[N - 1 - i];
		specs[N - 1 - i] = spec;
	}
	other = make_header(specs, N, "");
	lay_out(other, header);
	CHECK(layout.n_segments <= 1 + 2 * 14);
	assert_int_equal(layout.n_pieces, N);
	dfs_header_free(header);
	dfs_header_free(other);
	free(names);
	free(specs);
}

/* Shards of a base that nothing is taken from are not named in the container. */
static void unused_base_files_are_left_out(void **state)
{
	static const struct spec specs[] = {
		{ "a", "F32", 1, { 100 } }, { "b", "F32", 1, { 100 } }, { "c", "F32", 1, { 100 } },
	};
	struct dfs_header *header = MAKE(specs);
	struct dfs_header *empty = make_header(NULL, 0, "");
	struct dfs_header *a = make_header(specs, 1, ""), *bc = make_header(specs + 1, 2, "");
	const struct dfs_header *bases[] = { empty, bc, empty, empty, a, empty };
	struct dfs_err err = { "" };
	uint32_t used[6];

	(void)state;
	CHECK_OK(dfs_match_model(header, bases, 6, NULL, matches, NULL, &err), err);
	CHECK_OK(dfs_layout_make(header, header->file_len, matches, &layout, &err), err);
	assert_int_equal(layout.n_pieces, 2);
	assert_int_equal(layout.pieces[0].file, 4);
	assert_int_equal(layout.pieces[1].file, 1);
	assert_int_equal(dfs_layout_number_files(&layout, 6, used), 2);
	assert_int_equal(used[0], 1);
	assert_int_equal(used[1], 4);
	assert_int_equal(layout.pieces[0].file, 1);
	assert_int_equal(layout.pieces[1].file, 0);
	assert_int_equal(dfs_layout_number_files(&(struct dfs_layout){ 0 }, 6, used), 0);
	dfs_header_free(header);
	dfs_header_free(empty);
	dfs_header_free(a);
	dfs_header_free(bc);
}

/* Files of random tensors against bases that lack, resize and retype some of them. */
static void random_files(void **state)
{
	static const char *const dtypes[] = { "BF16", "F32", "F16", "U8", "I64", "BOOL", "C64", "F64" };
	struct spec specs[40], base_specs[40];
	char names[40][16];
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct dfs_header *header, *base;
		size_t n_base = 0;

		for (int i = 0; i < 40; i++) {
			snprintf(names[i], sizeof(names[i]), "%d", i);
			specs[i] = (struct spec){ names[i], dtypes[rand_r(&seed) % 8], 2,
						  { rand_r(&seed) % 300, rand_r(&seed) % 300 } };
			if (rand_r(&seed) % 3)
				specs[i].rank = rand_r(&seed) % 2;
			if (rand_r(&seed) % 5 == 0)
				continue;
			base_specs[n_base] = specs[i];
			if (rand_r(&seed) % 4 == 0)
				base_specs[n_base].shape[0] = rand_r(&seed) % 300;
			if (rand_r(&seed) % 4 == 0)
				base_specs[n_base].dtype = dtypes[rand_r(&seed) % 8];
			n_base++;
		}
		header = make_header(specs, 40, "");
		base = make_header(base_specs, n_base, "");
		lay_out(header, base);
		dfs_header_free(header);
		dfs_header_free(base);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, NULL, release)

static const struct CMUnitTest cases[] = {
	CASE(an_opaque_file_is_one_segment),
	CASE(a_header_without_tensors_is_all_there_is),
	CASE(large_tensors_are_segments_with_rows),
	CASE(without_a_base_nothing_is_predicted),
	CASE(grown_rows_stand_alone),
	CASE(small_neighbours_share_a_bundle),
	CASE(predicted_and_new_do_not_mix),
	CASE(a_few_bytes_of_another_dtype_join),
	CASE(strays_stay_a_small_share),
	CASE(any_alignment_and_order),
	CASE(ten_thousand_tiny_tensors_are_few_segments),
	CASE(unused_base_files_are_left_out),
	CASE(random_files),
};

CHECK_MAIN(cases)
