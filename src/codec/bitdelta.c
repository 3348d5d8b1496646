/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitdelta: the sign of each difference, and one scale for many of them.
 *
 * J. Liu et al.: BitDelta: Your Fine-Tune May Only Be Worth One Bit. NeurIPS
 * 2024, section 3.1 (before the distillation, which needs data): the scale is
 * the mean absolute difference, the best in the sense of least squares. Here
 * of the whole tensor, of each row, or of each column; and once more of what
 * is left over (k > 1). A difference of zero counts as positive.
 *
 * Table, deltafs-format(5) "bitdelta table": u8 scale (0 scalar, 1 row, 2
 * column), u8 k, s8 exponent, u8 zero; then for each of k rounds one F16 for
 * the tensor, each row or each column; a scale is F16 * 2^exponent.
 * Payload: for each round a bit a value, 1 for minus, up to a whole byte.
 */
#include <errno.h>
#include <math.h>

#include "codec/add.h"
#include "codec/internal.h"
#include "codec/lossy.h"
#include "tensor/convert.h"

enum scale { SCALAR, ROW, COLUMN };

static const char *const scale_words[] = { "scalar", "row", "column", NULL };

struct options {
	double scale, k;
};

static const struct dfs_option option_rows[] = {
	{ .name = "scale", .words = scale_words, .offset = offsetof(struct options, scale) },
	{ .name = "k", .min = 1, .max = 8, .whole = true, .offset = offsetof(struct options, k) },
	{ .name = NULL },
};

static void defaults(void *options)
{
	*(struct options *)options = (struct options){ .scale = ROW, .k = 1 };
}

#define HEAD 4		/* bytes of the table before the scales */
#define BLOCK 512	/* values that are made at a time */
#define F16_TOP 0x7c00	/* infinity */

struct table {
	struct dfs_table base;
	uint32_t k;
	enum scale scale;
	uint64_t units;		/* scales a round */
	float scales[];		/* k * units */
};

static uint64_t units_of(enum scale scale, struct dfs_shape shape)
{
	return scale == SCALAR ? 1 : scale == ROW ? shape.rows : shape.cols;
}

static bool accepts(struct dfs_shape shape)
{
	return dfs_add_takes(shape.dtype) && !shape.drop && shape.rows && shape.cols;
}

/* --- what both sides do: the scales of neighbouring values */

static void fill(const struct table *t, const struct dfs_block *block, unsigned round, size_t at, size_t n, float *out)
{
	const float *scales = t->scales + round * t->units;
	uint64_t cols = block->shape.cols;
	uint64_t row = (block->first + at) / cols, col = (block->first + at) % cols;

	for (size_t i = 0; i < n; row++, col = 0) {
		size_t stop = n - i < cols - col ? n : i + (size_t)(cols - col);
		float same = t->scale == ROW ? scales[row] : scales[0];

		if (t->scale == COLUMN)
			memcpy(out + i, scales + col, (stop - i) * sizeof(*out));
		else
			for (size_t k = i; k < stop; k++)
				out[k] = same;
		i = stop;
	}
}

/* --- writing */

struct record {
	int exponent;		/* settled after the first pass */
	double *sums;		/* units, in the record behind the scales */
	struct table table;
};

static unsigned passes(const void *options)
{
	return (unsigned)((const struct options *)options)->k;
}

static size_t record_size(const void *options, struct dfs_shape shape)
{
	const struct options *o = options;
	uint64_t units = units_of((enum scale)o->scale, shape);

	return sizeof(struct record) + units * ((size_t)o->k * sizeof(float) + sizeof(double)) + sizeof(double);
}

static void record_init(const struct options *o, struct record *r, struct dfs_shape shape)
{
	size_t scales;

	r->table.k = (uint32_t)o->k;
	r->table.scale = (enum scale)o->scale;
	r->table.units = units_of(r->table.scale, shape);
	scales = sizeof(*r) + r->table.units * r->table.k * sizeof(float);
	r->sums = (double *)((uint8_t *)r + (scales + sizeof(double) - 1) / sizeof(double) * sizeof(double));
}

