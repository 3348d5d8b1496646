/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cut: which chunks a segment is cut into. deltafs-format(5), "CUTTING RULE".
 *
 * The kernel asks for runs of 128 KiB at multiples of 128 KiB. Cutting where
 * that grid falls in the file, and not in the tensor, makes one request one
 * chunk; a value that the grid would split goes to the chunk before.
 */
#include "format/container.h"

/* Bytes of a value and bits of its mantissa by dtype; src/tensor/dtype.c has the same and a test compares. */
static const struct dtype_shape {
	uint8_t size;
	uint8_t mantissa;
} dtypes[] = {
	{ 1, 0 },	/* bytes */
	{ 1, 0 },	/* BOOL */
	{ 1, 0 },	/* F4 */
	{ 1, 0 },	/* F6_E2M3 */
	{ 1, 0 },	/* F6_E3M2 */
	{ 1, 0 },	/* U8 */
	{ 1, 0 },	/* I8 */
	{ 1, 2 },	/* F8_E5M2 */
	{ 1, 3 },	/* F8_E4M3 */
	{ 1, 0 },	/* F8_E8M0 */
	{ 1, 3 },	/* F8_E4M3FNUZ */
	{ 1, 2 },	/* F8_E5M2FNUZ */
	{ 2, 0 },	/* I16 */
	{ 2, 0 },	/* U16 */
	{ 2, 10 },	/* F16 */
	{ 2, 7 },	/* BF16 */
	{ 4, 0 },	/* I32 */
	{ 4, 0 },	/* U32 */
	{ 4, 23 },	/* F32 */
	{ 4, 23 },	/* C64, as pairs of F32 */
	{ 8, 52 },	/* F64 */
	{ 8, 0 },	/* I64 */
	{ 8, 0 },	/* U64 */
};

unsigned dfs_format_dtype_size(unsigned dtype)
{
	return dtype < sizeof(dtypes) / sizeof(dtypes[0]) ? dtypes[dtype].size : 0;
}

unsigned dfs_format_dtype_mantissa(unsigned dtype)
{
	return dtype < sizeof(dtypes) / sizeof(dtypes[0]) ? dtypes[dtype].mantissa : 0;
}

unsigned dfs_segment_unit(const struct dfs_segment *s)
{
	unsigned size = dfs_format_dtype_size(s->dtype);

	return size ? size : 1; /* an unknown dtype never gets past dfs_container_unpack() */
}

/* Bytes of chunk_rows rows; 0 if that is no number. */
static uint64_t rows_bytes(const struct dfs_segment *s)
{
	uint64_t row, bytes;

	if (__builtin_mul_overflow(s->cols, (uint64_t)dfs_segment_unit(s), &row) ||
	    __builtin_mul_overflow(row, (uint64_t)s->chunk_rows, &bytes))
		return 0;
	return bytes;
}

/* Where the grid line number @line cuts the segment (of which it is an inner one). */
static uint64_t cut_at(const struct dfs_segment *s, uint64_t line)
{
	uint64_t in = line * DFS_GRID - s->off;
	uint64_t unit = dfs_segment_unit(s);

	return s->off + (in + unit - 1) / unit * unit;
}

uint64_t dfs_segment_chunks(const struct dfs_segment *s)
{
	uint64_t end = s->off + s->len;
	uint64_t lines;

	if (s->chunk_rows && !rows_bytes(s))
		return UINT64_MAX;
	if (!s->len)
		return 0;
	if (s->chunk_rows)
		return (s->len - 1) / rows_bytes(s) + 1;
	lines = (end - 1) / DFS_GRID - s->off / DFS_GRID;
	if (lines && cut_at(s, s->off / DFS_GRID + lines) >= end)
		lines--;
	return lines + 1;
}

void dfs_segment_chunk(const struct dfs_segment *s, uint32_t i, uint64_t *ret_off, uint64_t *ret_len)
{
	uint64_t end = s->off + s->len;
	uint64_t from = s->off, to;

	if (s->chunk_rows) {
		from += i * rows_bytes(s);
		to = from + rows_bytes(s);
	} else {
		uint64_t line = s->off / DFS_GRID + i;

		if (i)
			from = cut_at(s, line);
		to = cut_at(s, line + 1);
	}
	*ret_off = from;
	*ret_len = (to < end ? to : end) - from;
}

uint32_t dfs_segment_chunk_at(const struct dfs_segment *s, uint64_t off)
{
	uint64_t i;

	if (s->chunk_rows)
		return (uint32_t)((off - s->off) / rows_bytes(s));
	i = off / DFS_GRID - s->off / DFS_GRID;
	/* The value that the grid line splits belongs to the chunk before. */
	if (i && cut_at(s, off / DFS_GRID) > off)
		i--;
	return (uint32_t)i;
}
