/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_come_fit: the factors of a matrix.
 *
 * Singular vectors are best only as long as nobody rounds them. So one factor
 * is rounded, the other is made anew by least squares for what has become of
 * it, rounded too, and so on. (The paper does the like once, with the
 * activations of a calibration set; here the matrix itself is all there is.)
 *
 * Columns keep length 1 in both factors, and what they had is in S: put into
 * one of them, or its root into both, it would set apart the values of a row,
 * which share a scale.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec/delta_come.h"
#include "codec/svd.h"

/* Columns of each class for a square matrix of 4096, in the paper's code; the last take what is left. */
#define PAPER_FINE 2
#define PAPER_MIDDLE 32
#define PAPER_BITS 2048

/* A square of a singular value that F32 cannot tell from 0, as a share of the largest. (svd.h) */
#define NO_ENERGY 0x1p-20f

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bits that are left when there are no more columns to take make those that are there finer. */
static void spend(uint64_t left, uint64_t *fine, uint64_t *middle, uint64_t *coarse)
{
	uint64_t n = least(*coarse, left);

	*coarse -= n;
	*middle += n;
	left -= n;
	n = least(*middle, left / 5);
	*middle -= n;
	*fine += n;
}

bool dfs_come_plan(struct dfs_come_budget budget, uint64_t rows, uint64_t cols, uint64_t rank,
		   struct dfs_come_layout *l)
{
	/* whole bytes of codes for each row of both factors */
	double whole = floor(budget.bits * (double)rows / ((double)rows + (double)cols) * (double)cols / 8) * 8;
	uint64_t bits = whole < 2 * UINT16_MAX ? (uint64_t)whole : 2 * UINT16_MAX / 8 * 8;
	uint64_t fine = (bits * PAPER_FINE + PAPER_BITS / 2) / PAPER_BITS, middle, coarse;

	if (bits < 8)
		return false;
	fine = least(fine ? fine : 1, rank);
	/* an even number, which leaves no bit over */
	middle = 2 * ((bits * PAPER_MIDDLE + PAPER_BITS) / (2 * PAPER_BITS));
	middle = least(least(middle, (bits - 8 * fine) / 6 * 2), rank - fine);
	coarse = least((bits - 8 * fine - 3 * middle) / 2, rank - fine - middle);
	if (fine + middle + coarse == rank)
		spend(bits - 8 * fine - 3 * middle - 2 * coarse, &fine, &middle, &coarse);
	l->cols[DFS_COME_FINE] = (uint32_t)fine;
	l->cols[DFS_COME_MIDDLE] = (uint32_t)middle;
	l->cols[DFS_COME_COARSE] = (uint32_t)coarse;
	l->group = budget.group;
	dfs_come_layout_init(l);
	return true;
}

/*
 * What rounding loses of a column's energy, by class. What is left is (1 - loss)
 * of the values and noise of variance loss (1 - loss), both as shares of theirs.
 */
static const float loss[DFS_COME_CLASSES] = { 1e-4f, 0.037f, 0.119f };

/* One factor while it is worked on. */
struct factor {
	uint64_t rows;
	float *values;	/* rows * rank: what was fitted, then what it was rounded to */
	float *steps;	/* of the first class */
	uint8_t *packed;
};

struct work {
	const struct dfs_come_layout *layout;
	const float *d;
	uint64_t rows, cols;
	struct factor u, v;
	float *s;
	float *noise;	/* rank */
};

static void set_noise(const struct dfs_come_layout *l, float *noise)
{
	for (unsigned c = 0; c < DFS_COME_CLASSES; c++)
		for (uint32_t k = 0; k < l->cols[c]; k++)
			*noise++ = loss[c] / (1 - loss[c]);
}

/* Columns to length 1; their lengths are S. */
static int take_lengths(const struct work *w, struct factor *f, struct dfs_err *err)
{
	uint64_t rank = w->layout->rank;
	double *sums = calloc(rank, sizeof(*sums));

	if (!sums)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint64_t i = 0; i < f->rows; i++)
		for (uint64_t k = 0; k < rank; k++)
			sums[k] += (double)f->values[i * rank + k] * f->values[i * rank + k];
	for (uint64_t k = 0; k < rank; k++) {
		w->s[k] = (float)sqrt(sums[k]) * (1 + w->noise[k]);
		sums[k] = sums[k] > 0 ? 1 / sqrt(sums[k]) : 0;
	}
	for (uint64_t i = 0; i < f->rows; i++)
		for (uint64_t k = 0; k < rank; k++)
			f->values[i * rank + k] *= (float)sums[k];
	free(sums);
	return 0;
}

static void round_factor(const struct work *w, struct factor *f)
{
	uint64_t rank = w->layout->rank, fine = w->layout->cols[DFS_COME_FINE];

	memset(f->steps, 0, fine * sizeof(*f->steps));
	for (uint64_t i = 0; i < f->rows; i++)
		for (uint64_t k = 0; k < fine; k++)
			f->steps[k] = fmaxf(f->steps[k], fabsf(f->values[i * rank + k]));
	for (uint64_t k = 0; k < fine; k++)
		f->steps[k] /= 127;
	for (uint64_t i = 0; i < f->rows; i++)
		dfs_come_pack(w->layout, f->values + i * rank, f->steps, f->packed + i * w->layout->row_bytes);
}

/* @to, anew, for what @from was rounded to. */
static int refit(const struct work *w, const struct factor *from, struct factor *to, struct dfs_err *err)
{
	int ret = dfs_linear_fit(w->d, w->rows, w->cols, to == &w->v, from->values, w->noise, w->layout->rank,
				 to->values, err);

	if (ret == 0)
		ret = take_lengths(w, to, err);
	if (ret == 0)
		round_factor(w, to);
	return ret;
}

