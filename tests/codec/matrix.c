/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>

#include "codec/lossy.h"
#include "random.h"
#include "tensor/convert.h"

#define PREDICTIONS 0.02	/* their deviation: that of weights */

static void *room(size_t len)
{
	void *p = calloc(1, len + 1);

	if (!p) {
		fprintf(stderr, "matrix: out of memory\n");
		abort();
	}
	return p;
}

struct matrix matrix_new(unsigned dtype, uint64_t rows, uint64_t cols)
{
	struct matrix m = {
		.shape = { .dtype = (uint8_t)dtype, .rows = rows, .cols = cols },
		.n = rows * cols,
		.unit = dfs_dtype_info(dtype)->size,
	};

	m.bytes = m.n * m.unit;
	m.pred = room(m.bytes + DFS_VALUES_PAD);
	m.data = room(m.bytes + DFS_VALUES_PAD);
	return m;
}

void matrix_free(struct matrix *m)
{
	free(m->pred);
	free(m->data);
}

/* --- kinds, of size 1 */

struct place {
	size_t row, col;
};

static double zero(uint64_t *state, struct place at)
{
	(void)state;
	(void)at;
	return 0;
}

static double one_value(uint64_t *state, struct place at)
{
	(void)state;
	(void)at;
	return 1;
}

static double gaussian(uint64_t *state, struct place at)
{
	(void)at;
	return random_normal(state);
}

static double laplace(uint64_t *state, struct place at)
{
	double sign = random_next(state) % 2 ? 1 : -1;

	(void)at;
	return sign * -log(random_uniform(state));
}

static double positive(uint64_t *state, struct place at)
{
	double size = fabs(random_normal(state));

	(void)at;
	return random_uniform(state) < 0.25 ? 0 : size;
}

static double few_moved(uint64_t *state, struct place at)
{
	double moved = random_normal(state);

	(void)at;
	return random_uniform(state) < 0.9 ? 0 : moved;
}

static double patchy(uint64_t *state, struct place at)
{
	return (double)(1 + (at.row / 16 * 7 + at.col / 16 * 5) % 8) * random_normal(state);
}

/* One of the random numbers of a row (@side 0) or a column (1). */
static double direction(unsigned side, unsigned number, size_t at)
{
	uint64_t state = (uint64_t)at * 4 + side * 2 + number;

	return random_normal(&state);
}

static double tuned(uint64_t *state, struct place at)
{
	double shared = 0;

	for (unsigned k = 0; k < 2; k++)
		shared += 3 * direction(0, k, at.row) * direction(1, k, at.col);
	return shared + patchy(state, at);
}

static double (*const kinds[MATRIX_KINDS])(uint64_t *state, struct place at) = {
	[ZERO] = zero,		[ONE_VALUE] = one_value, [GAUSSIAN] = gaussian, [LAPLACE] = laplace,
	[POSITIVE] = positive,	[FEW_MOVED] = few_moved, [PATCHY] = patchy,	 [TUNED] = tuned,
};

void matrix_fill(struct matrix *m, unsigned kind, double size, uint64_t seed)
{
	double spread = kind & ALONE ? 0 : PREDICTIONS;

	for (size_t i = 0; i < m->n; i++) {
		struct place at = { i / m->shape.cols, i % m->shape.cols };

		matrix_put(m, m->pred, i, spread * random_normal(&seed));
		/* the difference counts from what the prediction became when it was rounded */
		matrix_put(m, m->data, i, matrix_get(m, m->pred, i) + size * kinds[kind & ~ALONE](&seed, at));
	}
}

struct matrix matrix_make(unsigned dtype, uint64_t rows, uint64_t cols, unsigned kind, double size, uint64_t seed)
{
	struct matrix m = matrix_new(dtype, rows, cols);

	matrix_fill(&m, kind, size, seed);
	return m;
}

void matrix_add(struct matrix *m, const float *differences)
{
	float *values = matrix_floats(m, m->pred);

	for (size_t i = 0; i < m->n; i++)
		values[i] += differences[i];
	dfs_convert(DFS_F32, m->shape.dtype, values, m->data, m->n);
	free(values);
}

/* --- values */

void matrix_put(const struct matrix *m, uint8_t *values, size_t i, double value)
{
	dfs_convert(DFS_F64, m->shape.dtype, &value, values + i * m->unit, 1);
}

double matrix_get(const struct matrix *m, const uint8_t *values, size_t i)
{
	double value;

	dfs_convert(m->shape.dtype, DFS_F64, values + i * m->unit, &value, 1);
	return value;
}

double matrix_delta(const struct matrix *m, size_t i)
{
	return (float)matrix_get(m, m->data, i) - (float)matrix_get(m, m->pred, i);
}

float *matrix_deltas(const struct matrix *m, const uint8_t *values)
{
	float *delta = room(m->n * sizeof(*delta));

	if (!dfs_delta(m->shape.dtype, values, m->pred, delta, m->n)) {
		fprintf(stderr, "matrix: values that no codec may see\n");
		abort();
	}
	return delta;
}

float *matrix_floats(const struct matrix *m, const uint8_t *values)
{
	float *floats = room(m->n * sizeof(*floats));

	dfs_convert(m->shape.dtype, DFS_F32, values, floats, m->n);
	return floats;
}

double matrix_error(const struct matrix *m, const uint8_t *decoded)
{
	double lost = 0, all = 0;

	for (size_t i = 0; i < m->n; i++) {
		double delta = matrix_get(m, m->data, i) - matrix_get(m, m->pred, i);
		double off = matrix_get(m, m->data, i) - matrix_get(m, decoded, i);

		lost += off * off;
		all += delta * delta;
	}
	return all > 0 ? lost / all : lost;
}
