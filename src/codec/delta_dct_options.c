/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "codec/delta_dct.h"

static const char *const p_words[] = { "8", "16", "32", "64", NULL };
static const char *const level_words[] = { "lloyd", "minmax", NULL };
static const char *const code_words[] = { "8", "16", NULL };

#define SHARES_OFF 0.015	/* thirds are written .33 */

static int parse_share(const char *text, struct dfs_dct_share *ret_share, char **ret_end, struct dfs_err *err)
{
	char *end;
	double bits = strtod(text, &end), share = -1;

	if (end != text && *end == ':') {
		const char *number = end + 1;

		share = strtod(number, &end);
		if (end == number)
			share = -1;
	}
	if (!(bits >= 0 && bits <= 8) || bits != floor(bits) || !(share > 0 && share <= 1) || (*end && *end != '/'))
		return dfs_fail(err, EINVAL, "option bits is a list such as 2:0.5/0:0.5, whole bits from 0 to 8 "
				"and the share of the patches that gets them, not \"%s\"", text);
	*ret_share = (struct dfs_dct_share){ .bits = (uint32_t)bits, .share = share };
	*ret_end = end;
	return 0;
}

/* By falling bits, whatever the order in which they were written. */
static int insert(struct dfs_dct_options *o, struct dfs_dct_share share, struct dfs_err *err)
{
	uint32_t at = o->n_classes;

	if (at == DFS_DCT_CLASSES)
		return dfs_fail(err, EINVAL, "option bits has more than %d parts", DFS_DCT_CLASSES);
	for (uint32_t i = 0; i < at; i++)
		if (o->classes[i].bits == share.bits)
			return dfs_fail(err, EINVAL, "option bits has %u bits twice", share.bits);
	for (; at > 0 && o->classes[at - 1].bits < share.bits; at--)
		o->classes[at] = o->classes[at - 1];
	o->classes[at] = share;
	o->n_classes++;
	return 0;
}

static int parse_bits(const char *text, void *options, struct dfs_err *err)
{
	struct dfs_dct_options *o = options;
	double sum = 0;

	o->n_classes = 0;
	for (const char *at = text;;) {
		struct dfs_dct_share share = { 0 };
		char *end = NULL;
		int ret = parse_share(at, &share, &end, err);

		if (ret == 0)
			ret = insert(o, share, err);
		if (ret < 0)
			return ret;
		sum += share.share;
		if (!*end)
			break;
		at = end + 1;
	}
	if (fabs(sum - 1) > SHARES_OFF)
		return dfs_fail(err, EINVAL, "option bits: the shares are %g together, not 1", sum);
	for (uint32_t i = 0; i < o->n_classes; i++)
		o->classes[i].share /= sum;
	return 0;
}

const struct dfs_option dfs_dct_option_rows[] = {
	{ .name = "p", .words = p_words, .offset = offsetof(struct dfs_dct_options, p) },
	{ .name = "bits", .parse = parse_bits },
	{ .name = "levels", .words = level_words, .offset = offsetof(struct dfs_dct_options, levels) },
	{ .name = "codes", .words = code_words, .offset = offsetof(struct dfs_dct_options, codes) },
	{ .name = NULL },
};

_Static_assert(sizeof(struct dfs_dct_options) <= DFS_LOSSY_OPTIONS_MAX, "what the caller has room for");

void dfs_dct_defaults(void *options)
{
	*(struct dfs_dct_options *)options = (struct dfs_dct_options){
		.p = 1,
		.n_classes = 2,
		.classes = { { 2, 0.5 }, { 0, 0.5 } },
	};
}

unsigned dfs_dct_option_p(const struct dfs_dct_options *options)
{
	return 8u << (unsigned)options->p;
}

struct dfs_dct_params dfs_dct_params_of(const struct dfs_dct_options *options)
{
	struct dfs_dct_params params = {
		.p = dfs_dct_option_p(options),
		.number = options->codes == 0 ? 1 : 2,
		.minmax = options->levels == 1,
		.n_classes = options->n_classes,
		.scale = 1,
	};

	for (uint32_t c = 0; c < params.n_classes; c++)
		params.bits[c] = (uint8_t)options->classes[c].bits;
	return params;
}
