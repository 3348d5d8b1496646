/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_rank: patches by falling norm.
 *
 * Shares are of as many patches as the values would fill: one that reaches
 * beyond the edges costs as much as a whole one, and a matrix whose sides are
 * no multiples of p is to have as many bits a value as one whose sides are.
 * Not of narrow ones, which are mostly edges: of 1 x 1000 a sixteenth of the
 * patches would be left, and bytes to save there are few.
 *
 * A radix sort of the norms' bits, which rise with the norms: linear in their
 * number, and stable, so that of equals the one with the lower number is first.
 */
#include <errno.h>
#include <math.h>
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

static size_t patches_of(unsigned p, uint64_t rows, uint64_t cols)
{
	return dfs_dct_patches(rows, p) * dfs_dct_patches(cols, p);
}

/* Where more than a fifth lies beyond the edges, a matrix is narrow. */
#define INSIDE_MIN 0.8

static double counted(size_t n, unsigned p, uint64_t rows, uint64_t cols)
{
	double filled = floor((double)rows * (double)cols / (p * p) + 0.5);

	return filled < INSIDE_MIN * (double)n ? (double)n : filled;
}

size_t dfs_dct_counts(const struct dfs_dct_options *options, uint64_t rows, uint64_t cols, size_t *ret_counts)
{
	unsigned p = dfs_dct_option_p(options);
	size_t n = patches_of(p, rows, cols);
	double share = 0, of = counted(n, p, rows, cols);
	size_t before = 0;

	for (uint32_t c = 0; c < options->n_classes; c++) {
		size_t last;

		share += options->classes[c].share;
		last = c + 1 == options->n_classes ? n : (size_t)(share * of + 0.5);
		last = last < n ? last : n;
		ret_counts[c] = last - before;
		before = last;
	}
	return (size_t)of;
}

int dfs_dct_rank(const struct dfs_dct_options *options, uint64_t rows, uint64_t cols, const float *norms, uint8_t *classes)
{
	size_t n = patches_of(dfs_dct_option_p(options), rows, cols);
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
	dfs_dct_counts(options, rows, cols, counts);
	for (uint32_t c = 0; c < options->n_classes; c++)
		for (size_t i = 0; i < counts[c]; i++)
			classes[order[at++]] = (uint8_t)c;
	return 0;
}