static int factor_new(const struct dfs_come_layout *l, uint64_t rows, struct factor *f, struct dfs_err *err)
{
	f->rows = rows;
	f->values = malloc(rows * l->rank * sizeof(*f->values));
	f->steps = malloc((l->cols[DFS_COME_FINE] + 1) * sizeof(*f->steps));
	f->packed = malloc(rows * l->row_bytes);
	return f->values && f->steps && f->packed ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

static void factor_end(struct factor *f)
{
	free(f->values);
	free(f->steps);
	free(f->packed);
}

/* From the singular vectors of the shorter side, @rank a row, of which the layout may take fewer. */
static int factorize(struct work *w, const float *vectors, uint64_t rank, unsigned rounds, struct dfs_err *err)
{
	struct factor *first = w->rows < w->cols ? &w->u : &w->v, *second = first == &w->u ? &w->v : &w->u;
	int ret = factor_new(w->layout, w->rows, &w->u, err);

	if (ret == 0)
		ret = factor_new(w->layout, w->cols, &w->v, err);
	if (ret < 0)
		return ret;
	for (uint64_t i = 0; i < first->rows; i++)
		memcpy(first->values + i * w->layout->rank, vectors + i * rank, w->layout->rank * sizeof(*vectors));
	round_factor(w, first);
	ret = refit(w, first, second, err);
	for (unsigned i = 0; i < rounds && ret == 0; i++) {
		ret = refit(w, second, first, err);
		if (ret == 0)
			ret = refit(w, first, second, err);
	}
	return ret;
}

/* Values below 1, so that no square of theirs is too large or too small. Return: false if all are zero. */
static bool normalize(float *d, uint64_t n, int *ret_exponent)
{
	float largest = 0, half, rest;

	for (uint64_t i = 0; i < n; i++)
		largest = fabsf(d[i]) > largest ? fabsf(d[i]) : largest;
	frexpf(largest, ret_exponent);
	/* in two steps, as 2^149 is no F32 */
	half = ldexpf(1, -*ret_exponent / 2);
	rest = ldexpf(1, -*ret_exponent - -*ret_exponent / 2);
	for (uint64_t i = 0; i < n; i++)
		d[i] = d[i] * half * rest;
	return largest > 0;
}

static int finish(struct work *w, int exponent, struct dfs_come_fit *fit, struct dfs_err *err)
{
	for (uint32_t k = 0; k < w->layout->rank; k++) {
		if (k < w->layout->cols[DFS_COME_FINE])
			w->s[k] *= w->u.steps[k] * w->v.steps[k];
		w->s[k] = ldexpf(w->s[k], exponent);
		if (!(w->s[k] < DFS_COME_S_LIMIT))
			return dfs_fail(err, ERANGE, "differences are too large for delta-come");
	}
	fit->u = w->u.packed;
	fit->v = w->v.packed;
	w->u.packed = w->v.packed = NULL;
	return 0;
}

/* Singular values that are none of F32's business are left out. */
static uint64_t rank_of(const float *energies, uint64_t rank)
{
	uint64_t n = 0;

	while (n < rank && energies[n] > energies[0] * NO_ENERGY)
		n++;
	return n;
}

static int fit_rank(const float *d, uint64_t rows, uint64_t cols, struct dfs_come_budget budget, int exponent,
		    unsigned rounds, struct dfs_come_fit *fit, struct dfs_err *err)
{
	struct work w = { .layout = &fit->layout, .d = d, .rows = rows, .cols = cols, .s = fit->s };
	uint64_t rank = fit->layout.rank, side = least(rows, cols), found;
	float *vectors = malloc(side * rank * sizeof(*vectors)), *energies = malloc(rank * sizeof(*energies));
	int ret;

	w.noise = malloc(rank * sizeof(*w.noise));
	ret = vectors && energies && w.noise ? 0 : dfs_fail(err, ENOMEM, "out of memory");
	if (ret == 0)
		ret = dfs_linear_top(d, rows, cols, rank, vectors, energies, err);
	if (ret == 0) {
		found = rank_of(energies, rank);
		if (found < rank)
			dfs_come_plan(budget, rows, cols, found, &fit->layout);
		set_noise(&fit->layout, w.noise);
		ret = factorize(&w, vectors, rank, rounds, err);
	}
	if (ret == 0)
		ret = finish(&w, exponent, fit, err);
	free(vectors);
	free(energies);
	free(w.noise);
	factor_end(&w.u);
	factor_end(&w.v);
	return ret;
}

int dfs_come_fit(float *d, uint64_t rows, uint64_t cols, struct dfs_come_budget budget, unsigned rounds,
		 struct dfs_come_fit *fit, struct dfs_err *err)
{
	int exponent, ret = dfs_linear_load(err);

	*fit = (struct dfs_come_fit){ 0 };
	if (ret < 0)
		return dfs_err_at(err, ret, "writing delta-come");
	if (rows > DFS_LINEAR_MAX || cols > DFS_LINEAR_MAX ||
	    !dfs_come_plan(budget, rows, cols, least(rows, cols), &fit->layout))
		return dfs_fail(err, ERANGE, "a matrix that delta-come has no columns for");
	if (!normalize(d, rows * cols, &exponent)) {
		fit->layout = (struct dfs_come_layout){ .group = budget.group };
		return 0;
	}
	fit->s = malloc(fit->layout.rank * sizeof(*fit->s));
	if (!fit->s)
		return dfs_fail(err, ENOMEM, "out of memory");
	return fit_rank(d, rows, cols, budget, exponent, rounds, fit, err);
}

void dfs_come_fit_release(struct dfs_come_fit *fit)
{
	free(fit->s);
	free(fit->u);
	free(fit->v);
	*fit = (struct dfs_come_fit){ 0 };
}
