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

/* Made when they are first needed. */
struct plans {
	fftwf_plan batch[4], one[4];	/* by the logarithm of p, less 3 */
};

static void plans_end(void *object)
{
	struct plans *plans = object;

	pthread_mutex_lock(&planner);
	for (unsigned i = 0; i < 4; i++) {
		if (plans->batch[i])
			fftwf_destroy_plan(plans->batch[i]);
		if (plans->one[i])
			fftwf_destroy_plan(plans->one[i]);
	}
	pthread_mutex_unlock(&planner);
	free(plans);
}

/* FFTW_ESTIMATE: measured plans were no faster for these sizes, and differ from run to run. */
static fftwf_plan plan_new(unsigned p, unsigned many, float *in, float *out)
{
	const int sides[] = { (int)p, (int)p };
	const fftwf_r2r_kind kinds[] = { FFTW_REDFT10, FFTW_REDFT10 };
	int size = (int)(p * p);
	fftwf_plan plan;

	pthread_mutex_lock(&planner);
	plan = fftwf_plan_many_r2r(2, sides, (int)many, in, NULL, 1, size, out, NULL, 1, size, kinds,
				   FFTW_ESTIMATE);
	pthread_mutex_unlock(&planner);
	return plan;
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
	if (!plans->batch[i])
		plans->batch[i] = plan_new(p, dfs_dct_batch(p), in, out);
	if (!plans->one[i])
		plans->one[i] = plan_new(p, 1, in, out);
	return plans->batch[i] && plans->one[i] ? plans : NULL;
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
		fftwf_execute_r2r(plans->batch[i], in, out);
	else
		for (size_t patch = 0; patch < n; patch++)
			fftwf_execute_r2r(plans->one[i], in + patch * size, out + patch * size);
	for (size_t patch = 0; patch < n; patch++)
		normalise(p, out + patch * size);
	return 0;
}
