/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_write: from differences to a payload.
 *
 * Patches that have codes are gathered until they fill a batch of the
 * transform; each remembers where its numbers and codes go.
 */
#include <errno.h>
#include <math.h>

#include "codec/delta_dct.h"

#define BATCH_MAX (DFS_DCT_BATCH / 64)	/* patches, at the smallest p */

struct place {
	uint8_t *numbers, *codes;
	unsigned class;
	float norm;
};

struct writer {
	const struct dfs_dct_table *t;
	struct dfs_scratch *scratch;
	enum dfs_cpu cpu;
	float *in, *out;		/* a batch, and what the transform makes of it */
	size_t n;			/* patches in it */
	struct place places[BATCH_MAX];
	float limits[DFS_DCT_CLASSES][256];	/* what separates codes: the middle between levels */
};

static void fill_limits(const struct dfs_dct_params *params, struct writer *w)
{
	for (uint32_t c = 0; c < params->n_classes; c++)
		for (unsigned code = 0; code + 1 < 1u << params->bits[c]; code++)
			w->limits[c][code] = (dfs_dct_level(params->minmax, params->bits[c], code) +
					      dfs_dct_level(params->minmax, params->bits[c], code + 1)) / 2;
}

/* --- from coefficients to codes: how many limits lie below a value times @factor plus @move */

#define COUNTED 3	/* bits up to which counting is faster than searching */

#define COUNT(level, target, lanes)								\
	target static void count_##level(const float *limits, unsigned n_limits, const float *c, size_t n, \
					 float factor, float move, uint8_t *codes)		\
	{											\
		typedef float floats __attribute__((vector_size(4 * (lanes)), aligned(4), may_alias)); \
		typedef uint32_t words __attribute__((vector_size(4 * (lanes))));		\
		typedef uint8_t bytes __attribute__((vector_size(lanes), aligned(1), may_alias)); \
												\
		for (size_t i = 0; i < n; i += lanes) {						\
			floats x = *(const floats *)(c + i) * factor + move;			\
			words count = { 0 };							\
												\
			for (unsigned k = 0; k < n_limits; k++)					\
				count -= (words)(x > limits[k]);				\
			*(bytes *)(codes + i) = __builtin_convertvector(count, bytes);		\
		}										\
	}

COUNT(portable, , 4)
COUNT(avx2, DFS_FOR_AVX2, 8)
COUNT(avx512, DFS_FOR_AVX512, 16)

typedef void count_fn(const float *limits, unsigned n_limits, const float *c, size_t n, float factor, float move,
		      uint8_t *codes);

static count_fn *const count_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(count);

static uint8_t search(const float *limits, unsigned bits, float x)
{
	unsigned code = 0;

	for (unsigned step = 1u << bits >> 1; step; step >>= 1)
		code += x > limits[code + step - 1] ? step : 0;
	return (uint8_t)code;
}

static void quantise(const struct writer *w, unsigned class, const float *c, float factor, float move, uint8_t *codes)
{
	size_t n = (size_t)w->t->params.p * w->t->params.p;
	unsigned bits = w->t->params.bits[class];

	if (bits <= COUNTED)
		count_of_level[w->cpu](w->limits[class], (1u << bits) - 1, c, n, factor, move, codes);
	else
		for (size_t i = 0; i < n; i++)
			codes[i] = search(w->limits[class], bits, c[i] * factor + move);
}

/* --- a patch, transformed: @c is 2p times its coefficients */

/* What is best to multiply levels by: the coefficients' spread, or for signs their mean magnitude. */
static void lloyd_codes(const struct writer *w, const struct place *place, const float *c, uint8_t *codes)
{
	unsigned p = w->t->params.p;
	double gain = place->norm / p;

	if (w->t->params.bits[place->class] == 1)
		gain = dfs_dct_magnitude(w->cpu, c, 0, 1, (size_t)p * p) / (2.0 * p * p * p);
	dfs_dct_number_put(w->t, DFS_DCT_GAIN, gain, place->numbers);
	gain = dfs_dct_number_get(w->t, DFS_DCT_GAIN, place->numbers);
	quantise(w, place->class, c, gain > 0 ? (float)(0.5 / p / gain) : 0, 0, codes);
}

static void bounds_of(const float *c, size_t n, float *ret_low, float *ret_high)
{
	float low[8], high[8];

	for (size_t k = 0; k < 8; k++)
		low[k] = high[k] = c[k];
	for (size_t i = 8; i < n; i += 8)
		for (size_t k = 0; k < 8; k++) {
			low[k] = c[i + k] < low[k] ? c[i + k] : low[k];
			high[k] = c[i + k] > high[k] ? c[i + k] : high[k];
		}
	for (size_t k = 1; k < 8; k++) {
		low[0] = low[k] < low[0] ? low[k] : low[0];
		high[0] = high[k] > high[0] ? high[k] : high[0];
	}
	*ret_low = low[0];
	*ret_high = high[0];
}

