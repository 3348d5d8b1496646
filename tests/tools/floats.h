/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floats: values of any small float format, by their definition; shares
 * nothing with src/tensor, which tests compare with it.
 */
#ifndef DFS_TESTS_FLOATS_H
#define DFS_TESTS_FLOATS_H

#include <stdint.h>

struct format {
	const char *option, *name;	/* "bf16", "BF16" */
	int size, exponent, mantissa;
};

/* format_find() - by option; ends the program if there is none */
const struct format *format_find(const char *option);

/* round_to() - the bits nearest to @v, ties to even; @v must be far from overflow */
uint64_t round_to(const struct format *f, double v);
double widen(const struct format *f, uint64_t bits);
void put_bits(const struct format *f, uint8_t *to, uint64_t bits);	/* little endian */

#endif