/* What is left of differences after @rounds; the signs of the next one are its signs. */
static void residual(const struct table *t, const struct dfs_block *block, unsigned rounds, size_t at, size_t n,
		     float *delta)
{
	float scale[BLOCK];

	for (unsigned j = 0; j < rounds; j++) {
		fill(t, block, j, at, n, scale);
		for (size_t i = 0; i < n; i++)
			delta[i] -= delta[i] < 0 ? -scale[i] : scale[i];
	}
}

/* Several sums at a time: one alone waits for each addition. */
#define SUMS 8

static double sum_of(const float *delta, size_t n)
{
	double sums[SUMS] = { 0 };
	size_t i = 0;

	for (; n - i >= SUMS; i += SUMS)
		for (size_t k = 0; k < SUMS; k++)
			sums[k] += fabsf(delta[i + k]);
	for (; i < n; i++)
		sums[0] += fabsf(delta[i]);
	for (size_t k = 1; k < SUMS; k++)
		sums[0] += sums[k];
	return sums[0];
}

static void add_sums(struct record *r, const struct dfs_block *block, size_t at, size_t n, const float *delta)
{
	uint64_t cols = block->shape.cols;
	uint64_t row = (block->first + at) / cols, col = (block->first + at) % cols;

	for (size_t i = 0; i < n; row++, col = 0) {
		size_t stop = n - i < cols - col ? n : i + (size_t)(cols - col);

		if (r->table.scale == COLUMN)
			for (size_t k = i; k < stop; k++)
				r->sums[col + k - i] += fabsf(delta[k]);
		else
			r->sums[r->table.scale == ROW ? row : 0] += sum_of(delta + i, stop - i);
		i = stop;
	}
}

static int measure(const void *options, unsigned pass, const struct dfs_block *block, float *delta,
		   const struct dfs_lossy_tensor *tensor, struct dfs_scratch *scratch)
{
	struct record *r = tensor->record;

	(void)scratch;
	record_init(options, r, block->shape);
	for (size_t at = 0; at < block->n; at += BLOCK) {
		size_t n = block->n - at < BLOCK ? block->n - at : BLOCK;

		residual(&r->table, block, pass, at, n, delta + at);
		add_sums(r, block, at, n, delta + at);
	}
	return 0;
}

static float scale_load(uint16_t f16, int exponent)
{
	uint8_t bytes[2];
	float value;

	dfs_put_u16le(bytes, f16);
	dfs_convert(DFS_F16, DFS_F32, bytes, &value, 1);
	return ldexpf(value, exponent);
}

static uint16_t scale_store(float scale, int exponent)
{
	float value = ldexpf(scale, -exponent);
	uint8_t bytes[2];

	dfs_convert(DFS_F32, DFS_F16, &value, bytes, 1);
	return dfs_get_u16le(bytes);
}

/* The largest of the first round's scales becomes an F16 near the top of its range; others are smaller. */
static int exponent_of(const double *means, uint64_t units)
{
	double largest = 0;
	int exponent;

	for (uint64_t u = 0; u < units; u++)
		largest = means[u] > largest ? means[u] : largest;
	frexp(largest, &exponent);
	exponent -= 15;
	return exponent < -128 ? -128 : exponent > 127 ? 127 : exponent;
}

static int settle(const void *options, unsigned pass, const struct dfs_lossy_tensor *tensor)
{
	struct record *r = tensor->record;
	struct table *t = &r->table;

	record_init(options, r, tensor->shape);
	for (uint64_t u = 0; u < t->units; u++)
		r->sums[u] /= (double)(tensor->values / t->units);
	if (pass == 0)
		r->exponent = exponent_of(r->sums, t->units);
	for (uint64_t u = 0; u < t->units; u++) {
		t->scales[pass * t->units + u] = scale_load(scale_store((float)r->sums[u], r->exponent), r->exponent);
		r->sums[u] = 0;
	}
	return 0;
}

