/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitdelta: the sign of each difference, and one scale for many of them.
 *
 * Payload, deltafs-format(5) "bitdelta payload": for each round a bit a value,
 * 1 for minus, up to a whole byte.
 */
#include "codec/bitdelta.h"

#include <errno.h>

#include "codec/add.h"

static bool accepts(struct dfs_shape shape)
{
	return dfs_add_takes(shape.dtype) && !shape.drop && shape.rows && shape.cols;
}

static size_t bound(struct dfs_shape shape, size_t n)
{
	(void)shape;
	return 8 * ((n + 7) / 8);
}

/* The one that all of them have; NULL: they have several. */
static const float *same_scale(const struct dfs_bitdelta_table *t, const struct dfs_block *block, unsigned round, size_t at,
			       size_t n)
{
	uint64_t cols = block->shape.cols;
	uint64_t row = (block->first + at) / cols, col = (block->first + at) % cols;

	if (t->scale == DFS_BITDELTA_COLUMN || (n > cols - col && t->units > 1))
		return NULL;
	return &t->scales[round * t->units + (t->scale == DFS_BITDELTA_ROW ? row : 0)];
}

void dfs_bitdelta_fill(const struct dfs_bitdelta_table *t, const struct dfs_block *block, unsigned round, size_t at,
		       size_t n, float *out)
{
	const float *scales = t->scales + round * t->units;
	uint64_t cols = block->shape.cols;
	uint64_t row = (block->first + at) / cols, col = (block->first + at) % cols;
	const float *one = n == DFS_BITDELTA_BLOCK ? same_scale(t, block, round, at, n) : NULL;

	if (one) {
		/* a fixed length lets compilers make vectors of it */
		for (size_t i = 0; i < DFS_BITDELTA_BLOCK; i++)
			out[i] = *one;
		return;
	}
	for (size_t i = 0; i < n; row++, col = 0) {
		size_t stop = n - i < cols - col ? n : i + (size_t)(cols - col);
		float same = t->scale == DFS_BITDELTA_ROW ? scales[row] : scales[0];

		if (t->scale == DFS_BITDELTA_COLUMN)
			memcpy(out + i, scales + col, (stop - i) * sizeof(*out));
		else
			for (size_t k = i; k < stop; k++)
				out[k] = same;
		i = stop;
	}
}

static bool head_is_right(struct dfs_span bytes)
{
	const uint8_t *head = bytes.data;

	return bytes.len >= DFS_BITDELTA_HEAD && head[0] <= DFS_BITDELTA_COLUMN && head[1] >= 1 &&
	       head[1] <= DFS_BITDELTA_ROUNDS && head[3] == 0 &&
	       (int8_t)head[2] >= DFS_BITDELTA_EXPONENT_MIN && (int8_t)head[2] <= DFS_BITDELTA_EXPONENT_MAX;
}

static int table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding, struct dfs_table **ret_table,
		      struct dfs_err *err)
{
	uint64_t units;
	struct dfs_bitdelta_table *t;

	(void)encoding;
	if (!head_is_right(bytes))
		return dfs_fail(err, EUCLEAN, "bitdelta: a table that begins with what is not allowed");
	units = dfs_bitdelta_units((enum dfs_bitdelta_scale)bytes.data[0], shape);
	if (units > bytes.len || bytes.len != DFS_BITDELTA_HEAD + 2 * units * bytes.data[1])
		return dfs_fail(err, EUCLEAN, "bitdelta: a table of %zu bytes", bytes.len);
	t = dfs_table_alloc(sizeof(*t) + units * bytes.data[1] * sizeof(float), sizeof(*t));
	if (!t)
		return dfs_fail(err, ENOMEM, "out of memory");
	t->scale = (enum dfs_bitdelta_scale)bytes.data[0];
	t->k = bytes.data[1];
	t->units = units;
	for (uint64_t i = 0; i < units * t->k; i++) {
		uint16_t f16 = dfs_get_u16le(bytes.data + DFS_BITDELTA_HEAD + 2 * i);

		if (f16 >= DFS_BITDELTA_F16_END) {
			dfs_table_close(&t->base);
			return dfs_fail(err, EUCLEAN, "bitdelta: a scale that is negative or not finite");
		}
		t->scales[i] = dfs_bitdelta_f16(f16, (int8_t)bytes.data[2]);
	}
	*ret_table = &t->base;
	return 0;
}

