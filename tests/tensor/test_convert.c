/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversion against the definition of the formats: every value of the 8- and
 * 16-bit sources to every target, and the wide sources around every place
 * where rounding can go either way. Fast loops and the definition must agree
 * at every CPU level.
 */
#include "../check.h"

#include <stdlib.h>

#include "tensor/convert.h"
#include "floats.h"
#include "util/bytes.h"
#include "util/cpu.h"

static const char *const levels[] = { "portable", "avx2", "avx512" };

static void put(void *p, const struct float_kind *k, uint64_t code)
{
	uint8_t bytes[8];

	dfs_put_u64le(bytes, code);
	memcpy(p, bytes, (size_t)width(k) / 8);
}

static uint64_t get(const void *p, const struct float_kind *k)
{
	uint8_t bytes[8] = { 0 };

	memcpy(bytes, p, (size_t)width(k) / 8);
	return dfs_get_u64le(bytes);
}

static uint64_t expected_nan(const struct float_kind *from, const struct float_kind *to,
			     uint64_t code)
{
	uint64_t payload = code & field_ones(from->mantissa);
	uint64_t exponent = field_ones(to->exponent) << to->mantissa;

	if (!to->ieee)
		return exponent | field_ones(to->mantissa);
	/* The payload read as a binary fraction, cut off after the target's bits. */
	payload = (uint64_t)floor(ldexp((double)payload, to->mantissa - from->mantissa));
	return exponent | (payload ? payload : UINT64_C(1) << (to->mantissa - 1));
}

static uint64_t expected(const struct float_kind *from, const struct float_kind *to, uint64_t code)
{
	uint64_t sign = (code >> (width(from) - 1)) << (width(to) - 1);
	uint64_t infinity = to->ieee ? code_max(to) + 1 : code_max(to);

	if (code_is_nan(from, code))
		return sign | expected_nan(from, to, code);
	if (code_is_infinite(from, code))
		return sign | infinity;
	return sign | code_nearest(to, fabs(code_value(from, code)));
}

/* Converts @n codes at once and each against the definition. */
static void check_codes(const struct float_kind *from, const struct float_kind *to,
			const uint64_t *codes, size_t n)
{
	size_t in_size = (size_t)width(from) / 8, out_size = (size_t)width(to) / 8;
	/* One byte off, so that nothing depends on alignment. */
	uint8_t *in = malloc(n * in_size + 1), *out = malloc(n * out_size + 1);

	CHECK(in && out);
	for (size_t i = 0; i < n; i++)
		put(in + 1 + i * in_size, from, codes[i]);
	for (size_t level = 0; level < sizeof(levels) / sizeof(levels[0]); level++) {
		setenv("DELTAFS_CPU", levels[level], 1);
		memset(out, 0xa5, n * out_size + 1);
		dfs_convert(from->dtype, to->dtype, in + 1, out + 1, n);
		for (size_t i = 0; i < n; i++) {
			uint64_t got = get(out + 1 + i * out_size, to);
			uint64_t want = expected(from, to, codes[i]);

			if (got != want)
				fail_msg("%s -> %s, %s: %llx gives %llx, not %llx",
					 dfs_dtype_info(from->dtype)->name,
					 dfs_dtype_info(to->dtype)->name, levels[level],
					 (unsigned long long)codes[i], (unsigned long long)got,
					 (unsigned long long)want);
		}
	}
	free(in);
	free(out);
}

static void every_narrow_value_to_every_target(void **state)
{
	uint64_t *codes = malloc(65536 * sizeof(*codes));

	(void)state;
	CHECK(codes);
	for (size_t f = 0; f < N_KINDS; f++) {
		if (width(&kinds[f]) > 16)
			continue;
		for (uint64_t code = 0; code < UINT64_C(1) << width(&kinds[f]); code++)
			codes[code] = code;
		for (size_t t = 0; t < N_KINDS; t++)
			check_codes(&kinds[f], &kinds[t], codes, (size_t)1 << width(&kinds[f]));
	}
	free(codes);
}

