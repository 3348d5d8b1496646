/* SPDX-License-Identifier: GPL-2.0-or-later */
/* draw: what exercisers draw by lot, and content that a number stands for. */
#ifndef DFS_TESTS_DRAW_H
#define DFS_TESTS_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../tools/random.h"

/* draw_seed() - one that nobody has chosen; small enough to be typed */
uint64_t draw_seed(void);

/* draw_below() - 0 to @n - 1, @n at least 1 */
uint64_t draw_below(struct rng *rng, uint64_t n);

/* draw_one_in() - true once in @n times */
bool draw_one_in(struct rng *rng, uint64_t n);

/* draw_length() - 1 to @max bytes, each order of magnitude as likely as another */
size_t draw_length(struct rng *rng, size_t max);

/* What files are made of: nothing like anything else, or (with bytes) variations of one file. */
struct matter {
	uint8_t *bytes;
	size_t len;
};

#define MATTER_HEAD (16u << 10)	/* bytes that do not vary: the header of a model stays one */

/* matter_load() - a whole file. Return: 0, or -errno. */
int matter_load(struct matter *matter, const char *path);

/**
 * content_fill() - the bytes [@off, @off + @len) of the endless content @content
 * @matter: may be NULL, or have no bytes
 *
 * The same for the same number, however it is cut. Without matter, bytes of
 * different numbers, or of other offsets, agree only by chance. With it they are
 * its own as long as it lasts, but for the low two bits of each 16 after its
 * head: to a model of 16-bit floats it is what another training run would be.
 */
void content_fill(const struct matter *matter, uint64_t content, uint64_t off, void *buf,
		  size_t len);

#endif
