/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_plan: what the tensors of a model leave out, and by what the rest
 * is multiplied.
 *
 * MSA: tensors in the order of their standard deviation, as quantised. Those
 * that are first and hold up to a third of all values leave out step more than
 * s; those up to the second third, s; the last ones what makes the average s.
 * A tensor across a border belongs to the later group. The step is at most
 * (1 - s) / 2 and s / 2: every tensor keeps something, and leaves something out.
 *
 * TNGR: gamma=auto is reference / norm, from 0.5 to 1. The norm is the sum of
 * the trace norms of the differences as they are (the paper; its code takes
 * what is kept of them, whose norm changes with s as well), so that models of
 * any s may share a reference. The estimate is that of a matrix of independent
 * values: 8 / (3 pi) times their deviation times sqrt(rows * columns * the
 * lesser one), after quantising.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "codec/svd.h"
#include "codec/ultradelta.h"
#include "util/auto.h"

#define QUARTER_CIRCLE 0.84882636315677512	/* 8 / (3 pi), the mean of the quarter-circle law on [0, 2] */
#define GAMMA_MIN 0.5

static unsigned levels_of(const struct dfs_ultra_options *o)
{
	return 1u << (unsigned)o->bits;
}

/* --- how quantised values vary */

static double mean_of(const struct dfs_ultra_record *r, unsigned n, double values)
{
	double sum = 0;

	for (unsigned k = 0; k < n; k++)
		sum += (double)r->counts[k] * r->levels[k];
	return sum / values;
}

/* The mean square of distances from @from. */
static double spread_of(const struct dfs_ultra_record *r, unsigned n, double values, double from)
{
	double sum = 0;

	for (unsigned k = 0; k < n; k++)
		sum += (double)r->counts[k] * (r->levels[k] - from) * (r->levels[k] - from);
	return sum / values;
}

/* --- MSA */

struct place {
	double deviation;
	size_t tensor;
};

static int by_deviation(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->deviation != y->deviation)
		return x->deviation < y->deviation ? -1 : 1;
	return x->tensor < y->tensor ? -1 : x->tensor > y->tensor;
}

static double step_of(const struct dfs_ultra_options *o)
{
	double most = (o->s < 1 - o->s ? o->s : 1 - o->s) / 2;

	return o->step < most ? o->step : most;
}

static void spread_rates(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensors,
			 const struct place *places, size_t n, uint64_t all)
{
	double step = step_of(o), in_first = 0, in_last = 0;
	uint64_t sum = 0;
	size_t last = 0;

	for (size_t i = 0; i < n; i++) {
		const struct dfs_lossy_tensor *t = &tensors[places[i].tensor];
		struct dfs_ultra_record *r = t->record;

		sum += t->values;
		if (3 * sum <= all)
			in_first += (double)t->values;
		else if (3 * sum > 2 * all)
			in_last += (double)t->values;
		r->rate = 3 * sum <= all ? o->s + step : o->s;
		last += 3 * sum <= 2 * all;
	}
	for (size_t i = last; i < n; i++)
		((struct dfs_ultra_record *)tensors[places[i].tensor].record)->rate =
			o->s - step * in_first / in_last;
}

static int plan_rates(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensors, size_t n)
{
	DFS_AUTO(mem) struct place *places = calloc(n, sizeof(*places));
	uint64_t all = 0;

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct dfs_ultra_record *r = tensors[i].record;
		double values = (double)tensors[i].values, mean = mean_of(r, levels_of(o), values);

		places[i].deviation = sqrt(spread_of(r, levels_of(o), values, mean));
		places[i].tensor = i;
		all += tensors[i].values;
	}
	qsort(places, n, sizeof(*places), by_deviation);
	spread_rates(o, tensors, places, n, all);
	return 0;
}

/*
 * The paper's code prunes until the share of zeros is the rate, whose levels
 * that are zero count as pruned already. Seeded places know no values.
 */
double dfs_ultra_rate(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensor)
{
	const struct dfs_ultra_record *r = tensor->record;
	double zeros = 0;

	for (unsigned k = 0; k < levels_of(o); k++)
		zeros += (float)r->levels[k] == 0 ? (double)r->counts[k] : 0;
	zeros /= (double)tensor->values;
	if (o->mask == DFS_ULTRA_SEEDED)
		return r->rate;
	return r->rate > zeros ? (r->rate - zeros) / (1 - zeros) : 0;
}

