/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model: a few matrices of one seed, and what a codec makes of all of them.
 *
 *	model = model_new(DFS_CODEC_X, "option=value");
 *	model_add(model, DFS_BF16, 300, 500, GAUSSIAN, 1e-3, 1);	one or more
 *	model_code(model);
 *	driven_decode(&model->coded[0], ...);
 *	model_free(model);
 */
#ifndef DFS_TESTS_CODEC_MODEL_H
#define DFS_TESTS_CODEC_MODEL_H

#include "driven.h"

#define MODEL_MAX 16

struct model {
	struct driver how;
	struct matrix matrices[MODEL_MAX];
	struct driven coded[MODEL_MAX];
	size_t n;
};

struct model *model_new(unsigned codec, const char *options);
void model_free(struct model *m);

/* model_add() - a matrix of some kind (matrix.h). Return: what it will be coded to, cut already. */
struct driven *model_add(struct model *m, unsigned dtype, uint64_t rows, uint64_t cols, unsigned kind, double size,
			 uint64_t seed);

/* model_code() - once or again; no payload is longer than what it stands for. Return: as drive(). */
int model_code(struct model *m);

/* model_bits() - a value, all of driven_bytes() counted */
double model_bits(const struct model *m);

#endif
