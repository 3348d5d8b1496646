/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small tensors: which neighbours share a segment, and which do not. */
#include "laid_out.h"

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

static void a_full_bundle_is_closed(void **state)
{
	static const struct spec specs[] = {
		{ "a", "BF16", 1, { 30000 } }, { "b", "BF16", 1, { 30000 } }, { "c", "BF16", 1, { 30000 } },
		{ "d", "BF16", 1, { 30000 } }, { "e", "BF16", 1, { 100 } },
	};
	struct dfs_header *header = MAKE(specs);

	(void)state;
	lay_out(header, header);
	assert_int_equal(layout.n_segments, 3);
	expect(1, DFS_SEGMENT_BUNDLE, DFS_BF16, 180000, 0, 1);
	expect(2, DFS_SEGMENT_BUNDLE, DFS_BF16, 60200, 0, 1);
	dfs_header_free(header);
}

/* One tensor of a shard may begin where one of another shard ends. */
static void pieces_of_two_base_files_do_not_join(void **state)
{
	static const struct spec specs[] = { { "a", "F32", 1, { 100 } }, { "b", "F32", 1, { 100 } } };
	static const struct spec second[] = { { "x", "F32", 1, { 100 } }, { "b", "F32", 1, { 100 } } };
	struct dfs_header *header = MAKE(specs), *b = MAKE(second);
	struct dfs_header *short_a = make_header(specs, 1, "");
	char blanks[128] = "";
	const struct dfs_header *bases[] = { NULL, b };
	struct dfs_err err = { "" };
	struct dfs_header *a;

	(void)state;
	/* As many blanks after the one JSON as the other is longer. */
	memset(blanks, ' ', b->data_off - short_a->data_off);
	bases[0] = a = make_header(specs, 1, blanks);
	assert_int_equal(a->tensors[0].off + 400, b->tensors[1].off);
	CHECK_OK(dfs_match_model(header, bases, 2, NULL, matches, NULL, &err), err);
	CHECK_OK(dfs_layout_make(header, header->file_len, matches, &layout, &err), err);
	check_tiling(header->file_len, 2);
	check_places(header);
	assert_int_equal(layout.n_pieces, 2);
	dfs_header_free(header);
	dfs_header_free(short_a);
	dfs_header_free(a);
	dfs_header_free(b);
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

static const struct CMUnitTest cases[] = {
	CASE(small_neighbours_share_a_bundle),
	CASE(a_full_bundle_is_closed),
	CASE(pieces_of_two_base_files_do_not_join),
	CASE(predicted_and_new_do_not_mix),
	CASE(a_few_bytes_of_another_dtype_join),
	CASE(strays_stay_a_small_share),
	CASE(ten_thousand_tiny_tensors_are_few_segments),
};

CHECK_MAIN(cases)
