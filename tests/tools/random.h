/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * random: reproducible numbers: xoshiro256+ (Blackman, Vigna) and Gaussians by
 * a ziggurat of 128 layers (Marsaglia, Tsang; Doornik's variant).
 */
#ifndef DFS_TESTS_RANDOM_H
#define DFS_TESTS_RANDOM_H

#include <stdint.h>

#define LAYERS 128

struct rng {
	uint64_t s[4];
};

struct ziggurat {
	double x[LAYERS + 1];
	double ratio[LAYERS];
};

/* rng_new() - a stream of its own for each seed and name */
struct rng rng_new(uint64_t seed, const char *stream);
uint64_t rng_next(struct rng *r);	/* its top bits are the best */
double rng_uniform(struct rng *r);	/* (0, 1) */

void ziggurat_init(struct ziggurat *z);
double gauss(const struct ziggurat *z, struct rng *r);	/* N(0, 1) */

#endif
