/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ultradelta: its options, and its rows. What it is: ultradelta.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec/add.h"
#include "codec/ultradelta.h"

static const char *const mask_words[] = { "seeded", "stored", NULL };
static const char *const levels_words[] = { "uniform", "codebook", NULL };
static const char *const rescale_words[] = { "global", "layer", NULL };
static const char *const trace_words[] = { "estimate", "exact", NULL };	/* in the order of enum dfs_norm */

#define GAMMA_MAX 2

static int parse_gamma(const char *text, void *options, struct dfs_err *err)
{
	struct dfs_ultra_options *o = options;
	char *end;
	double value = strtod(text, &end);

	if (!strcmp(text, "auto")) {
		o->gamma = 0;
		return 0;
	}
	if (end == text || *end || !(value > 0 && value <= GAMMA_MAX))
		return dfs_fail(err, EINVAL, "option gamma is auto, or a number above 0 and up to %d, not \"%s\"",
				GAMMA_MAX, text);
	o->gamma = value;
	return 0;
}

/* All 64 bits, which a double does not have. */
static int parse_seed(const char *text, void *options, struct dfs_err *err)
{
	struct dfs_ultra_options *o = options;
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return dfs_fail(err, EINVAL, "option seed is a whole number from 0 to 2^64 - 1, not \"%s\"", text);
	o->seed = value;
	return 0;
}

#define AT(field) .offset = offsetof(struct dfs_ultra_options, field)

static const struct dfs_option option_rows[] = {
	{ .name = "s", .min = 0.001, .max = 0.9999, AT(s) },
	{ .name = "step", .min = 0, .max = 0.5, AT(step) },
	{ .name = "qbits", .min = 2, .max = 8, .whole = true, AT(bits) },
	{ .name = "mask", .words = mask_words, AT(mask) },
	{ .name = "levels", .words = levels_words, AT(levels) },
	{ .name = "rescale", .words = rescale_words, AT(rescale) },
	{ .name = "gamma", .parse = parse_gamma },
	{ .name = "nref", .min = 0, .max = 1e300, AT(reference) },
	{ .name = "trace", .words = trace_words, AT(trace) },
	{ .name = "seed", .parse = parse_seed },
	{ .name = NULL },
};

static void defaults(void *options)
{
	*(struct dfs_ultra_options *)options = (struct dfs_ultra_options){
		.s = 0.97,
		.step = 0.01,
		.bits = 4,
		.gamma = 1,
	};
}

/* What would be passed over is a misunderstanding. */
static int check(const void *options, struct dfs_err *err)
{
	const struct dfs_ultra_options *o = options;

	if (o->gamma > 0 && o->reference > 0)
		return dfs_fail(err, EINVAL, "option nref is what gamma=auto compares with, and gamma is %g here", o->gamma);
	if (o->gamma > 0 && o->trace != DFS_NORM_ESTIMATE)
		return dfs_fail(err, EINVAL, "option trace is how gamma=auto comes by the norm, and gamma is %g here", o->gamma);
	return 0;
}

_Static_assert(sizeof(struct dfs_ultra_options) <= DFS_LOSSY_OPTIONS_MAX, "options fit");

static bool accepts(struct dfs_shape shape)
{
	return dfs_add_takes(shape.dtype) && !shape.drop && shape.rows && shape.cols;
}

/* A byte a code, and places. */
static size_t bound(struct dfs_shape shape, size_t n)
{
	(void)shape;
	return n + DFS_ULTRA_PLACES_MAX(n);
}

const struct dfs_codec dfs_codec_ultradelta = {
	.name = "ultradelta",
	.needs_prediction = true,
	.record_size = 1,
	.accepts = accepts,
	.table_open = dfs_ultra_table_open,
	.bound = bound,
	.decode = dfs_ultra_decode,
};

static void *planned(const struct dfs_lossy_tensor *tensor)
{
	return &((struct dfs_ultra_record *)tensor->record)->rate;
}

static bool table_grows(const void *options)
{
	(void)options;
	return false;
}

static bool compares(const void *options, enum dfs_norm *ret_kind)
{
	const struct dfs_ultra_options *o = options;

	*ret_kind = (enum dfs_norm)o->trace;
	return !(o->gamma > 0 || o->reference > 0);
}

static void compare(void *options, double norm)
{
	((struct dfs_ultra_options *)options)->reference = norm;
}

static double norm(const struct dfs_lossy_tensor *tensor)
{
	return ((struct dfs_ultra_record *)tensor->record)->norm;
}

const struct dfs_lossy dfs_lossy_ultradelta = {
	.codec = &dfs_codec_ultradelta,
	.options = option_rows,
	.defaults = defaults,
	.check = check,
	.whole_model = true,
	.passes = dfs_ultra_passes,
	.record_size = dfs_ultra_record_size,
	.measure = dfs_ultra_measure,
	.settle = dfs_ultra_settle,
	.plan = dfs_ultra_plan,
	.planned = planned,
	.planned_size = offsetof(struct dfs_ultra_record, n_chunks) - offsetof(struct dfs_ultra_record, rate),
	.compares = compares,
	.compare = compare,
	.norm = norm,
	.prepare = dfs_ultra_prepare,
	.table_grows = table_grows,
	.encode = dfs_ultra_encode,
};
