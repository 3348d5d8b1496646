/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec delta-come (codec/delta_come.h): tables and chunks. Its options are
 * in delta_come_write.c.
 *
 * Table, deltafs-format(5) "delta-come table": u16 group, u16 each columns of
 * 8, 3 and 2 bits; F32 each: S; then the row of V for each column of the
 * tensor. Payload: the row of U for each row of the chunk.
 *
 * A difference is the sum over k, in order, of (u s) v, every product and sum
 * rounded to F32. v is exact: a small integer times a power of two times at
 * most 15.
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/add.h"
#include "codec/delta_come.h"
#include "codec/internal.h"

#define HEAD 8
#define STRIP 256	/* columns of the tensor whose differences are made before they are added */
#define TILE DFS_COME_TILE
#define ROWS DFS_COME_ROWS

/* V stays small integers, tile by tile, so that an open table takes four times its bytes and not sixteen. */
struct table {
	struct dfs_table base;
	struct dfs_come_layout layout;
	uint64_t tiles;
	float *s;		/* rank */
	float *scales;		/* tiles x layout.scales x TILE */
	int8_t *levels;		/* tiles x rank x TILE */
};

static bool accepts(struct dfs_shape shape)
{
	return dfs_add_takes(shape.dtype) && !shape.drop && shape.rows && shape.cols;
}

/* --- the table */

static struct table *table_new(const struct dfs_come_layout *l, uint64_t cols)
{
	size_t tiles = (size_t)((cols + TILE - 1) / TILE);
	size_t floats = l->rank + tiles * l->scales * TILE, head = (sizeof(struct table) + 63) / 64 * 64;
	struct table *t = dfs_table_alloc(head + floats * sizeof(float) + tiles * l->rank * TILE, sizeof(*t));

	if (!t)
		return NULL;
	t->layout = *l;
	t->tiles = tiles;
	t->s = (float *)((uint8_t *)t + head);
	t->scales = t->s + l->rank;
	t->levels = (int8_t *)(t->scales + tiles * l->scales * TILE);
	return t;
}

static int open_s(struct table *t, const uint8_t *from, struct dfs_err *err)
{
	for (uint32_t k = 0; k < t->layout.rank; k++) {
		union { uint32_t bits; float value; } s = { .bits = dfs_get_u32le(from + 4 * (size_t)k) };

		if (!(s.value < DFS_COME_S_LIMIT) || s.bits >> 31)
			return dfs_fail(err, EUCLEAN, "delta-come: a factor that is negative or too large");
		t->s[k] = s.value;
	}
	return 0;
}

/* Rows of V become columns of the tiles; what a tile has too many is zero. */
static int open_v(struct table *t, const uint8_t *from, uint64_t cols, struct dfs_err *err)
{
	const struct dfs_come_layout *l = &t->layout;
	int8_t *levels = malloc(l->rank + 1);
	float *scales = malloc((l->scales + 1) * sizeof(*scales));
	bool clean = true;

	if (!levels || !scales) {
		free(levels);
		free(scales);
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	for (uint64_t j = 0; j < t->tiles * TILE; j++) {
		size_t tile = (size_t)(j / TILE), lane = j % TILE;

		if (j < cols) {
			clean &= dfs_come_row_clean(l, from + j * l->row_bytes);
			dfs_come_unpack(l, from + j * l->row_bytes, levels, scales);
		} else {
			memset(levels, 0, l->rank);
			memset(scales, 0, l->scales * sizeof(*scales));
		}
		for (uint32_t k = 0; k < l->rank; k++)
			t->levels[(tile * l->rank + k) * TILE + lane] = levels[k];
		for (uint32_t g = 0; g < l->scales; g++)
			t->scales[(tile * l->scales + g) * TILE + lane] = scales[g];
	}
	free(levels);
	free(scales);
	return clean ? 0 : dfs_fail(err, EUCLEAN, "delta-come: bits behind the last code of a row");
}

static int table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding, struct dfs_table **ret_table,
		      struct dfs_err *err)
{
	struct dfs_come_layout l = { 0 };
	uint64_t need;
	struct table *t;
	int ret;

	(void)encoding;
	if (bytes.len < HEAD || !dfs_get_u16le(bytes.data))
		return dfs_fail(err, EUCLEAN, "delta-come: a table that begins with what is not allowed");
	l.group = dfs_get_u16le(bytes.data);
	for (unsigned c = 0; c < DFS_COME_CLASSES; c++)
		l.cols[c] = dfs_get_u16le(bytes.data + 2 + 2 * c);
	dfs_come_layout_init(&l);
	if (__builtin_mul_overflow(shape.cols, l.row_bytes, &need) ||
	    __builtin_add_overflow(need, HEAD + 4 * (uint64_t)l.rank, &need) || need != bytes.len)
		return dfs_fail(err, EUCLEAN, "delta-come: a table of %zu bytes", bytes.len);
	t = table_new(&l, l.rank ? shape.cols : 0);
	if (!t)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = open_s(t, bytes.data + HEAD, err);
	if (ret == 0)
		ret = open_v(t, bytes.data + HEAD + 4 * (size_t)l.rank, shape.cols, err);
	if (ret < 0) {
		dfs_table_close(&t->base);
		return ret;
	}
	*ret_table = &t->base;
	return 0;
}

/* --- chunks */

/* Payloads are at most as long as what they decode to; those of our tables are far below. */
static size_t bound(struct dfs_shape shape, size_t n)
{
	return n * dfs_dtype_info(shape.dtype)->size;
}

