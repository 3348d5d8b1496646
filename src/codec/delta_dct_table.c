/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_table: what all chunks of a tensor share, and what numbers mean.
 *
 * Numbers are gains, bounds and means of patches. Of two bytes they are F16; of
 * one byte a gain is a step on a scale of sixteenths of an octave below its
 * unit, a bound one of eighths with a sign, a mean a whole multiple. Whatever
 * they are is multiplied by their unit, and then by the tensor's scale, each
 * product rounded to F32: that is the one place where the scale comes in.
 *
 *	0	u8	logarithm of p: 3 .. 6
 *	1	u8	levels: 0 lloyd, 1 minmax
 *	2	u8	bytes of a number: 1, 2
 *	3	u8	classes: 1 .. 8
 *	4	f32	unit of gains and bounds
 *	8	f32	unit of means
 *	12	f32	scale
 *	16	u8[]	bits of each class, falling
 *
 * deltafs-format(5), "delta-dct table".
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "codec/add.h"
#include "codec/delta_dct.h"
#include "tensor/convert.h"

#define HEAD 16

/* 2^(-i/16), the nearest F32. */
static const float sixteenths[16] = {
	0x1.000000p+0f, 0x1.ea4afap-1f, 0x1.d5818ep-1f, 0x1.c199bep-1f, 0x1.ae89fap-1f, 0x1.9c4918p-1f,
	0x1.8ace54p-1f, 0x1.7a1148p-1f, 0x1.6a09e6p-1f, 0x1.5ab07ep-1f, 0x1.4bfdaep-1f, 0x1.3dea64p-1f,
	0x1.306fe0p-1f, 0x1.2387a6p-1f, 0x1.172b84p-1f, 0x1.0b5586p-1f,
};

static float octaves(unsigned steps)
{
	return ldexpf(sixteenths[steps % 16], -(int)(steps / 16));
}

static float gain_of(unsigned code)
{
	return code ? octaves(255 - code) : 0;
}

static float bound_of(unsigned code)
{
	float magnitude = code & 127 ? octaves(2 * (127 - (code & 127))) : 0;

	return code & 128 ? -magnitude : magnitude;
}

static float scaled(const struct dfs_dct_params *params, float number, float unit)
{
	float value = number * unit;

	return value * params->scale;
}

/* --- floats behind the struct: cosines, levels */

static size_t n_levels(unsigned bits)
{
	return bits == 0 ? 0 : bits <= 2 ? 256 * 8 / bits : (size_t)1 << bits;
}

static size_t n_floats(const struct dfs_dct_params *params)
{
	size_t n = (size_t)params->p * params->p;

	for (uint32_t c = 0; c < params->n_classes; c++)
		n += n_levels(params->bits[c]);
	return n;
}

size_t dfs_dct_table_bytes(const struct dfs_dct_params *params)
{
	return sizeof(struct dfs_dct_table) + n_floats(params) * sizeof(float);
}

/* Classes of one and two bits have the levels of all codes in a byte: one look for several. */
static void fill_levels(const struct dfs_dct_params *params, unsigned bits, float *out)
{
	size_t n = n_levels(bits);
	unsigned each = bits <= 2 ? 8 / bits : 1;

	for (size_t i = 0; i < n; i++)
		out[i] = dfs_dct_level(params->minmax, bits,
				       i / each >> i % each * bits & ((1u << bits) - 1));
}

void dfs_dct_table_init(struct dfs_dct_table *t, const struct dfs_dct_params *params)
{
	uint32_t at = params->p * params->p;

	t->params = *params;
	dfs_dct_cosines(params->p, t->data);
	for (uint32_t c = 0; c < params->n_classes; c++) {
		unsigned bits = params->bits[c];

		t->levels[c] = at;
		if (bits)
			fill_levels(params, bits, t->data + at);
		at += (uint32_t)n_levels(bits);
	}
	for (unsigned code = 0; code < 256; code++) {
		t->gains[code] = scaled(params, params->minmax ? bound_of(code) : gain_of(code), params->gain_unit);
		t->means[code] = scaled(params, (float)(int8_t)code, params->mean_unit);
	}
}

/* --- the bytes */

static void put_float(uint8_t *at, float value)
{
	union { float value; uint32_t bits; } word = { .value = value };

	dfs_put_u32le(at, word.bits);
}

static float get_float(const uint8_t *at)
{
	union { uint32_t bits; float value; } word = { .bits = dfs_get_u32le(at) };

	return word.value;
}

int dfs_dct_table_put(const struct dfs_dct_params *params, struct dfs_buf *table, struct dfs_err *err)
{
	uint8_t *to = dfs_buf_extend(table, HEAD + params->n_classes);

	if (!to)
		return dfs_fail(err, ENOMEM, "out of memory");
	to[0] = (uint8_t)__builtin_ctz(params->p);
	to[1] = params->minmax;
	to[2] = (uint8_t)params->number;
	to[3] = (uint8_t)params->n_classes;
	put_float(to + 4, params->gain_unit);
	put_float(to + 8, params->mean_unit);
	put_float(to + 12, params->scale);
	memcpy(to + HEAD, params->bits, params->n_classes);
	return 0;
}

