/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_read: from a payload to differences.
 *
 * Payload, deltafs-format(5) "delta-dct payload": the class of each patch, in
 * as few bits as there must be; then for each class the numbers of its patches;
 * then for each class their codes. So where a patch lies follows from how many
 * of its class come before it.
 *
 * A strip is p rows. Its patches are made in parts of PART columns, which stay
 * in the CPU's caches until they are added to the prediction.
 */
#include <errno.h>

#include "codec/delta_dct.h"

#define PART 512
#define STRIDE (PART + 16)	/* not a power of two: rows of a part would fight for the same lines of cache */

_Static_assert(PART % DFS_DCT_P_MAX == 0, "whole patches");

static unsigned map_bits(const struct dfs_dct_params *params)
{
	return params->n_classes == 1 ? 0 : 32 - __builtin_clz(params->n_classes - 1);
}

static size_t numbers_of(const struct dfs_dct_params *params, unsigned c)
{
	return params->number * (params->bits[c] && params->minmax ? 2 : 1);
}

static size_t codes_of(const struct dfs_dct_params *params, unsigned c)
{
	return params->p * params->p / 8 * params->bits[c];
}

struct dfs_dct_layout dfs_dct_layout(const struct dfs_dct_params *params, size_t rows, size_t cols,
				     const size_t *counts)
{
	struct dfs_dct_layout l = {
		.rows = rows,
		.cols = cols,
		.across = (size_t)dfs_dct_patches(cols, params->p),
		.map_bits = map_bits(params),
	};

	l.patches = l.across * (size_t)dfs_dct_patches(rows, params->p);
	l.len = (l.patches * l.map_bits + 7) / 8;
	for (uint32_t c = 0; counts && c < params->n_classes; c++) {
		l.numbers[c] = l.len;
		l.len += counts[c] * numbers_of(params, c);
	}
	for (uint32_t c = 0; counts && c < params->n_classes; c++) {
		l.codes[c] = l.len;
		l.len += counts[c] * codes_of(params, c);
	}
	return l;
}

void dfs_dct_layout_step(const struct dfs_dct_params *params, struct dfs_dct_layout *l, unsigned c)
{
	l->numbers[c] += numbers_of(params, c);
	l->codes[c] += codes_of(params, c);
}

/* --- checking */

/* A class has at most 3 bits, so two bytes hold it; the second may be of the padding. */
static unsigned class_of(const uint8_t *payload, unsigned bits, size_t patch)
{
	size_t at = patch * bits;

	return dfs_get_u16le(payload + at / 8) >> at % 8 & ((1u << bits) - 1);
}

static int count_classes(const struct dfs_dct_table *t, const struct dfs_dct_layout *l, const uint8_t *payload,
			 size_t *counts, struct dfs_err *err)
{
	size_t bits = l->patches * l->map_bits;

	for (size_t patch = 0; patch < l->patches; patch++) {
		unsigned c = class_of(payload, l->map_bits, patch);

		if (c >= t->params.n_classes)
			return dfs_fail(err, EUCLEAN, "delta-dct: patch %zu is of no class", patch);
		counts[c]++;
	}
	if (bits % 8 && payload[bits / 8] >> bits % 8)
		return dfs_fail(err, EUCLEAN, "delta-dct: bits behind the last class");
	return 0;
}

/* Numbers of two bytes are finite. */
static int check_numbers(const struct dfs_dct_table *t, const struct dfs_dct_layout *l, const uint8_t *payload,
			 struct dfs_err *err)
{
	if (t->params.number == 1)
		return 0;
	for (size_t at = l->numbers[0]; at < l->codes[0]; at += 2)
		if ((dfs_get_u16le(payload + at) & 0x7c00) == 0x7c00)
			return dfs_fail(err, EUCLEAN, "delta-dct: a number that is not finite");
	return 0;
}

int dfs_dct_read_open(struct dfs_dct_reader *r, const struct dfs_dct_table *t, struct dfs_shape shape, size_t n,
		      struct dfs_span payload, struct dfs_scratch *scratch, struct dfs_err *err)
{
	size_t counts[DFS_DCT_CLASSES] = { 0 };
	int ret;

