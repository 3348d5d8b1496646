/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_model: from counts to the tables of a tensor.
 *
 * How far a value strays, in steps of its own size, depends on how large the
 * prediction is (its octave) against how far the row's values move (its
 * scale, in half octaves). So all that is counted falls on one axis,
 *	place = scale + 2 * context
 * (scale 0 throughout if rows have no classes), and neighbours on it that do
 * not pay for a table each are put together, the cheapest pair first.
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/diff.h"
#include "util/auto.h"

#define PLACES (DFS_CLASSES + 2 * DFS_CONTEXTS)
#define TABLE_BITS 24	/* a table's share of the map and its head, about */
#define SYMBOL_BITS 6	/* a frequency as packed, about: measured 5 to 7 on synthetic pairs */
#define PRECISION 4	/* significant bits: 3 costs 0.1 % more data, 5 no less */
#define CLASS_GAIN 64	/* classes must save one part in so many: they slow decoding a little */

/* What is known of one place on the axis, or of several put together. */
struct cell {
	uint64_t counts[DFS_TOKENS_MAX];
	uint64_t total;
	uint64_t bits;		/* coding cost, with the table's own */
	unsigned last;		/* place; cells are in order, without gaps */
};

struct axis {
	unsigned n_tokens;
	unsigned n;
	struct cell cells[PLACES];
};

static uint64_t cell_bits(const struct axis *axis, const struct cell *cell)
{
	unsigned used = 0;

	if (!cell->total)
		return 0;
	for (unsigned t = 0; t < axis->n_tokens; t++)
		used += cell->counts[t] != 0;
	return dfs_entropy_bits(cell->counts, axis->n_tokens) + TABLE_BITS + SYMBOL_BITS * used;
}

static void add_cell(const struct axis *axis, struct cell *into, const struct cell *from)
{
	for (unsigned t = 0; t < axis->n_tokens; t++)
		into->counts[t] += from->counts[t];
	into->total += from->total;
}

/* What putting cell @i and the next together saves; negative: costs. */
static int64_t pair_gain(const struct axis *axis, unsigned i)
{
	struct cell both = axis->cells[i];

	add_cell(axis, &both, &axis->cells[i + 1]);
	return (int64_t)(axis->cells[i].bits + axis->cells[i + 1].bits) -
	       (int64_t)cell_bits(axis, &both);
}

static void join_pair(struct axis *axis, unsigned i)
{
	struct cell *cell = &axis->cells[i];

	add_cell(axis, cell, cell + 1);
	cell->last = cell[1].last;
	cell->bits = cell_bits(axis, cell);
	axis->n--;
	memmove(cell + 1, cell + 2, (axis->n - i - 1) * sizeof(*cell));
}

/* Joins neighbours while that saves bits, or there are too many. Return: bits of what is left. */
static uint64_t axis_join(struct axis *axis)
{
	int64_t gains[PLACES];
	uint64_t bits = 0;

	for (unsigned i = 0; i < axis->n; i++)
		axis->cells[i].bits = cell_bits(axis, &axis->cells[i]);
	for (unsigned i = 0; i + 1 < axis->n; i++)
		gains[i] = pair_gain(axis, i);
	while (axis->n > 1) {
		unsigned best = 0;

		for (unsigned i = 1; i + 1 < axis->n; i++)
			if (gains[i] > gains[best])
				best = i;
		if (gains[best] < 0 && axis->n <= DFS_DIFF_TABLES)
			break;
		join_pair(axis, best);
		memmove(&gains[best], &gains[best + 1], (axis->n - best) * sizeof(*gains));
		if (best > 0)
			gains[best - 1] = pair_gain(axis, best - 1);
		if (best + 1 < axis->n)
			gains[best] = pair_gain(axis, best);
	}
	for (unsigned i = 0; i < axis->n; i++)
		bits += axis->cells[i].bits;
	return bits;
}

static const uint32_t *plane(const struct dfs_diff_record *record, const struct dfs_layout *l,
			     unsigned scale)
{
	return record->counts + (size_t)scale * DFS_BINS * dfs_tokens(l);
}

