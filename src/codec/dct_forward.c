/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dct_forward: the transform, by FFTW. Writing only: what is read back never
 * depends on its last bits.
 *
 * FFTW's REDFT10 along both axes is 4 sums of x cos cos; divided by 2p (which is
 * left to the caller), and by sqrt(2) for each index that is 0, it is orthonormal.
 */
#include <errno.h>
#include <fftw3.h>
#include <pthread.h>
#include <stdlib.h>

#include "codec/delta_dct.h"

/* FFTW's planner has state of its own, for all threads; executing plans has none. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

/* All rows of some patches, and then all columns where they are: measured, a little faster than both in one plan. */
struct plan {
	fftwf_plan rows, cols;
};

/* Made when they are first needed. */
struct plans {
	struct plan batch[4], one[4];	/* by the logarithm of p, less 3 */
};

static void plan_end(struct plan *plan)
{
	if (plan->rows)
		fftwf_destroy_plan(plan->rows);
	if (plan->cols)
		fftwf_destroy_plan(plan->cols);
}

static void plans_end(void *object)
{
	struct plans *plans = object;

	pthread_mutex_lock(&planner);
	for (unsigned i = 0; i < 4; i++) {
		plan_end(&plans->batch[i]);
		plan_end(&plans->one[i]);
	}
	pthread_mutex_unlock(&planner);
	free(plans);
}

/* FFTW_ESTIMATE: measured plans were no faster for these sizes, and differ from run to run. */
static bool plan_make(struct plan *plan, unsigned p, unsigned many, float *in, float *out)
{
	const fftwf_r2r_kind kind[] = { FFTW_REDFT10 };
	int side = (int)p, n = (int)many;
	const fftwf_iodim row = { side, 1, 1 }, rows = { n * side, side, side };
	const fftwf_iodim col = { side, side, side }, cols[] = { { n, side * side, side * side }, { side, 1, 1 } };

	if (plan->rows && plan->cols)
		return true;
	pthread_mutex_lock(&planner);
	plan_end(plan);
	plan->rows = fftwf_plan_guru_r2r(1, &row, 1, &rows, in, out, kind, FFTW_ESTIMATE);
	plan->cols = fftwf_plan_guru_r2r(1, &col, 2, cols, out, out, kind, FFTW_ESTIMATE);
	pthread_mutex_unlock(&planner);
	return plan->rows && plan->cols;
}

static void plan_execute(const struct plan *plan, float *in, float *out)
{
	fftwf_execute_r2r(plan->rows, in, out);
	fftwf_execute_r2r(plan->cols, out, out);
}

static struct plans *plans_of(struct dfs_scratch *scratch, unsigned p, float *in, float *out)
{
	void **object = dfs_scratch_object(scratch, DFS_OBJECT_DCT, plans_end);
	unsigned i = __builtin_ctz(p) - 3;
	struct plans *plans;

	if (!*object)
		*object = calloc(1, sizeof(*plans));
	plans = *object;
	if (!plans)
		return NULL;
	return plan_make(&plans->batch[i], p, dfs_dct_batch(p), in, out) && plan_make(&plans->one[i], p, 1, in, out) ?
		plans : NULL;
}

static void normalise(unsigned p, float *patch)
{
	for (unsigned i = 0; i < p; i++)
		patch[i] *= 0x1.6a09e6p-1f;
	for (unsigned i = 0; i < p; i++)
		patch[i * p] *= 0x1.6a09e6p-1f;
}

int dfs_dct_forward(struct dfs_scratch *scratch, unsigned p, float *in, float *out, size_t n)
{
	const struct plans *plans = plans_of(scratch, p, in, out);
	unsigned i = __builtin_ctz(p) - 3;
	size_t size = (size_t)p * p;

	if (!plans)
		return -ENOMEM;
	if (n == dfs_dct_batch(p))
		plan_execute(&plans->batch[i], in, out);
	else
		for (size_t patch = 0; patch < n; patch++)
			plan_execute(&plans->one[i], in + patch * size, out + patch * size);
	for (size_t patch = 0; patch < n; patch++)
		normalise(p, out + patch * size);
	return 0;
}
