/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_come_row: a row of a factor as bytes.
 *
 * A code of b bits, 3 or 2, is one of the odd numbers from 1 - 2^b to 2^b - 1,
 * times the scale of its group. There is no zero among them, which values
 * around zero do not need: two levels on either side of it with the step of
 * least error lose 0.119 of a normal distribution's energy, four levels from
 * minimum to maximum twice that and more. (J. Max: Quantizing for Minimum
 * Distortion. IRE Trans. Information Theory 6(1), 1960, table 2.)
 * 8 bits are a signed number, whose step is in S.
 *
 * A scale is a byte: 5 bits of exponent, 3 of mantissa, 0 for zero. That it is
 * up to 1/16 off costs less than the bits would.
 */
#include <math.h>
#include <string.h>

#include "codec/delta_come.h"

const uint8_t dfs_come_bits[DFS_COME_CLASSES] = { 8, 3, 2 };

static uint32_t groups(uint32_t cols, uint32_t group)
{
	return (uint32_t)(((uint64_t)cols + group - 1) / group);
}

void dfs_come_layout_init(struct dfs_come_layout *l)
{
	uint64_t bits = 0;

	l->rank = 0;
	for (unsigned c = 0; c < DFS_COME_CLASSES; c++) {
		bits += (uint64_t)dfs_come_bits[c] * l->cols[c];
		l->rank += l->cols[c];
	}
	l->scales = groups(l->cols[DFS_COME_MIDDLE], l->group) + groups(l->cols[DFS_COME_COARSE], l->group);
	l->row_bytes = l->scales + (size_t)((bits + 7) / 8);
	l->spare = (uint32_t)(-bits & 7);
}

bool dfs_come_next(const struct dfs_come_layout *l, struct dfs_come_run *run)
{
	uint32_t end = 0;

	run->from = run->to;
	for (unsigned c = 0; c < DFS_COME_CLASSES; c++) {
		end += l->cols[c];
		if (run->from >= end)
			continue;
		run->bits = dfs_come_bits[c];
		run->scaled = c != DFS_COME_FINE;
		run->to = run->scaled && end - run->from > l->group ? run->from + l->group : end;
		return true;
	}
	return false;
}

float dfs_come_scale(uint8_t code)
{
	return code ? ldexpf((float)(8 + (code & 7)), (code >> 3) - 35) : 0;
}

/* The scale nearest to a positive number, at least the smallest. */
static uint8_t nearest_scale(float scale)
{
	int exponent, code;
	float mantissa = frexpf(scale, &exponent);	/* 0.5 <= mantissa < 1 */

	/* 16 * mantissa is 8 + m; where it is rounded up to 16, the code is that of the next exponent */
	code = (exponent - 4 + 35) * 8 + (int)lrintf(16 * mantissa) - 8;
	return (uint8_t)(code < 1 ? 1 : code > 255 ? 255 : code);
}

/* --- bits */

struct reader {
	const uint8_t *at;
	uint32_t pending, n;
};

static inline uint32_t take(struct reader *r, uint32_t bits)
{
	uint32_t v;

	if (r->n < bits) {
		r->pending |= (uint32_t)*r->at++ << r->n;
		r->n += 8;
	}
	v = r->pending & ((1u << bits) - 1);
	r->pending >>= bits;
	r->n -= bits;
	return v;
}

/* Codes of 2 bits, four a byte as long as they begin one. */
static void take_pairs(struct reader *r, int8_t *levels, uint32_t n)
{
	uint32_t i = 0;

	for (; r->n == 0 && n - i >= 4; i += 4) {
		uint8_t byte = *r->at++;

		for (uint32_t k = 0; k < 4; k++)
			levels[i + k] = (int8_t)(2 * (byte >> 2 * k & 3) - 3);
	}
	for (; i < n; i++)
		levels[i] = (int8_t)(2 * (int)take(r, 2) - 3);
}