/* @v and its neighbours in the wide format @k, both signs. Return: how many. */
static size_t around(const struct float_kind *k, double v, uint64_t *codes)
{
	uint64_t code = code_nearest(k, v), sign = UINT64_C(1) << (width(k) - 1);
	size_t n = 0;

	for (uint64_t c = code > 2 ? code - 2 : 0; c <= code + 2; c++) {
		codes[n++] = c;
		codes[n++] = c | sign;
	}
	return n;
}

static void wide_values_around_every_tie(void **state)
{
	uint64_t *codes = malloc(65536 * 20 * sizeof(*codes));

	(void)state;
	CHECK(codes);
	for (size_t f = 4; f < N_KINDS; f++) {
		for (size_t t = 0; t < N_KINDS; t++) {
			const struct float_kind *to = &kinds[t];
			size_t n = 0;

			if (width(to) > 16)
				continue;
			for (uint64_t c = 0; c <= code_max(to); c++) {
				double v = code_value(to, c);
				double next = c < code_max(to) ? code_value(to, c + 1) :
								 2 * v - code_value(to, c - 1);

				n += around(&kinds[f], v, codes + n);
				n += around(&kinds[f], v + (next - v) / 2, codes + n);
			}
			check_codes(&kinds[f], to, codes, n);
		}
	}
	free(codes);
}

static void random_wide_values(void **state)
{
	enum { N = 100000 };
	uint64_t *codes = malloc(N * sizeof(*codes));
	uint64_t seed = 1;

	(void)state;
	CHECK(codes);
	for (size_t f = 4; f < N_KINDS; f++) {
		for (size_t i = 0; i < N; i++)
			codes[i] = random_next(&seed) >> (64 - width(&kinds[f]));
		for (size_t t = 0; t < 4; t++)
			check_codes(&kinds[f], &kinds[t], codes, N);
	}
	free(codes);
}

/* The compiler's own conversions, for the pairs that C has everywhere. */
static void float_and_double_as_the_compiler_does(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		uint64_t bits = random_next(&seed), got64;
		uint32_t got32, want32;
		uint8_t in[8], out[8];
		double d;
		float f;

		/* Half of them in reach of F32, most of the rest far outside. */
		if (i & 1)
			bits = (bits & ~(UINT64_C(0x7ff) << 52)) |
			       (UINT64_C(860) + bits % 300) << 52;
		memcpy(&d, &bits, sizeof(d));
		if (isnan(d))
			continue;
		dfs_put_u64le(in, bits);
		dfs_convert(DFS_F64, DFS_F32, in, out, 1);
		got32 = dfs_get_u32le(out);
		f = (float)d;
		memcpy(&want32, &f, sizeof(f));
		assert_int_equal(got32, want32);

		d = f;
		memcpy(&bits, &d, sizeof(d));
		dfs_convert(DFS_F32, DFS_F64, out, in, 1);
		got64 = dfs_get_u64le(in);
		assert_int_equal(got64, bits);
	}
}