static int prepare(const void *options, const struct dfs_lossy_tensor *tensor, struct dfs_buf *table,
		   struct dfs_buf *notes, struct dfs_err *err)
{
	const struct record *r = tensor->record;
	const struct table *t = &r->table;
	uint8_t *to = dfs_buf_extend(table, HEAD + 2 * t->units * t->k);

	(void)options;
	(void)notes;
	if (!to)
		return dfs_fail(err, ENOMEM, "out of memory");
	to[0] = (uint8_t)t->scale;
	to[1] = (uint8_t)t->k;
	to[2] = (uint8_t)(int8_t)r->exponent;
	to[3] = 0;
	for (uint64_t i = 0; i < t->units * t->k; i++)
		dfs_put_u16le(to + HEAD + 2 * i, scale_store(t->scales[i], r->exponent));
	return 0;
}

static size_t bound(struct dfs_shape shape, size_t n)
{
	(void)shape;
	return 8 * ((n + 7) / 8);
}

/* The signs of a block, and what is left of it. */
#define TAKE_SIGNS(level, target)								\
	target static void take_signs_##level(float *delta, const float *scale, uint8_t *bits)	\
	{											\
		for (size_t i = 0; i < BLOCK; i += 32, bits += 4) {				\
			uint32_t word = 0;							\
												\
			for (uint32_t k = 0; k < 32; k++)					\
				word |= delta[i + k] < 0 ? 1u << k : 0;				\
			for (uint32_t k = 0; k < 32; k++)					\
				delta[i + k] -= delta[i + k] < 0 ? -scale[i + k] : scale[i + k]; \
			dfs_put_u32le(bits, word);						\
		}										\
	}

TAKE_SIGNS(portable, )
TAKE_SIGNS(avx2, DFS_FOR_AVX2)
TAKE_SIGNS(avx512, DFS_FOR_AVX512)

typedef void take_signs_fn(float *delta, const float *scale, uint8_t *bits);

static take_signs_fn *const take_signs_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(take_signs);

static int encode(const struct dfs_block *block, float *delta, const struct dfs_table *table, struct dfs_span notes,
		  uint8_t *payload, size_t *ret_len, struct dfs_scratch *scratch)
{
	const struct table *t = (const struct table *)table;
	size_t len = (block->n + 7) / 8;

	(void)notes;
	for (size_t at = 0; at < block->n; at += BLOCK) {
		size_t n = block->n - at < BLOCK ? block->n - at : BLOCK;
		float scale[BLOCK], part[BLOCK] = { 0 };
		uint8_t bits[BLOCK / 8];

		memcpy(part, delta + at, n * sizeof(*part));
		for (unsigned j = 0; j < t->k; j++) {
			fill(t, block, j, at, n, scale);
			memset(part + n, 0, (BLOCK - n) * sizeof(*part));	/* no bit behind the last value */
			memset(scale + n, 0, (BLOCK - n) * sizeof(*scale));
			take_signs_of_level[dfs_scratch_cpu(scratch)](part, scale, bits);
			memcpy(payload + j * len + at / 8, bits, (n + 7) / 8);
		}
	}
	*ret_len = t->k * len;
	return 0;
}

/* --- reading */

static int table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding, struct dfs_table **ret_table,
		      struct dfs_err *err)
{
	uint64_t units;
	struct table *t;

	(void)encoding;
	if (bytes.len < HEAD || bytes.data[0] > COLUMN || bytes.data[1] < 1 || bytes.data[1] > 8 || bytes.data[3])
		return dfs_fail(err, EUCLEAN, "bitdelta: a table that begins with what is not allowed");
	units = units_of((enum scale)bytes.data[0], shape);
	if (units > bytes.len || bytes.len != HEAD + 2 * units * bytes.data[1])
		return dfs_fail(err, EUCLEAN, "bitdelta: a table of %zu bytes", bytes.len);
	t = dfs_table_alloc(sizeof(*t) + units * bytes.data[1] * sizeof(float), sizeof(*t));
	if (!t)
		return dfs_fail(err, ENOMEM, "out of memory");
	t->scale = (enum scale)bytes.data[0];
	t->k = bytes.data[1];
	t->units = units;
	for (uint64_t i = 0; i < units * t->k; i++) {
		uint16_t f16 = dfs_get_u16le(bytes.data + HEAD + 2 * i);

		if (f16 >= F16_TOP) {
			dfs_table_close(&t->base);
			return dfs_fail(err, EUCLEAN, "bitdelta: a scale that is negative or not finite");
		}
		t->scales[i] = scale_load(f16, (int8_t)bytes.data[2]);
	}
	*ret_table = &t->base;
	return 0;
}

