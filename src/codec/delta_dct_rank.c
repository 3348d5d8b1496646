/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_rank: patches by falling norm.
 *
 * A radix sort of the norms' bits, which rise with the norms: linear in their
 * number, and stable, so that of equals the one with the lower number is first.
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/delta_dct.h"
#include "util/auto.h"

#define DIGIT 8		/* bits sorted at a time */
#define DIGITS (1u << DIGIT)

static uint32_t key(float norm)
{
	union { float value; uint32_t bits; } word = { .value = norm };

	return ~word.bits;
}

static void sort_digit(const float *norms, unsigned shift, const uint32_t *from, uint32_t *to, size_t n)
{
	size_t starts[DIGITS + 1] = { 0 };

	for (size_t i = 0; i < n; i++)
		starts[1 + (key(norms[i]) >> shift & (DIGITS - 1))]++;
	for (unsigned d = 0; d < DIGITS; d++)
		starts[d + 1] += starts[d];
	for (size_t i = 0; i < n; i++)
		to[starts[key(norms[from[i]]) >> shift & (DIGITS - 1)]++] = from[i];
}

void dfs_dct_counts(const struct dfs_dct_options *options, size_t n, size_t *ret_counts)
{
	double share = 0;
	size_t before = 0;

	for (uint32_t c = 0; c < options->n_classes; c++) {
		size_t last;

		share += options->classes[c].share;
		last = c + 1 == options->n_classes ? n : (size_t)(share * (double)n + 0.5);
		last = last < n ? last : n;
		ret_counts[c] = last - before;
		before = last;
	}
}

int dfs_dct_rank(const struct dfs_dct_options *options, const float *norms, size_t n, uint8_t *classes)
{
	DFS_AUTO(mem) uint32_t *order = malloc(2 * n * sizeof(*order));
	size_t counts[DFS_DCT_CLASSES], at = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (unsigned shift = 0; shift < 32; shift += 2 * DIGIT) {
		sort_digit(norms, shift, order, order + n, n);
		sort_digit(norms, shift + DIGIT, order + n, order, n);
	}
	dfs_dct_counts(options, n, counts);
	for (uint32_t c = 0; c < options->n_classes; c++)
		for (size_t i = 0; i < counts[c]; i++)
			classes[order[at++]] = (uint8_t)c;
	return 0;
}
