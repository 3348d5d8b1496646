/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitdelta_write: which scales, and the signs.
 *
 * J. Liu et al.: BitDelta: Your Fine-Tune May Only Be Worth One Bit. NeurIPS
 * 2024, section 3.1 (before the distillation, which needs data): the scale is
 * the mean absolute difference, the best in the sense of least squares. Here
 * of the whole tensor, of each row, or of each column; and once more of what
 * is left over (k > 1). A difference of zero counts as positive.
 */
#include <errno.h>
#include <math.h>

#include "codec/bitdelta.h"
#include "codec/lossy.h"
#include "tensor/convert.h"

static const char *const scale_words[] = { "scalar", "row", "column", NULL };

struct options {
	double scale, k;
};

static const struct dfs_option option_rows[] = {
	{ .name = "scale", .words = scale_words, .offset = offsetof(struct options, scale) },
	{ .name = "k", .min = 1, .max = DFS_BITDELTA_ROUNDS, .whole = true, .offset = offsetof(struct options, k) },
	{ .name = NULL },
};

static void defaults(void *options)
{
	*(struct options *)options = (struct options){ .scale = DFS_BITDELTA_ROW, .k = 1 };
}

struct record {
	int exponent;		/* settled after the first pass */
	double *sums;		/* units, in the record behind the scales */
	struct dfs_bitdelta_table table;
};

static unsigned passes(const void *options)
{
	return (unsigned)((const struct options *)options)->k;
}

static size_t record_size(const void *options, struct dfs_shape shape)
{
	const struct options *o = options;
	uint64_t units = dfs_bitdelta_units((enum dfs_bitdelta_scale)o->scale, shape);

	return sizeof(struct record) + units * ((size_t)o->k * sizeof(float) + sizeof(double)) + sizeof(double);
}

static void record_init(const struct options *o, struct record *r, struct dfs_shape shape)
{
	size_t scales;

	r->table.k = (uint32_t)o->k;
	r->table.scale = (enum dfs_bitdelta_scale)o->scale;
	r->table.units = dfs_bitdelta_units(r->table.scale, shape);
	scales = sizeof(*r) + r->table.units * r->table.k * sizeof(float);
	r->sums = (double *)((uint8_t *)r + (scales + sizeof(double) - 1) / sizeof(double) * sizeof(double));
}

/* What a round leaves of up to DFS_BITDELTA_BLOCK differences; its signs are theirs. */
static void residual(const struct dfs_bitdelta_table *t, const struct dfs_block *block, unsigned round, size_t at,
		     size_t n, float *delta)
{
	float scale[DFS_BITDELTA_BLOCK] = { 0 };

	dfs_bitdelta_fill(t, block, round, at, n, scale);
	for (size_t i = 0; i < DFS_BITDELTA_BLOCK; i++)
		delta[i] -= delta[i] < 0 ? -scale[i] : scale[i];
}

/* The sum of a unit takes its values one after the other: it has one order. */
static void add_sums(struct record *r, const struct dfs_block *block, size_t at, size_t n, const float *delta)
{
	uint64_t cols = block->shape.cols;
	uint64_t row = (block->first + at) / cols, col = (block->first + at) % cols;

	for (size_t i = 0; i < n; row++, col = 0) {
		size_t stop = n - i < cols - col ? n : i + (size_t)(cols - col);
		double *sums = r->sums + (r->table.scale == DFS_BITDELTA_COLUMN ? col : 0), sum;

		if (r->table.scale == DFS_BITDELTA_COLUMN) {
			for (; i < stop; i++)
				*sums++ += fabsf(delta[i]);
			continue;
		}
		sums += r->table.scale == DFS_BITDELTA_ROW ? row : 0;
		for (sum = *sums; i < stop; i++)
			sum += fabsf(delta[i]);
		*sums = sum;
	}
}

static int measure(const void *options, unsigned pass, const struct dfs_block *block, float *delta,
		   const struct dfs_lossy_tensor *tensor, struct dfs_scratch *scratch)
{
	struct record *r = tensor->record;

	(void)scratch;
	record_init(options, r, block->shape);
	for (size_t at = 0; at < block->n; at += DFS_BITDELTA_BLOCK) {
		size_t n = block->n - at < DFS_BITDELTA_BLOCK ? block->n - at : DFS_BITDELTA_BLOCK;

		float left[DFS_BITDELTA_BLOCK] = { 0 };

		memcpy(left, delta + at, n * sizeof(*left));
		for (unsigned j = 0; j < pass; j++)
			residual(&r->table, block, j, at, n, left);
		add_sums(r, block, at, n, left);
	}
	return 0;
}