void dfs_come_unpack(const struct dfs_come_layout *l, const uint8_t *row, int8_t *levels, float *scales)
{
	struct reader r = { .at = row + l->scales };
	struct dfs_come_run run = { 0 };

	for (uint32_t i = 0; i < l->scales; i++)
		scales[i] = dfs_come_scale(row[i]);
	while (dfs_come_next(l, &run)) {
		uint32_t n = run.to - run.from;

		if (run.bits == 8) {	/* these come first, as whole bytes */
			memcpy(levels, r.at, n);
			r.at += n;
		} else if (run.bits == 2) {
			take_pairs(&r, levels + run.from, n);
		} else {
			for (uint32_t i = run.from; i < run.to; i++)
				levels[i] = (int8_t)(2 * (int)take(&r, run.bits) - ((1 << run.bits) - 1));
		}
	}
}

bool dfs_come_row_clean(const struct dfs_come_layout *l, const uint8_t *row)
{
	return !l->spare || !(row[l->row_bytes - 1] >> (8 - l->spare));
}

/* --- rounding */

/* Squared error of a group with half a step of @h, less its energy. */
static double error_of(const float *values, uint32_t n, uint32_t bits, float h)
{
	float low = 2 * h, middle = 4 * h, high = bits == 3 ? 6 * h : INFINITY;
	double product = 0, square = 0;

	if (bits == 2)
		middle = INFINITY;
	for (uint32_t i = 0; i < n; i++) {
		float a = fabsf(values[i]);
		float level = 1 + 2 * (float)((a > low) + (a > middle) + (a > high));

		product += level * a;
		square += level * level;
	}
	return h * (h * square - 2 * product);
}

/* Half a step that is best for a normal distribution of variance 1. (Max, table 2) */
static float start_of(uint32_t bits)
{
	return bits == 2 ? 0.498f : 0.293f;
}

/* The scale of least error that can be walked to from where a normal distribution would have it. */
static uint8_t best_scale(const float *values, uint32_t n, uint32_t bits)
{
	double energy = 0, best;
	unsigned code, from;

	for (uint32_t i = 0; i < n; i++)
		energy += (double)values[i] * values[i];
	if (!(energy > 0))
		return 0;
	from = code = nearest_scale(start_of(bits) * (float)sqrt(energy / n));
	best = error_of(values, n, bits, dfs_come_scale((uint8_t)code));
	for (int step = 1; step >= -1 && code == from; step -= 2)
		for (unsigned next = code + step; next >= 1 && next <= 255; next += step) {
			double error = error_of(values, n, bits, dfs_come_scale((uint8_t)next));

			if (error >= best)
				break;
			best = error;
			code = next;
		}
	return (uint8_t)code;
}

/* The nearest level of a value, as its code. */
static uint32_t code_of(float value, float h, uint32_t bits)
{
	uint32_t top = (1u << bits) - 1, below = 0;

	for (uint32_t i = 0; i < top; i++)
		below += value > h * (float)(2 * (int)i - (int)top + 1);
	return below;
}

struct writer {
	uint8_t *at;
	uint32_t pending, n;
};

static void put(struct writer *w, uint32_t v, uint32_t bits)
{
	w->pending |= v << w->n;
	w->n += bits;
	while (w->n >= 8) {
		*w->at++ = (uint8_t)w->pending;
		w->pending >>= 8;
		w->n -= 8;
	}
}

static void pack_fine(struct writer *w, float *value, float step)
{
	float level = step > 0 ? rintf(*value / step) : 0;

	level = level > 127 ? 127 : level < -127 ? -127 : level;
	put(w, (uint8_t)(int8_t)level, 8);
	*value = level * step;
}

void dfs_come_pack(const struct dfs_come_layout *l, float *values, const float *steps, uint8_t *row)
{
	struct writer w = { .at = row + l->scales };
	struct dfs_come_run run = { 0 };
	uint8_t *scale = row;

	while (dfs_come_next(l, &run)) {
		int top = (1 << run.bits) - 1;
		float h = 0;

		if (run.scaled)
			h = dfs_come_scale(*scale++ = best_scale(values + run.from, run.to - run.from, run.bits));
		for (uint32_t i = run.from; i < run.to; i++) {
			uint32_t code;

			if (!run.scaled) {
				pack_fine(&w, &values[i], steps[i]);
				continue;
			}
			code = code_of(values[i], h, run.bits);
			put(&w, code, run.bits);
			values[i] = h * (float)(2 * (int)code - top);
		}
	}
	put(&w, 0, l->spare);
}