static uint64_t count_bin(const struct dfs_diff_record *record, const struct dfs_layout *l,
			  unsigned bin)
{
	uint64_t sum = 0;

	for (unsigned s = 0; s < (record->has_rows ? DFS_SCALES : 1); s++)
		for (unsigned t = 0; t < dfs_tokens(l); t++)
			sum += plane(record, l, s)[bin * dfs_tokens(l) + t];
	return sum;
}

/*
 * The highest octave with enough values in and above it to fill a table. Not
 * so low that the lowest context's octaves would lie below the lowest bin.
 */
static unsigned choose_top(const struct dfs_diff_record *record, const struct dfs_layout *l)
{
	uint64_t enough = 64 + record->values / 4096;
	uint64_t above = 0;
	unsigned bin = DFS_BINS - 1;

	if (!l->exponent)
		return 0; /* all is counted in bin 0, and context 0 is the only one */
	for (; bin > DFS_CONTEXTS - 1; bin--) {
		above += count_bin(record, l, bin);
		if (above >= enough)
			break;
	}
	return bin;
}

/* Adds what was counted at @scale to the axis, at place @at + 2 * context. */
static void axis_add(struct axis *axis, const struct dfs_diff_record *record,
		     const struct dfs_layout *l, unsigned scale, unsigned top_bin, unsigned at,
		     unsigned stride)
{
	const uint32_t *counts = plane(record, l, scale);

	for (unsigned bin = 0; bin < DFS_BINS; bin++) {
		struct cell *cell = &axis->cells[at + stride * dfs_context(top_bin, bin)];

		for (unsigned t = 0; t < axis->n_tokens; t++) {
			cell->counts[t] += counts[bin * axis->n_tokens + t];
			cell->total += counts[bin * axis->n_tokens + t];
		}
	}
}

static struct axis *axis_new(const struct dfs_layout *l, unsigned n)
{
	struct axis *axis = calloc(1, sizeof(*axis));

	if (!axis)
		return NULL;
	axis->n_tokens = dfs_tokens(l);
	axis->n = n;
	for (unsigned i = 0; i < n; i++)
		axis->cells[i].last = i;
	return axis;
}

static unsigned contexts_of(const struct dfs_layout *l)
{
	return l->exponent ? DFS_CONTEXTS : 1;
}

/* Without classes: scales put together. */
static struct axis *axis_plain(const struct dfs_diff_record *record, const struct dfs_layout *l,
			       unsigned top_bin)
{
	struct axis *axis = axis_new(l, contexts_of(l));

	for (unsigned s = 0; axis && s < (record->has_rows ? DFS_SCALES : 1); s++)
		axis_add(axis, record, l, s, top_bin, 0, 1);
	return axis;
}

/*
 * Scales are a circle of 31. The first one in use after the longest run of
 * unused ones begins class 1. A class is one scale, as far as numbers go; the
 * last one takes all that are left.
 */
static unsigned first_scale(const struct dfs_diff_record *record)
{
	unsigned longest = 0, first = 1;

	for (unsigned start = 1; start < DFS_SCALES; start++) {
		unsigned run = 0;

		while (run < DFS_SCALES - 1 &&
		       !record->rows[1 + (start - 1 + run) % (DFS_SCALES - 1)])
			run++;
		if (run > longest && run < DFS_SCALES - 1) {
			longest = run;
			first = 1 + (start - 1 + run) % (DFS_SCALES - 1);
		}
	}
	return first;
}

struct classes {
	unsigned n;
	unsigned first;		/* scale where class 1 begins */
	uint8_t of[DFS_SCALES];	/* class of a scale */
	uint64_t rows[DFS_CLASSES];
};

static void choose_classes(struct classes *c, const struct dfs_diff_record *record)
{
	*c = (struct classes){ .n = 1, .first = first_scale(record) };
	for (unsigned i = 0; i < DFS_SCALES - 1; i++) {
		unsigned scale = 1 + (c->first - 1 + i) % (DFS_SCALES - 1);
		unsigned class = i + 1 < DFS_CLASSES ? i + 1 : DFS_CLASSES - 1;

		c->of[scale] = class;
		c->rows[class] += record->rows[scale];
		if (record->rows[scale])
			c->n = class + 1;
	}
	for (unsigned s = 1; s < DFS_SCALES; s++)
		if (c->of[s] >= c->n)
			c->of[s] = c->n - 1;
	c->rows[0] = record->rows[0];
}