static uint16_t scale_store(float scale, int exponent)
{
	union { float value; uint32_t bits; } scaled = { .value = ldexpf(scale, -exponent) };
	uint8_t f32[4], bytes[2];
	uint16_t f16;

	dfs_put_u32le(f32, scaled.bits);
	dfs_convert(DFS_F32, DFS_F16, f32, bytes, 1);
	f16 = dfs_get_u16le(bytes);
	return f16 < DFS_BITDELTA_F16_END ? f16 : DFS_BITDELTA_F16_END - 1;
}

/*
 * The largest of the first round's scales becomes an F16 near the top of its
 * range. A later one may be up to twice that, where a few differences are much
 * larger than all others, and is then cut off at the largest F16.
 */
static int exponent_of(const double *means, uint64_t units)
{
	double largest = 0;
	int exponent;

	for (uint64_t u = 0; u < units; u++)
		largest = means[u] > largest ? means[u] : largest;
	frexp(largest, &exponent);
	exponent -= 15;	/* differences are too small for EXPONENT_MAX: dfs_delta() */
	return exponent < DFS_BITDELTA_EXPONENT_MIN ? DFS_BITDELTA_EXPONENT_MIN : exponent;
}

static int settle(const void *options, unsigned pass, const struct dfs_lossy_tensor *tensor)
{
	struct record *r = tensor->record;
	struct dfs_bitdelta_table *t = &r->table;

	record_init(options, r, tensor->shape);
	for (uint64_t u = 0; u < t->units; u++)
		r->sums[u] /= (double)(tensor->values / t->units);
	if (pass == 0)
		r->exponent = exponent_of(r->sums, t->units);
	for (uint64_t u = 0; u < t->units; u++) {
		t->scales[pass * t->units + u] = dfs_bitdelta_f16(scale_store((float)r->sums[u], r->exponent), r->exponent);
		r->sums[u] = 0;
	}
	return 0;
}

static int prepare(const void *options, const struct dfs_lossy_tensor *tensor, struct dfs_buf *table,
		   struct dfs_buf *notes, struct dfs_err *err)
{
	const struct record *r = tensor->record;
	const struct dfs_bitdelta_table *t = &r->table;
	uint8_t *to = dfs_buf_extend(table, DFS_BITDELTA_HEAD + 2 * t->units * t->k);

	(void)options;
	(void)notes;
	if (!to)
		return dfs_fail(err, ENOMEM, "out of memory");
	to[0] = (uint8_t)t->scale;
	to[1] = (uint8_t)t->k;
	to[2] = (uint8_t)(int8_t)r->exponent;
	to[3] = 0;
	for (uint64_t i = 0; i < t->units * t->k; i++)
		dfs_put_u16le(to + DFS_BITDELTA_HEAD + 2 * i, scale_store(t->scales[i], r->exponent));
	return 0;
}

/* The signs of up to DFS_BITDELTA_BLOCK differences, from a whole byte on. Those behind @n may be any. */
static void encode_signs(const float *delta, size_t n, uint8_t *bits)
{
	uint8_t minus[DFS_BITDELTA_BLOCK];

	for (size_t i = 0; i < DFS_BITDELTA_BLOCK; i++)
		minus[i] = delta[i] < 0;
	for (size_t i = n; i % 8; i++)
		minus[i] = 0;
	/* bit 0 of eight bytes becomes eight bits: byte i goes to place 56 + i, and what else there is falls off or below */
	for (size_t i = 0; i < n; i += 8)
		bits[i / 8] = (uint8_t)(dfs_get_u64le(minus + i) * 0x0102040810204080 >> 56);
}

static int encode(const struct dfs_block *block, float *delta, const struct dfs_table *table, struct dfs_span notes,
		  uint8_t *payload, size_t *ret_len, struct dfs_scratch *scratch)
{
	const struct dfs_bitdelta_table *t = (const struct dfs_bitdelta_table *)table;
	size_t len = (block->n + 7) / 8;

	(void)notes;
	(void)scratch;
	for (size_t at = 0; at < block->n; at += DFS_BITDELTA_BLOCK) {
		size_t n = block->n - at < DFS_BITDELTA_BLOCK ? block->n - at : DFS_BITDELTA_BLOCK;
		float left[DFS_BITDELTA_BLOCK] = { 0 };

		memcpy(left, delta + at, n * sizeof(*left));
		for (unsigned j = 0; j < t->k; j++) {
			if (j > 0)
				residual(t, block, j - 1, at, n, left);
			encode_signs(left, n, payload + j * len + at / 8);
		}
	}
	*ret_len = t->k * len;
	return 0;
}

static bool table_grows(const void *options)
{
	const struct options *o = options;

	return o->scale == DFS_BITDELTA_ROW;
}

const struct dfs_lossy dfs_lossy_bitdelta = {
	.codec = &dfs_codec_bitdelta,
	.options = option_rows,
	.defaults = defaults,
	.passes = passes,
	.record_size = record_size,
	.measure = measure,
	.settle = settle,
	.prepare = prepare,
	.table_grows = table_grows,
	.encode = encode,
};