	*r = (struct dfs_dct_reader){ .t = t, .payload = payload.data, .cpu = dfs_scratch_cpu(scratch) };
	if (!n || !shape.cols || n % shape.cols)
		return dfs_fail(err, EUCLEAN, "delta-dct: a chunk of %zu values is no rows", n);
	r->l = dfs_dct_layout(&t->params, n / shape.cols, shape.cols, NULL);
	if (payload.len < r->l.len)
		return dfs_fail(err, EUCLEAN, "delta-dct: a payload of %zu bytes, too short for its map", payload.len);
	ret = count_classes(t, &r->l, payload.data, counts, err);
	if (ret < 0)
		return ret;
	r->l = dfs_dct_layout(&t->params, n / shape.cols, shape.cols, counts);
	if (payload.len != r->l.len)
		return dfs_fail(err, EUCLEAN, "delta-dct: %zu payload bytes, not %zu", payload.len, r->l.len);
	r->room = dfs_scratch_get(scratch, DFS_SLOT_SPLIT, t->params.p * STRIDE * sizeof(float));
	if (!r->room)
		return dfs_fail(err, ENOMEM, "out of memory");
	return check_numbers(t, &r->l, payload.data, err);
}

/* --- a patch */

#define LANES(n) __attribute__((vector_size(4 * (n)), aligned(4), may_alias))
typedef float lanes4 LANES(4);
typedef float lanes8 LANES(8);

/* Codes of 1 and 2 bits, by whole bytes; @levels has those of a byte. */
#define SPREAD(lanes, each)									\
	static void spread_##lanes(const float *levels, const uint8_t *codes, size_t n, float low, float step, \
				   float *out)							\
	{											\
		for (size_t i = 0; i < n; i += each, codes++)					\
			*(lanes *)(out + i) = low + step * *(const lanes *)(levels + *codes * each); \
	}

SPREAD(lanes8, 8)
SPREAD(lanes4, 4)

/* Other codes: eight of them are @bits bytes. What lies behind them is read too, and is of no consequence. */
static void spread(const float *levels, unsigned bits, const uint8_t *codes, size_t n, float low, float step,
		   float *out)
{
	uint64_t mask = (1u << bits) - 1;

	for (size_t i = 0; i < n; i += 8, codes += bits) {
		uint64_t word = dfs_get_u64le(codes);

		for (unsigned k = 0; k < 8; k++)
			out[i + k] = low + step * levels[word >> k * bits & mask];
	}
}

static void read_coefficients(const struct dfs_dct_table *t, unsigned c, const uint8_t *numbers, const uint8_t *codes,
			      float *out)
{
	const float *levels = t->data + t->levels[c];
	size_t n = (size_t)t->params.p * t->params.p;
	unsigned bits = t->params.bits[c];
	float low = 0, step;

	if (t->params.minmax) {
		low = dfs_dct_number_get(t, DFS_DCT_BOUND, numbers);
		step = dfs_dct_number_get(t, DFS_DCT_BOUND, numbers + t->params.number);
		step = (step - low) / (float)((1u << bits) - 1);
	} else {
		step = dfs_dct_number_get(t, DFS_DCT_GAIN, numbers);
	}
	if (bits == 1)
		spread_lanes8(levels, codes, n, low, step, out);
	else if (bits == 2)
		spread_lanes4(levels, codes, n, low, step, out);
	else
		spread(levels, bits, codes, n, low, step, out);
}

/*
 * A number is below 2^(16 + 80 + 16), a coefficient below 8 times that, and
 * the transform multiplies by at most 2p = 128: what comes out is finite.
 */
static void read_patch(struct dfs_dct_reader *r, float *out)
{
	const struct dfs_dct_table *t = r->t;
	unsigned c = class_of(r->payload, r->l.map_bits, r->patch++);
	const uint8_t *numbers = r->payload + r->l.numbers[c], *codes = r->payload + r->l.codes[c];
	float coefficients[DFS_DCT_P_MAX * DFS_DCT_P_MAX] __attribute__((aligned(64)));

	dfs_dct_layout_step(&t->params, &r->l, c);
	if (t->params.bits[c]) {
		read_coefficients(t, c, numbers, codes, coefficients);
		dfs_dct_inverse(r->cpu, t->params.p, t->data, coefficients, out, STRIDE);
		return;
	}
	coefficients[0] = dfs_dct_number_get(t, DFS_DCT_MEAN, numbers);
	for (size_t i = 0; i < t->params.p; i++)
		for (size_t j = 0; j < t->params.p; j++)
			out[i * STRIDE + j] = coefficients[0];
}

bool dfs_dct_read(struct dfs_dct_reader *r, struct dfs_dct_part *ret_part)
{
	unsigned p = r->t->params.p;
	size_t cols = r->l.cols - r->col < PART ? r->l.cols - r->col : PART;
	size_t rows = r->l.rows - r->row < p ? r->l.rows - r->row : p;

	if (!rows)
		return false;
	for (size_t at = 0; at < cols; at += p)
		read_patch(r, r->room + at);
	*ret_part = (struct dfs_dct_part){
		.row = r->row, .col = r->col, .rows = rows, .cols = cols, .stride = STRIDE, .values = r->room,
	};
	r->col += cols;
	if (r->col == r->l.cols) {
		r->col = 0;
		r->row += rows;
	}
	return true;
}
