/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segments and pieces of files of every odd shape. */
#include "laid_out.h"

#include <errno.h>

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

static const struct CMUnitTest cases[] = {
	CASE(an_opaque_file_is_one_segment),
	CASE(a_header_without_tensors_is_all_there_is),
	CASE(large_tensors_are_segments_with_rows),
	CASE(without_a_base_nothing_is_predicted),
	CASE(grown_rows_stand_alone),
	CASE(any_alignment_and_order),
	CASE(unused_base_files_are_left_out),
	CASE(random_files),
};

CHECK_MAIN(cases)