/* Not negative, and neither infinite nor NaN. */
static bool within(float value, float most)
{
	return value >= 0 && value <= most;
}

static int params_get(struct dfs_span bytes, struct dfs_dct_params *params, struct dfs_err *err)
{
	const uint8_t *from = bytes.data;

	if (bytes.len < HEAD || from[0] < 3 || from[0] > 6 || from[1] > 1 || from[2] < 1 || from[2] > 2 ||
	    from[3] < 1 || from[3] > DFS_DCT_CLASSES || bytes.len != (size_t)HEAD + from[3])
		return dfs_fail(err, EUCLEAN, "delta-dct: a table of %zu bytes that begins with what is not allowed",
				bytes.len);
	*params = (struct dfs_dct_params){
		.p = 1u << from[0],
		.minmax = from[1],
		.number = from[2],
		.n_classes = from[3],
		.gain_unit = get_float(from + 4),
		.mean_unit = get_float(from + 8),
		.scale = get_float(from + 12),
	};
	memcpy(params->bits, from + HEAD, params->n_classes);
	for (uint32_t c = 0; c < params->n_classes; c++)
		if (params->bits[c] > 8 || (c && params->bits[c] >= params->bits[c - 1]))
			return dfs_fail(err, EUCLEAN, "delta-dct: classes whose bits do not fall");
	if (!within(params->gain_unit, DFS_DCT_UNIT_MAX) || !within(params->mean_unit, DFS_DCT_UNIT_MAX) ||
	    !within(params->scale, DFS_DCT_SCALE_MAX))
		return dfs_fail(err, EUCLEAN, "delta-dct: a unit or a scale out of range");
	return 0;
}

int dfs_dct_table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding, struct dfs_table **ret_table,
		       struct dfs_err *err)
{
	struct dfs_dct_params params = { 0 };
	struct dfs_dct_table *t;
	int ret = params_get(bytes, &params, err);

	(void)shape;
	(void)encoding;
	if (ret < 0)
		return ret;
	t = dfs_table_alloc(dfs_dct_table_bytes(&params), sizeof(*t));
	if (!t)
		return dfs_fail(err, ENOMEM, "out of memory");
	dfs_dct_table_init(t, &params);
	*ret_table = &t->base;
	return 0;
}

/* --- numbers */

float dfs_dct_number_get(const struct dfs_dct_table *t, enum dfs_dct_number kind, const uint8_t *at)
{
	const struct dfs_dct_params *params = &t->params;
	uint8_t bytes[4];

	if (params->number == 1)
		return (kind == DFS_DCT_MEAN ? t->means : t->gains)[*at];
	dfs_convert(DFS_F16, DFS_F32, at, bytes, 1);
	return scaled(params, get_float(bytes), kind == DFS_DCT_MEAN ? params->mean_unit : params->gain_unit);
}

/* The nearest of @steps to the octave, @top being the unit itself; 0 if it is far below. */
static unsigned octave_code(double value, double unit, int steps, int top)
{
	double code = value > 0 && unit > 0 ? top + rint(steps * log2(value / unit)) : 0;

	return code < 1 ? 0 : code > top ? (unsigned)top : (unsigned)code;
}

static uint8_t byte_of(enum dfs_dct_number kind, double value, double unit)
{
	double whole;

	switch (kind) {
	case DFS_DCT_GAIN:
		return (uint8_t)octave_code(value, unit, 16, 255);
	case DFS_DCT_BOUND:
		return (uint8_t)(octave_code(fabs(value), unit, 8, 127) | (value < 0 ? 128 : 0));
	default:
		whole = unit > 0 ? rint(value / unit) : 0;
		return (uint8_t)(int8_t)(whole > 127 ? 127 : whole < -127 ? -127 : whole);
	}
}

void dfs_dct_number_put(const struct dfs_dct_table *t, enum dfs_dct_number kind, double value, uint8_t *at)
{
	const struct dfs_dct_params *params = &t->params;
	float unit = kind == DFS_DCT_MEAN ? params->mean_unit : params->gain_unit;
	uint8_t bytes[4];

	if (params->number == 1) {
		*at = byte_of(kind, value, unit);
		return;
	}
	put_float(bytes, unit > 0 ? (float)(value / unit) : 0);
	dfs_convert(DFS_F32, DFS_F16, bytes, at, 1);
}

float dfs_dct_unit(unsigned number, bool mean, double largest)
{
	int exponent;

	if (number == 1)
		return (float)(mean ? largest / 127 : largest);
	if (!(largest > 0))
		return 0;
	frexp(largest, &exponent);
	return ldexpf(1, exponent < -134 ? -149 : exponent - 15);	/* the largest is below 2^15, well inside F16 */
}