/* Signs of 32 values at a time, which compilers make vectors of. */
#define SIGNS(level, target)									\
	target static void sign_##level(const uint8_t *bits, const float *scale, float *delta, bool first) \
	{											\
		for (size_t i = 0; i < BLOCK; i += 32, bits += 4) {				\
			uint32_t word = dfs_get_u32le(bits);					\
			float signed_[32];							\
												\
			for (uint32_t k = 0; k < 32; k++) {					\
				union { float value; uint32_t bits; } s = { .value = scale[i + k] }; \
												\
				s.bits ^= word << (31 - k) & 0x80000000;			\
				signed_[k] = s.value;						\
			}									\
			for (uint32_t k = 0; k < 32; k++)					\
				delta[i + k] = first ? signed_[k] : delta[i + k] + signed_[k];	\
		}										\
	}

SIGNS(portable, )
SIGNS(avx2, DFS_FOR_AVX2)
SIGNS(avx512, DFS_FOR_AVX512)

typedef void sign_fn(const uint8_t *bits, const float *scale, float *delta, bool first);

static sign_fn *const sign_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(sign);

static int check_payload(const struct table *t, size_t n, struct dfs_span payload, struct dfs_err *err)
{
	size_t len = (n + 7) / 8;
	unsigned spare = (unsigned)(8 * len - n);

	if (payload.len != t->k * len)
		return dfs_fail(err, EUCLEAN, "bitdelta: %zu payload bytes, not %zu", payload.len, t->k * len);
	for (unsigned j = 0; j < t->k; j++)
		if (spare && payload.data[(j + 1) * len - 1] >> (8 - spare))
			return dfs_fail(err, EUCLEAN, "bitdelta: bits behind the last value");
	return 0;
}

static int decode(const struct dfs_block *block, struct dfs_span payload, const struct dfs_table *table, void *out,
		  struct dfs_scratch *scratch, struct dfs_err *err)
{
	const struct table *t = (const struct table *)table;
	unsigned size = dfs_dtype_info(block->shape.dtype)->size;
	enum dfs_cpu cpu = dfs_scratch_cpu(scratch);
	size_t len = (block->n + 7) / 8;
	int ret = check_payload(t, block->n, payload, err);

	for (size_t at = 0; at < block->n && ret == 0; at += BLOCK) {
		size_t n = block->n - at < BLOCK ? block->n - at : BLOCK;
		float scale[BLOCK], delta[BLOCK];

		/* behind the payload there are DFS_PAYLOAD_PAD bytes, and behind the values some of any content */
		for (unsigned j = 0; j < t->k; j++) {
			fill(t, block, j, at, n, scale);
			memset(scale + n, 0, (BLOCK - n) * sizeof(*scale));
			sign_of_level[cpu](payload.data + j * len + at / 8, scale, delta, j == 0);
		}
		dfs_add(cpu, block->shape.dtype, (const uint8_t *)block->pred + at * size, delta,
			(uint8_t *)out + at * size, n);
	}
	return ret;
}

const struct dfs_codec dfs_codec_bitdelta = {
	.name = "bitdelta",
	.needs_prediction = true,
	.record_size = 1,
	.accepts = accepts,
	.table_open = table_open,
	.bound = bound,
	.decode = decode,
};

const struct dfs_lossy dfs_lossy_bitdelta = {
	.codec = &dfs_codec_bitdelta,
	.options = option_rows,
	.defaults = defaults,
	.passes = passes,
	.record_size = record_size,
	.measure = measure,
	.settle = settle,
	.prepare = prepare,
	.encode = encode,
};
