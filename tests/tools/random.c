/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random: see random.h. */
#include "random.h"

#include <math.h>
#include <stdbool.h>

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct rng rng_new(uint64_t seed, const char *stream)
{
	struct rng r;

	for (; *stream; stream++)
		seed = (seed ^ (unsigned char)*stream) * 0x100000001b3u;
	for (int i = 0; i < 4; i++)
		r.s[i] = splitmix(&seed);
	return r;
}

uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->s;
	uint64_t result = s[0] + s[3], t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return result;
}

double rng_uniform(struct rng *r) /* (0, 1) */
{
	return ((double)(rng_next(r) >> 11) + 0.5) * 0x1p-53;
}

#define TAIL 3.442619855899
#define AREA 9.91256303526217e-3

void ziggurat_init(struct ziggurat *z)
{
	double f = exp(-0.5 * TAIL * TAIL);

	z->x[0] = AREA / f;
	z->x[1] = TAIL;
	for (int i = 2; i < LAYERS; i++) {
		z->x[i] = sqrt(-2 * log(AREA / z->x[i - 1] + f));
		f = exp(-0.5 * z->x[i] * z->x[i]);
	}
	z->x[LAYERS] = 0;
	for (int i = 0; i < LAYERS; i++)
		z->ratio[i] = z->x[i + 1] / z->x[i];
}

static double gauss_tail(struct rng *r, bool negative)
{
	double x, y;

	do {
		x = log(rng_uniform(r)) / TAIL;
		y = log(rng_uniform(r));
	} while (-2 * y < x * x);
	return negative ? x - TAIL : TAIL - x;
}

double gauss(const struct ziggurat *z, struct rng *r)
{
	for (;;) {
		uint64_t bits = rng_next(r);
		unsigned i = bits & (LAYERS - 1);
		double u = 2 * ((double)(bits >> 11) * 0x1p-53) - 1, x, f0, f1;

		if (fabs(u) < z->ratio[i])
			return u * z->x[i];
		if (i == 0)
			return gauss_tail(r, u < 0);
		x = u * z->x[i];
		f0 = exp(-0.5 * (z->x[i] * z->x[i] - x * x));
		f1 = exp(-0.5 * (z->x[i + 1] * z->x[i + 1] - x * x));
		if (f1 + rng_uniform(r) * (f0 - f1) < 1.0)
			return x;
	}
}
