/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cut: the cutting rule against its definition, value by value.
 *
 * By definition a value belongs to the chunk of the last grid line at or
 * before its first byte; lines that no value follows cut nothing.
 */
#include "format/container.h"

#include <stdlib.h>

#include "../check.h"
#include "codec/codec.h"
#include "samples.h"
#include "tensor/dtype.h"

static const uint8_t dtype_of_size[9] = { [1] = DFS_U8, [2] = DFS_BF16, [4] = DFS_F32, [8] = DFS_F64 };

/* Compares with the definition by looking at every value. */
static void check_segment(const struct dfs_segment *s)
{
	uint64_t unit = dfs_segment_unit(s), n = dfs_segment_chunks(s);
	uint64_t chunk = 0, from = s->off, off, len;

	for (uint64_t at = s->off; at < s->off + s->len; at += unit) {
		if (at > s->off && at / DFS_GRID != (at - unit) / DFS_GRID) {
			dfs_segment_chunk(s, (uint32_t)chunk, &off, &len);
			CHECK(off == from && off + len == at);
			from = at;
			chunk++;
		}
		for (uint64_t byte = at; byte < at + unit; byte++)
			if (dfs_segment_chunk_at(s, byte) != chunk)
				fail_msg("byte %llu: chunk %u, not %llu", (unsigned long long)byte,
					 dfs_segment_chunk_at(s, byte), (unsigned long long)chunk);
	}
	if (!s->len) {
		assert_int_equal(n, 0);
		return;
	}
	dfs_segment_chunk(s, (uint32_t)chunk, &off, &len);
	CHECK(off == from && off + len == s->off + s->len);
	assert_int_equal(n, chunk + 1);
}

static void cuts_fall_on_the_grid_near_its_lines(void **state)
{
	(void)state;
	for (unsigned unit = 1; unit <= 8; unit *= 2)
		for (int before = -17; before <= 17; before++)
			for (uint64_t n = 0; n <= 20; n++) {
				struct dfs_segment s = {
					.off = 3ull * DFS_GRID + (uint64_t)before,
					.len = n * unit,
					.dtype = dtype_of_size[unit],
				};

				check_segment(&s);
			}
}

static void cuts_fall_on_the_grid_in_long_segments(void **state)
{
	struct random r = { 4 };

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		unsigned unit = 1u << random_below(&r, 4);
		struct dfs_segment s = {
			.off = random_below(&r, 2 * DFS_GRID),
			.len = random_below(&r, 4 * DFS_GRID / unit) * unit,
			.dtype = dtype_of_size[unit],
		};

		check_segment(&s);
	}
}

static void cuts_fall_on_the_grid_at_the_size_limit(void **state)
{
	struct dfs_segment s = { .off = DFS_ORIGINAL_SIZE_MAX - 999999, .len = 999999, .dtype = DFS_U8 };
	uint64_t off, len;

	(void)state;
	check_segment(&s);
	s = (struct dfs_segment){ .off = 5, .len = DFS_ORIGINAL_SIZE_MAX - 5, .dtype = DFS_U8 };
	assert_int_equal(dfs_segment_chunks(&s), DFS_ORIGINAL_SIZE_MAX / DFS_GRID);
	dfs_segment_chunk(&s, (uint32_t)(DFS_ORIGINAL_SIZE_MAX / DFS_GRID - 1), &off, &len);
	CHECK(off == DFS_ORIGINAL_SIZE_MAX - DFS_GRID && len == DFS_GRID);
}

static void rows_are_cut_whole(void **state)
{
	struct dfs_segment s = { .off = 77, .len = 1000 * 30 * 2, .cols = 30, .chunk_rows = 64, .dtype = DFS_BF16 };
	uint64_t off, len, next = s.off;

	(void)state;
	assert_int_equal(dfs_segment_chunks(&s), 16); /* ceil(1000 / 64) */
	for (uint32_t i = 0; i < 16; i++) {
		dfs_segment_chunk(&s, i, &off, &len);
		assert_int_equal(off, next);
		assert_int_equal(len, (i < 15 ? 64 : 1000 - 15 * 64) * 30 * 2);
		assert_int_equal(dfs_segment_chunk_at(&s, off), i);
		assert_int_equal(dfs_segment_chunk_at(&s, off + len - 1), i);
		next = off + len;
	}
	assert_int_equal(next, s.off + s.len);
	s.cols = 0;
	CHECK(dfs_segment_chunks(&s) == UINT64_MAX);
	s.cols = UINT64_MAX / 2;
	CHECK(dfs_segment_chunks(&s) == UINT64_MAX);
}

static void dtypes_are_those_of_tensor(void **state)
{
	(void)state;
	for (unsigned dtype = 0; dtype < 256; dtype++) {
		const struct dfs_dtype_info *info = dfs_dtype_info(dtype);

		assert_int_equal(dfs_format_dtype_size(dtype), info ? info->size : 0);
		assert_int_equal(dfs_format_dtype_mantissa(dtype), info ? info->mantissa : 0);
	}
	assert_int_equal(DFS_FORMAT_CHUNK_MAX, DFS_CHUNK_MAX);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(cuts_fall_on_the_grid_near_its_lines),
	cmocka_unit_test(cuts_fall_on_the_grid_in_long_segments),
	cmocka_unit_test(cuts_fall_on_the_grid_at_the_size_limit),
	cmocka_unit_test(rows_are_cut_whole),
	cmocka_unit_test(dtypes_are_those_of_tensor),
};

CHECK_MAIN(cases)
