/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_mean: what a patch without bits becomes.
 *
 * A mean that chance alone would make of values around zero, three standard
 * errors, tells nothing of the fine-tune. Yet it would add to the mean
 * magnitude that the scale is to restore, and so make all patches with bits
 * smaller: by 4 % at p=16, and half as many points again were lost. Where few
 * patches have bits, the means are what there is, and without them the scale
 * would be much too large; of few values no sum is beyond chance. The paper's
 * own levels come with all means of the paper.
 */
#include <math.h>

#include "codec/delta_dct.h"

#define VALUES_MIN 64	/* fewer have the mean that they have */

bool dfs_dct_drops_chance(const struct dfs_dct_options *options, uint64_t rows, uint64_t cols)
{
	struct dfs_dct_params params = dfs_dct_params_of(options);
	size_t counts[DFS_DCT_CLASSES], coded = 0;
	size_t n = dfs_dct_counts(options, rows, cols, counts);

	for (uint32_t c = 0; c < params.n_classes; c++)
		coded += params.bits[c] ? counts[c] : 0;
	/* Half a patch less than a quarter is one that was rounded. */
	return !params.minmax && 4 * coded + 2 >= n;
}

double dfs_dct_mean(const struct dfs_dct_sums *sums, size_t n, bool drops_chance)
{
	bool chance = n >= VALUES_MIN && fabs(*sums->sum) <= 3 * sqrt(*sums->square);

	return chance && drops_chance ? 0 : *sums->sum / (double)n;
}