int dfs_come_encode(const struct dfs_block *block, float *delta, const struct dfs_table *table, struct dfs_span notes,
		    uint8_t *payload, size_t *ret_len, struct dfs_scratch *scratch)
{
	size_t row = ((const struct table *)table)->layout.row_bytes;

	(void)delta;
	(void)scratch;
	*ret_len = (size_t)(block->n / block->shape.cols) * row;
	if (*ret_len)
		memcpy(payload, notes.data + block->first / block->shape.cols * row, *ret_len);
	return 0;
}

/* What decoding needs besides out and payload: parts of one slot of the scratch. */
struct room {
	float *a;		/* rows, up to whole ROWS, x rank: u s, ROWS of them together */
	float *b;		/* rank x TILE: v */
	float *delta;		/* rows, up to whole ROWS, x STRIP */
	float *scales;
	int8_t *levels;		/* rank */
};

static bool room_get(const struct dfs_come_layout *l, size_t rows, struct dfs_scratch *scratch, struct room *ret)
{
	size_t whole = (rows + ROWS - 1) / ROWS * ROWS, scales = ((size_t)l->scales + 15) / 16 * 16;
	size_t a = (whole * l->rank + 15) / 16 * 16, b = (size_t)l->rank * TILE, delta = whole * STRIP;
	float *at = dfs_scratch_get(scratch, DFS_SLOT_FACTORS, (a + b + delta + scales) * sizeof(float) + l->rank);

	if (!at)
		return false;
	*ret = (struct room){ at, at + a, at + a + b, at + a + b + delta, (int8_t *)(at + a + b + delta + scales) };
	memset(ret->a, 0, a * sizeof(float));
	return true;
}

/* Row @i of U, times S, to its place among its neighbours. */
static void load_row(const struct table *t, const uint8_t *row, size_t i, const struct room *room)
{
	float *to = room->a + i / ROWS * ROWS * t->layout.rank + i % ROWS;
	struct dfs_come_run run = { 0 };
	const float *scale = room->scales;

	dfs_come_unpack(&t->layout, row, room->levels, room->scales);
	while (dfs_come_next(&t->layout, &run)) {
		float h = run.scaled ? *scale++ : 1;

		for (uint32_t k = run.from; k < run.to; k++)
			to[(size_t)k * ROWS] = (float)room->levels[k] * h * t->s[k];
	}
}

/* Tile @tile of V. */
static void load_tile(const struct table *t, size_t tile, enum dfs_cpu cpu, float *to)
{
	static const float ones[TILE] = { [0 ... TILE - 1] = 1 };
	const int8_t *levels = t->levels + tile * t->layout.rank * TILE;
	const float *scales = t->scales + tile * t->layout.scales * TILE;
	struct dfs_come_run run = { 0 };

	while (dfs_come_next(&t->layout, &run)) {
		dfs_come_expand[cpu](levels + (size_t)run.from * TILE, run.scaled ? scales : ones,
				     run.to - run.from, to + (size_t)run.from * TILE);
		scales += run.scaled ? TILE : 0;
	}
}

static int check_payload(const struct dfs_block *block, struct dfs_span payload, const struct dfs_come_layout *l,
			 struct dfs_err *err)
{
	uint64_t cols = block->shape.cols, rows = block->n / cols;

	if (block->first % cols || block->n % cols)
		return dfs_fail(err, EUCLEAN, "delta-come: a chunk that is not whole rows");
	if (l->row_bytes ? payload.len / l->row_bytes != rows || payload.len % l->row_bytes : payload.len > 0)
		return dfs_fail(err, EUCLEAN, "delta-come: %zu payload bytes for %llu rows", payload.len,
				(unsigned long long)rows);
	for (uint64_t i = 0; i < rows; i++)
		if (!dfs_come_row_clean(l, payload.data + i * l->row_bytes))
			return dfs_fail(err, EUCLEAN, "delta-come: bits behind the last code of a row");
	return 0;
}

static void decode_strip(const struct dfs_block *block, const struct table *t, size_t from, const struct room *room,
			 enum dfs_cpu cpu, void *out)
{
	size_t cols = (size_t)block->shape.cols, rows = block->n / cols, size = dfs_dtype_info(block->shape.dtype)->size;
	size_t n = cols - from < STRIP ? cols - from : STRIP;

	for (size_t j = 0; j < n; j += TILE) {
		load_tile(t, (from + j) / TILE, cpu, room->b);
		for (size_t i = 0; i < rows; i += ROWS)
			dfs_come_multiply[cpu](room->a + i * t->layout.rank, room->b, t->layout.rank,
					       room->delta + i * STRIP + j, STRIP);
	}
	for (size_t i = 0; i < rows; i++) {
		size_t at = (i * cols + from) * size;

		dfs_add(cpu, block->shape.dtype, (const uint8_t *)block->pred + at, room->delta + i * STRIP,
			(uint8_t *)out + at, n);
	}
}

static int decode(const struct dfs_block *block, struct dfs_span payload, const struct dfs_table *table, void *out,
		  struct dfs_scratch *scratch, struct dfs_err *err)
{
	const struct table *t = (const struct table *)table;
	size_t rows = (size_t)(block->n / block->shape.cols);
	enum dfs_cpu cpu = dfs_scratch_cpu(scratch);
	struct room room;
	int ret = check_payload(block, payload, &t->layout, err);

	if (ret < 0)
		return ret;
	if (!room_get(&t->layout, rows, scratch, &room))
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < rows; i++)
		load_row(t, payload.data + i * t->layout.row_bytes, i, &room);
	for (size_t from = 0; from < block->shape.cols; from += STRIP)
		decode_strip(block, t, from, &room, cpu, out);
	return 0;
}

const struct dfs_codec dfs_codec_delta_come = {
	.name = "delta-come",
	.needs_prediction = true,
	.record_size = 1,
	.accepts = accepts,
	.table_open = table_open,
	.bound = bound,
	.decode = decode,
};