/* Equal steps between the extremes: levels are whole numbers. */
static void minmax_codes(const struct writer *w, const struct place *place, const float *c, uint8_t *codes)
{
	const struct dfs_dct_params *params = &w->t->params;
	float factor = 0.5f / (float)params->p, low, high, steps;

	bounds_of(c, (size_t)params->p * params->p, &low, &high);
	dfs_dct_number_put(w->t, DFS_DCT_BOUND, low * factor, place->numbers);
	dfs_dct_number_put(w->t, DFS_DCT_BOUND, high * factor, place->numbers + params->number);
	low = dfs_dct_number_get(w->t, DFS_DCT_BOUND, place->numbers);
	high = dfs_dct_number_get(w->t, DFS_DCT_BOUND, place->numbers + params->number);
	steps = high > low ? (float)((1u << params->bits[place->class]) - 1) / (high - low) : 0;
	quantise(w, place->class, c, factor * steps, -low * steps, codes);
}

/* Each second one of parts of @from bits, of which @used count, moves down to the one before it. */
static uint64_t join(uint64_t word, unsigned from, unsigned used, uint64_t ones)
{
	uint64_t low = ones * ((1ull << used) - 1);

	return (word & low) | (word >> (from - used) & low << used);
}

/* Eight codes are @bits bytes: bytes become pairs, pairs fours, and fours one number. */
static void pack(const uint8_t *codes, size_t n, unsigned bits, uint8_t *out)
{
	for (size_t i = 0; i < n; i += 8, out += bits) {
		uint64_t word = join(dfs_get_u64le(codes + i), 8, bits, 0x0001000100010001);
		uint8_t bytes[8];

		word = join(word, 16, 2 * bits, 0x0000000100000001);
		dfs_put_u64le(bytes, join(word, 32, 4 * bits, 1));
		memcpy(out, bytes, bits);
	}
}

static int flush(struct writer *w)
{
	const struct dfs_dct_table *t = w->t;
	size_t n = (size_t)t->params.p * t->params.p;
	int ret = w->n ? dfs_dct_forward(w->scratch, t->params.p, w->in, w->out, w->n) : 0;

	for (size_t i = 0; ret == 0 && i < w->n; i++) {
		const struct place *place = &w->places[i];
		uint8_t codes[DFS_DCT_P_MAX * DFS_DCT_P_MAX];

		(t->params.minmax ? minmax_codes : lloyd_codes)(w, place, w->out + i * n, codes);
		pack(codes, n, t->params.bits[place->class], place->codes);
	}
	w->n = 0;
	return ret;
}

/* --- a patch of differences */

/* @rows and @cols: what the tensor has of the patch; the rest is zero. */
static void gather(const float *delta, size_t stride, size_t rows, size_t cols, unsigned p, float *out)
{
	if (rows < p || cols < p)
		memset(out, 0, (size_t)p * p * sizeof(*out));
	for (size_t i = 0; i < rows; i++)
		memcpy(out + i * p, delta + i * stride, cols * sizeof(*out));
}

static int add_patch(struct writer *w, struct place place, const float *delta, size_t stride, size_t rows, size_t cols)
{
	unsigned p = w->t->params.p;

	gather(delta, stride, rows, cols, p, w->in + w->n * p * p);
	w->places[w->n++] = place;
	return w->n == dfs_dct_batch(p) ? flush(w) : 0;
}

static void write_map(const struct dfs_dct_layout *l, const uint8_t *classes, uint8_t *payload)
{
	memset(payload, 0, (l->patches * l->map_bits + 7) / 8);
	for (size_t patch = 0; patch < l->patches; patch++)
		for (unsigned k = 0; k < l->map_bits; k++) {
			size_t at = patch * l->map_bits + k;

			payload[at / 8] |= (uint8_t)((classes[patch] >> k & 1) << at % 8);
		}
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int dfs_dct_write(const struct dfs_dct_table *t, const struct dfs_dct_layout *layout,
		  const struct dfs_dct_known *known, const float *delta, uint8_t *payload, struct dfs_scratch *scratch)
{
	struct writer w = { .t = t, .scratch = scratch, .cpu = dfs_scratch_cpu(scratch) };
	struct dfs_dct_layout l = *layout;
	unsigned p = t->params.p;
	int ret = 0;

	w.in = dfs_scratch_get(scratch, DFS_SLOT_WORDS, 2 * DFS_DCT_BATCH * sizeof(float));
	if (!w.in)
		return -ENOMEM;
	w.out = w.in + DFS_DCT_BATCH;
	fill_limits(&t->params, &w);
	write_map(&l, known->classes, payload);
	for (size_t patch = 0; ret == 0 && patch < l.patches; patch++) {
		size_t row = patch / l.across * p, col = patch % l.across * p;
		unsigned c = known->classes[patch];
		struct place place = { payload + l.numbers[c], payload + l.codes[c], c, known->norms[patch] };

		if (t->params.bits[c])
			ret = add_patch(&w, place, delta + row * l.cols + col, l.cols, least(l.rows - row, p),
					least(l.cols - col, p));
		else
			dfs_dct_number_put(t, DFS_DCT_MEAN, known->means[patch], place.numbers);
		dfs_dct_layout_step(&t->params, &l, c);
	}
	return ret == 0 ? flush(&w) : ret;
}