/* One scale for the whole block, or one for each value. Signs of 32 at a time, which compilers make vectors of. */
#define SIGNS(level, target)									\
	target static inline void put_##level(const uint8_t *bits, const float *scale, bool one, float *delta, bool first) \
	{											\
		for (size_t i = 0; i < DFS_BITDELTA_BLOCK; i += 32, bits += 4) {		\
			uint32_t word = dfs_get_u32le(bits);					\
			float terms[32];							\
												\
			for (uint32_t k = 0; k < 32; k++) {					\
				union { float value; uint32_t bits; } term = { .value = scale[one ? 0 : i + k] }; \
												\
				term.bits ^= word & 1u << k ? 0x80000000 : 0;			\
				terms[k] = term.value;						\
			}									\
			if (first)								\
				memcpy(delta + i, terms, sizeof(terms));			\
			else									\
				for (uint32_t k = 0; k < 32; k++)				\
					delta[i + k] += terms[k];				\
		}										\
	}											\
												\
	target static void sign_##level(const uint8_t *bits, const float *scale, bool one, float *delta, bool first) \
	{											\
		if (one)									\
			put_##level(bits, scale, true, delta, first);				\
		else										\
			put_##level(bits, scale, false, delta, first);				\
	}

SIGNS(portable, )
SIGNS(avx2, DFS_FOR_AVX2)
SIGNS(avx512, DFS_FOR_AVX512)

typedef void sign_fn(const uint8_t *bits, const float *scale, bool one, float *delta, bool first);

static sign_fn *const sign_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(sign);

static int check_payload(const struct dfs_bitdelta_table *t, size_t n, struct dfs_span payload, struct dfs_err *err)
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

/* Values from @at on, a multiple of 8 unless they are the last: rather to the end of a row than across it. */
static size_t next_block(const struct dfs_bitdelta_table *t, const struct dfs_block *block, size_t at)
{
	size_t n = block->n - at < DFS_BITDELTA_BLOCK ? block->n - at : DFS_BITDELTA_BLOCK;
	uint64_t left = block->shape.cols - (block->first + at) % block->shape.cols;

	return t->scale == DFS_BITDELTA_ROW && left < n && left % 8 == 0 ? (size_t)left : n;
}

/* @delta: DFS_BITDELTA_BLOCK, of which n are of any use */
static void sum_rounds(const struct dfs_bitdelta_table *t, const struct dfs_block *block, const uint8_t *payload, size_t at,
		       size_t n, enum dfs_cpu cpu, float *delta)
{
	size_t len = (block->n + 7) / 8;
	float scale[DFS_BITDELTA_BLOCK];

	/* behind the payload there are DFS_PAYLOAD_PAD bytes, and behind the values some of any content */
	for (unsigned j = 0; j < t->k; j++) {
		const float *same = same_scale(t, block, j, at, n);

		if (!same) {
			dfs_bitdelta_fill(t, block, j, at, n, scale);
			memset(scale + n, 0, (DFS_BITDELTA_BLOCK - n) * sizeof(*scale));
		}
		sign_of_level[cpu](payload + j * len + at / 8, same ? same : scale, same, delta, j == 0);
	}
}

static int decode(const struct dfs_block *block, struct dfs_span payload, const struct dfs_table *table, void *out,
		  struct dfs_scratch *scratch, struct dfs_err *err)
{
	const struct dfs_bitdelta_table *t = (const struct dfs_bitdelta_table *)table;
	unsigned dtype = block->shape.dtype, size = dfs_dtype_info(dtype)->size;
	bool simple = t->k == 1 && dtype == DFS_BF16;
	enum dfs_cpu cpu = dfs_scratch_cpu(scratch);
	int ret = check_payload(t, block->n, payload, err);

	for (size_t at = 0, n; at < block->n && ret == 0; at += n) {
		const uint8_t *pred = (const uint8_t *)block->pred + at * size;
		uint8_t *to = (uint8_t *)out + at * size;
		float delta[DFS_BITDELTA_BLOCK];
		const float *same;

		n = next_block(t, block, at);
		same = simple ? same_scale(t, block, 0, at, n) : NULL;
		if (same) {
			dfs_add_signs(cpu, pred, payload.data + at / 8, *same, to, n);
			continue;
		}
		sum_rounds(t, block, payload.data, at, n, cpu, delta);
		dfs_add(cpu, dtype, pred, delta, to, n);
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
