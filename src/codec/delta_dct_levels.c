/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_levels: what a code stands for, for a unit of gain.
 *
 * Codes of b bits are 2^b levels in rising order, symmetric about zero. Each
 * is the mean of a normal variable (mean 0, variance 1) over the values that
 * lie nearest to it: the quantiser of least mean square error (S. Lloyd, 1957,
 * in IEEE Trans. Information Theory 28(2), 1982; J. Max, IRE Trans. Information
 * Theory 6, 1960). Solved by Newton's method with 40 digits, rounded to
 * multiples of 1/8192; tests/codec/test_dct.c checks that condition. One bit
 * has the levels -1 and 1, since its gain is the mean magnitude.
 *
 * deltafs-format(5), "delta-dct levels", holds the same numbers.
 */
#include "codec/delta_dct.h"

/* Positive levels of 1 bit, 2 bits, ... 8 bits: 1, 2, ... 128 of them. */
static const uint16_t positive[255] = {
	/* 1 */
	8192,
	/* 2 */
	3709, 12373,
	/* 3 */
	2008, 6193, 11009, 17629,
	/* 4 */
	1052, 3179, 5380, 7720, 10291, 13255, 16949, 22385,
	/* 5 */
	540, 1622, 2715, 3823, 4956, 6121, 7328, 8592, 9927, 11357, 12912, 14641, 16619, 18987,
	22046, 26712,
	/* 6 */
	274, 821, 1370, 1922, 2476, 3033, 3596, 4164, 4739, 5322, 5914, 6516, 7131, 7759,
	8403, 9064, 9746, 10451, 11183, 11946, 12745, 13587, 14480, 15434, 16463, 17587, 18833, 20245,
	21891, 23899, 26546, 30672,
	/* 7 */
	138, 414, 690, 966, 1242, 1519, 1797, 2075, 2354, 2634, 2915, 3198, 3481, 3766,
	4052, 4340, 4630, 4922, 5216, 5512, 5810, 6112, 6415, 6722, 7032, 7346, 7663, 7984,
	8309, 8639, 8973, 9312, 9657, 10007, 10364, 10728, 11098, 11477, 11863, 12259, 12664, 13080,
	13508, 13948, 14402, 14872, 15358, 15863, 16389, 16938, 17514, 18121, 18762, 19445, 20175, 20964,
	21823, 22770, 23831, 25045, 26476, 28241, 30597, 34322,
	/* 8 */
	69, 208, 346, 484, 623, 761, 900, 1039, 1178, 1317, 1456, 1595, 1734, 1874,
	2013, 2153, 2293, 2434, 2574, 2715, 2856, 2997, 3139, 3281, 3423, 3566, 3709, 3852,
	3996, 4140, 4285, 4430, 4575, 4721, 4868, 5015, 5163, 5311, 5459, 5609, 5759, 5909,
	6061, 6213, 6365, 6519, 6673, 6828, 6984, 7140, 7298, 7456, 7615, 7776, 7937, 8099,
	8263, 8427, 8593, 8760, 8928, 9097, 9268, 9440, 9613, 9788, 9964, 10142, 10322, 10503,
	10686, 10870, 11057, 11245, 11436, 11628, 11823, 12020, 12219, 12421, 12625, 12832, 13042, 13254,
	13470, 13689, 13911, 14136, 14365, 14598, 14835, 15077, 15322, 15572, 15828, 16088, 16354, 16626,
	16904, 17189, 17481, 17780, 18088, 18404, 18730, 19066, 19413, 19772, 20144, 20530, 20933, 21353,
	21792, 22254, 22740, 23255, 23802, 24387, 25016, 25699, 26448, 27278, 28214, 29291, 30570, 32159,
	34297, 37712,
};

float dfs_dct_level(bool minmax, unsigned bits, unsigned code)
{
	unsigned half = 1u << bits >> 1;
	const uint16_t *levels = positive + half - 1;

	if (minmax)
		return (float)code;
	return code >= half ? levels[code - half] * 0x1p-13f : -(levels[half - 1 - code] * 0x1p-13f);
}
