/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sums: values plus differences, as deltafs-format(5) "adding a difference"
 * has it, slowly: on whole numbers of 320 bits, since all BF16, F16 and F32
 * are multiples of 2^-149. Shares nothing with src/.
 */
#ifndef DFS_TESTS_CODEC_SUMS_H
#define DFS_TESTS_CODEC_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sum_format {
	unsigned dtype, size, mantissa, exponent_bits;
	unsigned low;	/* the smallest positive number is 2^(low - 149) */
};

#define SUM_FORMATS 3
extern const struct sum_format sum_formats[SUM_FORMATS];	/* BF16, F16, F32 */

#define SUM_WORDS 10

struct sum_wide {
	uint32_t words[SUM_WORDS];	/* the lowest first */
};

bool sum_is_finite(const struct sum_format *f, uint32_t bits);
struct sum_wide sum_magnitude(const struct sum_format *f, uint32_t bits);	/* of a finite one */
/* sum_nearest() - bits of the nearest number of a format, without a sign; perhaps infinity */
uint32_t sum_nearest(const struct sum_format *f, const struct sum_wide *w);
/* sum_expected() - bits of a value of @f plus an F32 */
uint32_t sum_expected(const struct sum_format *f, uint32_t pred, uint32_t delta);

/* Value @i of an array, little endian, as its bits. */
uint32_t sum_value_at(const struct sum_format *f, const uint8_t *values, size_t i);
void sum_value_put(const struct sum_format *f, uint8_t *values, size_t i, uint32_t bits);

#endif