/* --- TNGR */

static double trace_norm(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *t)
{
	const struct dfs_ultra_record *r = t->record;
	double rows = (double)t->shape.rows, cols = (double)t->shape.cols;

	if (dfs_ultra_wants_trace(o))
		return r->trace;
	return QUARTER_CIRCLE * sqrt(spread_of(r, levels_of(o), (double)t->values, 0) * rows * cols * (rows < cols ? rows : cols));
}

static double gamma_of(const struct dfs_ultra_options *o, double reference, double norm)
{
	double gamma;

	if (o->gamma > 0)
		return o->gamma;
	if (!(norm > 0))
		return 1;
	gamma = reference / norm;
	return gamma < GAMMA_MIN ? GAMMA_MIN : gamma > 1 ? 1 : gamma;
}

static void plan_gains(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensors, size_t n)
{
	double norm = 0, gamma, reference;

	for (size_t i = 0; i < n; i++) {
		struct dfs_ultra_record *r = tensors[i].record;

		r->gain = 1 / (1 - (o->rescale == DFS_ULTRA_LAYER ? r->rate : o->s));
		norm += trace_norm(o, &tensors[i]);
	}
	reference = o->reference > 0 ? o->reference : norm;
	gamma = gamma_of(o, reference, norm);
	for (size_t i = 0; i < n; i++) {
		struct dfs_ultra_record *r = tensors[i].record;

		r->gain *= gamma;
		r->gamma = gamma;
		r->norm = norm;
		r->reference = o->gamma > 0 ? 0 : reference;
	}
}

/* --- the key: of the seed, and of what the model is like, so that no two models leave out the same */

/* The key that follows when @value, number @i of many, is taken in. */
static uint64_t next_key(uint64_t key, uint64_t i, uint64_t value)
{
	struct dfs_philox stream = { key, { (uint32_t)value, (uint32_t)(value >> 32) } };
	uint32_t words[2];

	dfs_philox_words(DFS_CPU_PORTABLE, &stream, 4 * i, 2, words);
	return words[0] | (uint64_t)words[1] << 32;
}

static uint64_t bits_of(float a, float b)
{
	union { float values[2]; uint32_t bits[2]; } both = { .values = { a, b } };

	return both.bits[0] | (uint64_t)both.bits[1] << 32;
}

static void plan_keys(const struct dfs_ultra_options *o, const struct dfs_lossy_tensor *tensors, size_t n)
{
	uint64_t key = o->seed, taken = 0;

	for (size_t i = 0; i < n; i++) {
		const struct dfs_ultra_record *r = tensors[i].record;

		key = next_key(key, taken++, bits_of(r->min, r->max));
		for (unsigned k = 0; k < levels_of(o); k++)
			key = next_key(key, taken++, r->counts[k]);
	}
	for (size_t i = 0; i < n; i++)
		((struct dfs_ultra_record *)tensors[i].record)->key = key;
}

/* Were the exact norms to be had? */
static int check_traces(const struct dfs_lossy_tensor *tensors, size_t n, struct dfs_err *err)
{
	int ret = dfs_linear_load(err);

	if (ret < 0)
		return dfs_err_at(err, ret, "trace=exact");
	for (size_t i = 0; i < n; i++)
		if (((struct dfs_ultra_record *)tensors[i].record)->trace < 0)
			return dfs_fail(err, ERANGE, "trace=exact: LAPACK found no singular values");
	return 0;
}

int dfs_ultra_plan(const void *options, const struct dfs_lossy_tensor *tensors, size_t n, struct dfs_err *err)
{
	int ret;

	if (!n)
		return 0;
	ret = dfs_ultra_wants_trace(options) ? check_traces(tensors, n, err) : 0;
	if (ret < 0)
		return ret;
	ret = plan_rates(options, tensors, n);
	if (ret < 0)
		return dfs_fail(err, -ret, "out of memory");
	plan_gains(options, tensors, n);
	plan_keys(options, tensors, n);
	return 0;
}
