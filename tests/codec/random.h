/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random: numbers that are the same on every machine, one after the other. */
#ifndef DFS_TESTS_CODEC_RANDOM_H
#define DFS_TESTS_CODEC_RANDOM_H

#include <math.h>
#include <stdint.h>

/* random_next() - any 64 bits (splitmix64) */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* random_uniform() - between 0 and 1, neither of them */
static inline double random_uniform(uint64_t *state)
{
	return ((double)(random_next(state) >> 11) + 0.5) * 0x1p-53;
}

/* random_normal() - mean 0, variance 1 (Box and Muller, one of the two) */
static inline double random_normal(uint64_t *state)
{
	double radius = sqrt(-2 * log(random_uniform(state)));

	return radius * cos(2 * M_PI * random_uniform(state));
}

#endif