static struct axis *axis_classed(const struct dfs_diff_record *record, const struct dfs_layout *l,
				 unsigned top_bin, const struct classes *c)
{
	struct axis *axis = axis_new(l, c->n - 2 + 2 * DFS_CONTEXTS);

	for (unsigned s = 1; axis && s < DFS_SCALES; s++)
		if (record->rows[s])
			axis_add(axis, record, l, s, top_bin, c->of[s] - 1, 2);
	return axis;
}

static unsigned cell_at(const struct axis *axis, unsigned place)
{
	unsigned i = 0;

	while (axis->cells[i].last < place)
		i++;
	return i;
}

static void take_axis(struct dfs_diff_model *m, const struct axis *axis)
{
	m->n_tables = axis->n;
	m->precision = PRECISION;
	for (unsigned i = 0; i < axis->n; i++)
		dfs_freq_from_counts(&m->freqs[i], axis->cells[i].counts, axis->n_tokens, m->log,
				     m->precision);
}

static void take_plain(struct dfs_diff_model *m, const struct axis *axis)
{
	m->n_classes = 1;
	take_axis(m, axis);
	for (unsigned c = 0; c < contexts_of(&m->layout); c++)
		m->map[0][c] = cell_at(axis, c);
}

static void take_classed(struct dfs_diff_model *m, const struct axis *axis,
			 const struct classes *classes)
{
	m->n_classes = classes->n;
	take_axis(m, axis);
	for (unsigned k = 1; k < classes->n; k++)
		for (unsigned c = 0; c < DFS_CONTEXTS; c++)
			m->map[k][c] = cell_at(axis, k - 1 + 2 * c);
	for (unsigned k = 1; k < classes->n; k++)
		m->from[k] = 1 + (classes->first + k - 2) % (DFS_SCALES - 1);
	dfs_freq_from_counts(&m->class_freq, classes->rows, DFS_CLASSES, m->log, m->precision);
}

DFS_AUTO_KIND(axis, struct axis *, free(*p));

static int choose_axis(struct dfs_diff_model *m, const struct dfs_diff_record *record,
		       unsigned top_bin)
{
	DFS_AUTO(axis) struct axis *plain = axis_plain(record, &m->layout, top_bin);
	DFS_AUTO(axis) struct axis *classed = NULL;
	struct classes classes;
	uint64_t plain_bits, classed_bits;

	if (!plain)
		return -ENOMEM;
	plain_bits = axis_join(plain);
	if (record->has_rows) {
		choose_classes(&classes, record);
		if (classes.n > 1)
			classed = axis_classed(record, &m->layout, top_bin, &classes);
	}
	if (classed) {
		classed_bits = axis_join(classed) + dfs_entropy_bits(classes.rows, DFS_CLASSES);
		if (classed_bits < plain_bits - plain_bits / CLASS_GAIN) {
			take_classed(m, classed, &classes);
			return 0;
		}
	}
	take_plain(m, plain);
	return 0;
}

int dfs_diff_model_build(struct dfs_diff_model *m, struct dfs_shape shape,
			 const struct dfs_diff_record *record)
{
	unsigned top_bin;

	memset(m, 0, sizeof(*m));
	dfs_layout_init(&m->layout, shape);
	m->log = DFS_DIFF_LOG_MAX;
	top_bin = choose_top(record, &m->layout);
	m->top = m->layout.exponent ? top_bin + dfs_bin_low(&m->layout) : 0;
	return choose_axis(m, record, top_bin);
}

uint64_t dfs_diff_bits(struct dfs_shape shape, const struct dfs_diff_record *record)
{
	struct dfs_layout l;
	DFS_AUTO(axis) struct axis *axis = NULL;
	uint64_t bits = 0;

	if (!record->started || !dfs_layout_init(&l, shape))
		return 0;
	axis = axis_plain(record, &l, choose_top(record, &l));
	if (!axis)
		return UINT64_MAX;
	for (unsigned i = 0; i < axis->n; i++) {
		bits += dfs_entropy_bits(axis->cells[i].counts, axis->n_tokens);
		for (unsigned t = 16; t < axis->n_tokens; t++)
			bits += axis->cells[i].counts[t] * dfs_token_bits(t);
	}
	return bits;
}
