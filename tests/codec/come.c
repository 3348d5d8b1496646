/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "come.h"

#include <math.h>
#include <stdlib.h>

#include "random.h"
#include "tensor/convert.h"

float *come_matrix(uint64_t rows, uint64_t cols, struct come_matrix kind)
{
	double *left = malloc((rows + cols) * (kind.rank + 1) * sizeof(*left)), *right = left + rows * kind.rank;
	float *matrix = malloc(rows * cols * sizeof(*matrix));
	uint64_t state = rows + 7 * cols;

	for (uint64_t i = 0; i < (rows + cols) * kind.rank; i++)
		left[i] = random_normal(&state);
	for (uint64_t i = 0; i < rows * cols; i++) {
		double sum = kind.noise * random_normal(&state);

		for (unsigned k = 0; k < kind.rank; k++)
			sum += left[i / cols * kind.rank + k] * right[i % cols * kind.rank + k] / (k + 1);
		matrix[i] = (float)(1e-3 * sum);
	}
	free(left);
	return matrix;
}

struct model *come_model(const char *options, unsigned dtype, uint64_t rows, uint64_t cols, struct come_matrix kind)
{
	struct model *m = model_new(DFS_CODEC_DELTA_COME, options);
	float *delta = come_matrix(rows, cols, kind);

	model_add(m, dtype, rows, cols, ZERO, 0, rows * 1000003 + cols);
	matrix_add(m->matrices, delta);
	free(delta);
	return m;
}

/* --- the page */

struct head {
	unsigned group, fine, middle, coarse, rank, scales;
	size_t row;
};

static struct head head_of(const struct driven *d)
{
	const uint8_t *t = d->table.data;
	struct head h = { dfs_get_u16le(t), dfs_get_u16le(t + 2), dfs_get_u16le(t + 4), dfs_get_u16le(t + 6), 0, 0, 0 };

	h.rank = h.fine + h.middle + h.coarse;
	h.scales = (h.middle + h.group - 1) / h.group + (h.coarse + h.group - 1) / h.group;
	h.row = h.scales + (8 * h.fine + 3 * h.middle + 2 * h.coarse + 7) / 8;
	return h;
}

uint64_t come_rank(const struct driven *d)
{
	return head_of(d).rank;
}

/* Number @k of a factor row. */
static float number(const struct head *h, const uint8_t *row, unsigned k)
{
	unsigned bits = k < h->fine ? 8 : k < h->fine + h->middle ? 3 : 2, code = 0, scale, at;
	unsigned groups = (h->middle + h->group - 1) / h->group;

	at = bits == 8 ? 8 * k : bits == 3 ? 8 * h->fine + 3 * (k - h->fine) :
		8 * h->fine + 3 * h->middle + 2 * (k - h->fine - h->middle);
	for (unsigned i = 0; i < bits; i++, at++)
		code |= (unsigned)(row[h->scales + at / 8] >> at % 8 & 1) << i;
	if (bits == 8)
		return code < 128 ? (float)code : (float)code - 256;
	scale = row[bits == 3 ? (k - h->fine) / h->group : groups + (k - h->fine - h->middle) / h->group];
	if (scale == 0)
		return 0;
	return (float)((2.0 * code - (1 << bits) + 1) * (8 + scale % 8) * pow(2, (int)(scale / 8) - 35));
}

/* The sum as a real number, to the nearest of so many bits of mantissa. Here it is exact as a long double. */
static float add(unsigned dtype, float pred, float difference)
{
	int mantissa = dtype == DFS_BF16 ? 8 : dtype == DFS_F16 ? 11 : 24, least = dtype == DFS_F16 ? -13 : -125, exponent;
	long double sum = (long double)pred + difference;

	frexpl(sum, &exponent);
	exponent = exponent < least ? least : exponent;
	return (float)ldexpl(rintl(ldexpl(sum, mantissa - exponent)), exponent - mantissa);
}

static float difference(const struct head *h, const uint8_t *table, const uint8_t *u, const uint8_t *v)
{
	float sum = 0;

	for (unsigned k = 0; k < h->rank; k++) {
		uint32_t bits = dfs_get_u32le(table + 8 + 4 * k);
		volatile float s, scaled, product;

		memcpy((void *)&s, &bits, sizeof(bits));
		scaled = number(h, u, k) * s;
		product = scaled * number(h, v, k);
		sum += product;
	}
	return sum;
}

uint8_t *come_formula(const struct driven *d)
{
	struct head h = head_of(d);
	const uint8_t *v = d->table.data + 8 + 4 * h.rank;
	uint64_t cols = d->tensor.shape.cols, rows = d->tensor.chunk_rows;
	float *values = matrix_floats(d->matrix, d->matrix->pred);
	uint8_t *out = malloc(d->matrix->bytes);

	for (uint64_t i = 0; i < d->tensor.values; i++) {
		uint64_t row = i / cols;
		const uint8_t *u = d->chunks[row / rows].payload + row % rows * h.row;

		values[i] = add(d->tensor.shape.dtype, values[i], difference(&h, d->table.data, u, v + i % cols * h.row));
	}
	dfs_convert(DFS_F32, d->tensor.shape.dtype, values, out, d->tensor.values);
	free(values);
	return out;
}

/* --- the best */

static double dot(const double *a, const double *b, uint64_t n)
{
	double sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Makes two columns orthogonal. Return: were they not? */
static bool rotate(double *a, double *b, uint64_t n)
{
	double aa = dot(a, a, n), bb = dot(b, b, n), ab = dot(a, b, n), t, c, s, zeta;

	if (fabs(ab) <= 1e-13 * sqrt(aa * bb))
		return false;
	zeta = (bb - aa) / (2 * ab);
	t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
	c = 1 / sqrt(1 + t * t);
	s = c * t;
	for (uint64_t i = 0; i < n; i++) {
		double x = a[i];

		a[i] = c * x - s * b[i];
		b[i] = s * x + c * b[i];
	}
	return true;
}

static int descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

double come_best(const float *matrix, uint64_t rows, uint64_t cols, uint64_t rank)
{
	double *columns = malloc(rows * cols * sizeof(*columns)), *squares = malloc(cols * sizeof(*squares));
	double all = 0, rest = 0;
	bool moved = true;

	for (uint64_t i = 0; i < rows * cols; i++)
		columns[i % cols * rows + i / cols] = matrix[i];
	for (unsigned sweep = 0; sweep < 30 && moved; sweep++) {
		moved = false;
		for (uint64_t a = 0; a < cols; a++)
			for (uint64_t b = a + 1; b < cols; b++)
				moved |= rotate(columns + a * rows, columns + b * rows, rows);
	}
	for (uint64_t k = 0; k < cols; k++)
		squares[k] = dot(columns + k * rows, columns + k * rows, rows);
	qsort(squares, cols, sizeof(*squares), descending);
	for (uint64_t k = 0; k < cols; k++) {
		all += squares[k];
		rest += k < rank ? 0 : squares[k];
	}
	free(columns);
	free(squares);
	return rest / all;
}
