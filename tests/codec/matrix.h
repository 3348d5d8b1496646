/* SPDX-License-Identifier: GPL-2.0-or-later */
/* matrix: values of a tensor and what predicts them. All of it ends the program where memory is short. */
#ifndef DFS_TESTS_CODEC_MATRIX_H
#define DFS_TESTS_CODEC_MATRIX_H

#include "codec/codec.h"

struct matrix {
	struct dfs_shape shape;
	size_t n, unit, bytes;	/* values, bytes of one, bytes of all */
	uint8_t *pred, *data;	/* each with DFS_VALUES_PAD bytes more */
};

/* matrix_new() - all zero */
struct matrix matrix_new(unsigned dtype, uint64_t rows, uint64_t cols);
void matrix_free(struct matrix *m);

/* How differences are spread. */
enum matrix_kind {
	ZERO,
	ONE_VALUE,
	GAUSSIAN,
	LAPLACE,
	POSITIVE,	/* Gaussian without sign, a quarter of them zero */
	FEW_MOVED,	/* Gaussian, nine of ten zero */
	PATCHY,		/* Gaussian, patches of 16 x 16 up to eight times larger than others */
	TUNED,		/* as PATCHY, and a part of rank 2 of about that size */
	MATRIX_KINDS,
	ALONE = 0x100,	/* with a kind: over predictions that are zero; else these are N(0, 0.02) */
};

/* matrix_fill() - predictions, and these and differences of a kind (and ALONE) and size, both rounded to the dtype */
void matrix_fill(struct matrix *m, unsigned kind, double size, uint64_t seed);
struct matrix matrix_make(unsigned dtype, uint64_t rows, uint64_t cols, unsigned kind, double size, uint64_t seed);
/* matrix_add() - data = predictions and these differences */
void matrix_add(struct matrix *m, const float *differences);

/* matrix_put() - value @i of an array of the dtype: the nearest to @value; matrix_get(): it as a number */
void matrix_put(const struct matrix *m, uint8_t *values, size_t i, double value);
double matrix_get(const struct matrix *m, const uint8_t *values, size_t i);
/* matrix_delta() - value @i of the data less its prediction, in F32 */
double matrix_delta(const struct matrix *m, size_t i);
/* matrix_deltas() - all @values less the predictions; free() them */
float *matrix_deltas(const struct matrix *m, const uint8_t *values);
/* matrix_floats() - values as F32; free() them */
float *matrix_floats(const struct matrix *m, const uint8_t *values);

/* matrix_error() - the share of the differences' energy that @decoded lost; 0 if there is none */
double matrix_error(const struct matrix *m, const uint8_t *decoded);

#endif
