/* SPDX-License-Identifier: GPL-2.0-or-later */
/* floats: see floats.h. */
#include "floats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct format formats[] = {
	{ "bf16", "BF16", 2, 8, 7 },   { "f16", "F16", 2, 5, 10 },
	{ "f32", "F32", 4, 8, 23 },    { "f64", "F64", 8, 11, 52 },
	{ "f8e5m2", "F8_E5M2", 1, 5, 2 }, { "f8e4m3", "F8_E4M3", 1, 4, 3 },
};

const struct format *format_find(const char *option)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].option, option))
			return &formats[i];
	fprintf(stderr, "make_pair: no dtype \"%s\"\n", option);
	exit(2);
}

/* Our values stay far from overflow, so infinities need no care. */
static uint64_t to_bits(const struct format *f, double v)
{
	int bias = (1 << (f->exponent - 1)) - 1, e;
	uint64_t sign = (uint64_t)signbit(v) << (f->exponent + f->mantissa), q;

	v = fabs(v);
	if (v == 0)
		return sign;
	frexp(v, &e);			/* v = m 2^e, m in [0.5, 1) */
	e = e - 1 < 1 - bias ? 1 - bias : e - 1;
	q = (uint64_t)nearbyint(ldexp(v, f->mantissa - e));
	return sign | (q + ((uint64_t)(e + bias - 1) << f->mantissa));
}

static double from_bits(const struct format *f, uint64_t bits)
{
	int bias = (1 << (f->exponent - 1)) - 1;
	uint64_t m = bits & ((1ull << f->mantissa) - 1);
	int e = bits >> f->mantissa & ((1 << f->exponent) - 1);
	double v = e ? ldexp((double)(m | 1ull << f->mantissa), e - bias - f->mantissa)
		     : ldexp((double)m, 1 - bias - f->mantissa);

	return bits >> (f->exponent + f->mantissa) & 1 ? -v : v;
}

/* The same for the two formats that a gigabyte is made of, quickly. */
uint64_t round_to(const struct format *f, double v)
{
	float single = (float)v;
	uint32_t bits;

	if (f->exponent != 8)
		return to_bits(f, v);
	memcpy(&bits, &single, 4);
	if (f->mantissa == 23)
		return bits;
	return (bits + 0x7fff + (bits >> 16 & 1)) >> 16; /* via single: fine for a made-up value */
}

double widen(const struct format *f, uint64_t bits)
{
	uint32_t word = (uint32_t)(f->mantissa == 7 ? bits << 16 : bits);
	float single;

	if (f->exponent != 8)
		return from_bits(f, bits);
	memcpy(&single, &word, 4);
	return single;
}

void put_bits(const struct format *f, uint8_t *to, uint64_t bits)
{
	for (int i = 0; i < f->size; i++)
		to[i] = (uint8_t)(bits >> 8 * i);
}
