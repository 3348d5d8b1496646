/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lossy: the rows, and the options behind a codec's name. */
#include "codec/lossy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/internal.h"
#include "util/nearest.h"

static const struct dfs_lossy *const rows[DFS_CODECS] = {
	[DFS_CODEC_BITDELTA] = &dfs_lossy_bitdelta,
	[DFS_CODEC_DELTA_DCT] = &dfs_lossy_delta_dct,
	[DFS_CODEC_ULTRADELTA] = &dfs_lossy_ultradelta,
	[DFS_CODEC_DELTA_COME] = &dfs_lossy_delta_come,
};

const struct dfs_lossy *dfs_lossy_find(unsigned id)
{
	return id < DFS_CODECS ? rows[id] : NULL;
}

#define OPTIONS_MAX 16	/* of one codec */
#define TEXT_MAX 256	/* bytes of one "name=value" */

static int unknown_option(const struct dfs_lossy *lossy, const char *name, struct dfs_err *err)
{
	const char *names[OPTIONS_MAX] = { NULL };
	const char *near;
	size_t n = 0;

	for (const struct dfs_option *o = lossy->options; o->name && n < OPTIONS_MAX; o++)
		names[n++] = o->name;
	near = dfs_nearest(name, names, n);
	if (near)
		return dfs_fail(err, EINVAL, "codec %s has no option \"%s\"; did you mean \"%s\"?",
				lossy->codec->name, name, near);
	return dfs_fail(err, EINVAL, "codec %s has no option \"%s\"", lossy->codec->name, name);
}

static void set(const struct dfs_option *option, void *options, double value)
{
	memcpy((uint8_t *)options + option->offset, &value, sizeof(value));
}

static int parse_word(const struct dfs_option *option, const char *text, void *options, struct dfs_err *err)
{
	char list[TEXT_MAX] = "";
	size_t len = 0;

	for (unsigned i = 0; option->words[i]; i++) {
		if (!strcmp(option->words[i], text)) {
			set(option, options, i);
			return 0;
		}
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", option->words[i]);
	}
	return dfs_fail(err, EINVAL, "option %s is one of %s, not \"%s\"", option->name, list, text);
}

static int parse_number(const struct dfs_option *option, const char *text, void *options, struct dfs_err *err)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= option->min && value <= option->max) ||
	    (option->whole && value != floor(value)))
		return dfs_fail(err, EINVAL, "option %s is a %snumber from %g to %g, not \"%s\"", option->name,
				option->whole ? "whole " : "", option->min, option->max, text);
	set(option, options, value);
	return 0;
}

static int parse_option(const struct dfs_lossy *lossy, char *text, void *options, struct dfs_err *err)
{
	char *value = strchr(text, '=');

	if (!value)
		return dfs_fail(err, EINVAL, "codec %s: \"%s\" is no option; options are written name=value",
				lossy->codec->name, text);
	*value++ = '\0';
	for (const struct dfs_option *o = lossy->options; o->name; o++) {
		if (strcmp(o->name, text))
			continue;
		if (o->parse)
			return o->parse(value, options, err);
		return o->words ? parse_word(o, value, options, err) : parse_number(o, value, options, err);
	}
	return unknown_option(lossy, text, err);
}

int dfs_lossy_parse(const struct dfs_lossy *lossy, const char *text, void *options, struct dfs_err *err)
{
	memset(options, 0, DFS_LOSSY_OPTIONS_MAX);
	lossy->defaults(options);
	while (text && *text) {
		size_t len = strcspn(text, ",");
		char option[TEXT_MAX];
		int ret;

		if (len >= sizeof(option))
			return dfs_fail(err, EINVAL, "an option of %zu letters", len);
		memcpy(option, text, len);
		option[len] = '\0';
		ret = parse_option(lossy, option, options, err);
		if (ret < 0)
			return ret;
		text += len + (text[len] == ',');
	}
	return lossy->check ? lossy->check(options, err) : 0;
}
