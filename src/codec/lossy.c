/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lossy: the rows, the options behind a codec's name, and the difference all of them work on. */
#include "codec/lossy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/add.h"
#include "codec/internal.h"
#include "tensor/convert_fast.h"
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
#define BLOCK 1024	/* values whose difference is taken at a time */

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

/* What a codec makes of values up to this, even if much larger than they were, is well inside what the dtype can hold. */
static float largest_of(unsigned dtype)
{
	return dtype == DFS_F16 ? 0x1p11f : 0x1p120f;
}

/* Files are little endian, and so is what dfs_convert_fast() gives. */
static void to_host(float *values, size_t n)
{
	uint32_t bits;

	for (size_t i = 0; le32toh(1) != 1 && i < n; i++) {
		memcpy(&bits, &values[i], sizeof(bits));
		bits = le32toh(bits);
		memcpy(&values[i], &bits, sizeof(bits));
	}
}

static void take_f32(unsigned dtype, enum dfs_cpu cpu, const void *values, float *room, size_t n)
{
	if (dtype == DFS_F32)
		memcpy(room, values, n * sizeof(*room));
	else
		dfs_convert_fast(dtype, DFS_F32, cpu)(values, room, n);
	to_host(room, n);
}

/* Whole blocks, so that compilers make vectors of it. Return: all values are finite and no larger than @limit. */
static bool subtract(const float *a, const float *b, float limit, float *delta)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		delta[i] = a[i] - b[i];
		wrong |= !(fabsf(a[i]) <= limit) | !(fabsf(b[i]) <= limit);	/* NaN too */
	}
	return !wrong;
}

bool dfs_delta(unsigned dtype, const void *data, const void *pred, float *delta, size_t n)
{
	unsigned size = dtype == DFS_F32 ? 4 : 2;
	float room_a[BLOCK] = { 0 }, room_b[BLOCK] = { 0 }, differences[BLOCK];
	enum dfs_cpu cpu = dfs_cpu_best();
	float limit = largest_of(dtype);
	bool all = true;

	for (size_t at = 0; at < n; at += BLOCK) {
		size_t now = n - at < BLOCK ? n - at : BLOCK;

		take_f32(dtype, cpu, (const uint8_t *)data + at * size, room_a, now);
		take_f32(dtype, cpu, (const uint8_t *)pred + at * size, room_b, now);
		/* behind the last value stands what was there before, which has been judged */
		all &= subtract(room_a, room_b, limit, differences);
		memcpy(delta + at, differences, now * sizeof(*delta));
	}
	return all;
}

/* Whole blocks, as above. Infinity and NaN have all bits of the exponent. */
#define FINITE(bits)								\
	static bool finite_##bits(const uint8_t *values, size_t n, unsigned exponent)	\
	{									\
		uint##bits##_t block[BLOCK] = { 0 };				\
		unsigned wrong = 0;						\
										\
		for (size_t at = 0; at < n; at += BLOCK) {			\
			size_t now = n - at < BLOCK ? n - at : BLOCK;		\
										\
			memcpy(block, values + at * sizeof(*block), now * sizeof(*block)); \
			for (size_t i = 0; i < BLOCK; i++)			\
				wrong |= (le##bits##toh(block[i]) & exponent) == exponent; \
		}								\
		return !wrong;							\
	}

FINITE(16)
FINITE(32)

bool dfs_lossy_finite(unsigned dtype, const void *values, size_t n)
{
	if (dtype == DFS_F32)
		return finite_32(values, n, 0x7f800000);
	return finite_16(values, n, dtype == DFS_F16 ? 0x7c00 : 0x7f80);
}