static void known_values(void **state)
{
	static const struct {
		enum dfs_dtype from, to;
		uint64_t in, out;
	} cases[] = {
		{ DFS_BF16, DFS_F32, 0x3f80, 0x3f800000 },
		{ DFS_BF16, DFS_F32, 0x7f81, 0x7f810000 },	/* a signalling NaN stays one */
		{ DFS_F32, DFS_BF16, 0x7f800001, 0x7fc0 },	/* its payload is gone: quiet */
		{ DFS_F32, DFS_BF16, 0xff81ffff, 0xff81 },
		{ DFS_F32, DFS_BF16, 0x7f7fffff, 0x7f80 },	/* FLT_MAX overflows */
		{ DFS_F32, DFS_BF16, 0x3f808000, 0x3f80 },	/* ties to even */
		{ DFS_F32, DFS_BF16, 0x3f818000, 0x3f82 },
		{ DFS_F32, DFS_BF16, 0x80000001, 0x8000 },
		{ DFS_F32, DFS_F16, 0x477fefff, 0x7bff },	/* just under 65520 */
		{ DFS_F32, DFS_F16, 0x477ff000, 0x7c00 },	/* 65520 */
		{ DFS_F32, DFS_F16, 0x33000000, 0x0000 },	/* 2^-25, half of the least */
		{ DFS_F32, DFS_F16, 0x33000001, 0x0001 },
		{ DFS_F32, DFS_F16, 0x7f802000, 0x7c01 },
		{ DFS_F32, DFS_F16, 0x7f800100, 0x7e00 },
		{ DFS_F32, DFS_F8_E4M3, 0x43e00000, 0x7e },	/* 448 */
		{ DFS_F32, DFS_F8_E4M3, 0x7f800000, 0x7e },	/* no infinity: the largest */
		{ DFS_F32, DFS_F8_E4M3, 0xffc00000, 0xff },
		{ DFS_F8_E4M3, DFS_F16, 0x7f, 0x7f80 },		/* the NaN, payload 7 on top */
		{ DFS_F32, DFS_F8_E5M2, 0x47800000, 0x7c },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t in[8], out[8] = { 0 };

		dfs_put_u64le(in, cases[i].in);
		dfs_convert(cases[i].from, cases[i].to, in, out, 1);
		assert_int_equal(dfs_get_u64le(out), cases[i].out);
	}
}

/* Lengths around the block size, and nothing written beyond. */
static void any_length_and_no_byte_more(void **state)
{
	uint8_t in[4 * 300], out[4 * 300 + 16];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 37);
	for (size_t n = 0; n <= 260; n++) {
		memset(out, 0xee, sizeof(out));
		dfs_convert(DFS_BF16, DFS_F32, in, out, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(dfs_get_u32le(out + 4 * i),
					 (uint32_t)dfs_get_u16le(in + 2 * i) << 16);
		for (size_t i = 4 * n; i < sizeof(out); i++)
			assert_int_equal(out[i], 0xee);
	}
}

static void what_converts(void **state)
{
	static const enum dfs_dtype floats[] = { DFS_F8_E5M2, DFS_F8_E4M3, DFS_F16,
						 DFS_BF16, DFS_F32, DFS_F64 };

	(void)state;
	for (unsigned from = 0; from < DFS_DTYPES; from++) {
		for (unsigned to = 0; to < DFS_DTYPES; to++) {
			int found = 0;

			for (size_t i = 0; i < 6; i++)
				found += (from == floats[i]) + (to == floats[i]);
			assert_int_equal(dfs_can_convert(from, to), from == to || found == 2);
		}
		CHECK(!dfs_can_convert(from, DFS_DTYPES));
		CHECK(!dfs_can_convert(DFS_DTYPES, from));
	}
}

static void equal_dtypes_are_copied(void **state)
{
	uint8_t in[64], out[64];

	(void)state;
	for (unsigned dtype = 0; dtype < DFS_DTYPES; dtype++) {
		size_t len = 5u * dfs_dtype_info(dtype)->size;

		memset(in, 0xfd, sizeof(in)); /* NaNs and all */
		memset(out, 0, sizeof(out));
		dfs_convert(dtype, dtype, in, out, 5);
		CHECK_BYTES(out, in, len);
		assert_int_equal(out[len], 0);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(known_values),
	cmocka_unit_test(what_converts),
	cmocka_unit_test(equal_dtypes_are_copied),
	cmocka_unit_test(any_length_and_no_byte_more),
	cmocka_unit_test(every_narrow_value_to_every_target),
	cmocka_unit_test(wide_values_around_every_tie),
	cmocka_unit_test(random_wide_values),
	cmocka_unit_test(float_and_double_as_the_compiler_does),
};

CHECK_MAIN(cases)
