/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_model: from counts to the tables of a tensor.
 *
 * How far a value strays depends on how large a step is at its prediction
 * (the octave of that: the context) and on how far its row moves (the scale of
 * that). Scales are put together to at most 15 classes, neighbours only; then
 * each class and context is a cell of counts, and diff_cells.c finds which
 * cells share a table.
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/diff.h"
#include "util/auto.h"

#define PRECISION 4	/* significant bits: 3 costs 0.1 % more data, 5 no less */
#define CLASS_GAIN 64	/* classes must save one part in so many: they slow decoding a little */

/* A class of rows: scales [first, last], going round, and what was counted in them. */
struct class {
	unsigned first, last;
	uint64_t rows;
	struct dfs_cell contexts[DFS_CONTEXTS];
};

struct classes {
	unsigned n;
	unsigned n_contexts, n_tokens;
	uint64_t same_rows;
	struct class of[DFS_SCALES];
};

static unsigned contexts_of(const struct dfs_layout *l)
{
	return l->exponent ? DFS_CONTEXTS : 1;
}

static const uint32_t *plane(const struct dfs_diff_record *record, const struct dfs_layout *l,
			     unsigned scale)
{
	return record->counts + scale * dfs_cells(l);
}

static unsigned planes_of(const struct dfs_diff_record *record)
{
	return record->has_rows ? DFS_SCALES : 1;
}

static uint64_t count_bin(const struct dfs_diff_record *record, const struct dfs_layout *l,
			  unsigned bin)
{
	uint64_t sum = 0;

	for (unsigned s = 0; s < planes_of(record); s++)
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

/* Adds what was counted at @scale to the cells of the contexts. */
static void add_scale(struct dfs_cell contexts[DFS_CONTEXTS], const struct dfs_diff_record *record,
		      const struct dfs_layout *l, unsigned scale, unsigned top_bin)
{
	const uint32_t *counts = plane(record, l, scale);
	unsigned n_tokens = dfs_tokens(l);

	for (unsigned bin = 0; bin < DFS_BINS; bin++) {
		struct dfs_cell *cell = &contexts[dfs_context(top_bin, bin)];

		for (unsigned t = 0; t < n_tokens; t++) {
			cell->counts[t] += counts[bin * n_tokens + t];
			cell->total += counts[bin * n_tokens + t];
		}
	}
}

/* --- classes */

/*
 * Scales are a circle of 31: the first one in use after the longest run of
 * unused ones is where it is cut. 0: none is in use.
 */
static unsigned first_scale(const struct dfs_diff_record *record)
{
	unsigned longest = 0, first = 0;

	for (unsigned start = 1; start < DFS_SCALES; start++) {
		unsigned before = 0;

		if (!record->rows[start])
			continue;
		while (before < DFS_SCALES - 2 &&
		       !record->rows[1 + (start - 2 - before + 2 * (DFS_SCALES - 1)) % (DFS_SCALES - 1)])
			before++;
		if (!first || before > longest) {
			longest = before;
			first = start;
		}
	}
	return first;
}

static uint64_t class_bits(const struct classes *c, const struct class *class)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < c->n_contexts; i++)
		bits += dfs_entropy_bits(class->contexts[i].counts, c->n_tokens);
	return bits;
}

static void add_class(const struct classes *c, struct class *into, const struct class *from)
{
	into->last = from->last;
	into->rows += from->rows;
	for (unsigned i = 0; i < c->n_contexts; i++) {
		for (unsigned t = 0; t < c->n_tokens; t++)
			into->contexts[i].counts[t] += from->contexts[i].counts[t];
		into->contexts[i].total += from->contexts[i].total;
	}
}

/* Bits that putting class @i and the next together costs. */
static uint64_t join_cost(const struct classes *c, unsigned i, struct class *room)
{
	*room = c->of[i];
	add_class(c, room, &c->of[i + 1]);
	return class_bits(c, room) - class_bits(c, &c->of[i]) - class_bits(c, &c->of[i + 1]);
}

/* Neighbours are put together, the cheapest pair first, until class numbers suffice. */
static void join_classes(struct classes *c, struct class *room)
{
	uint64_t costs[DFS_SCALES];

	for (unsigned i = 0; i + 1 < c->n; i++)
		costs[i] = join_cost(c, i, room);
	while (c->n > DFS_CLASSES - 1) {
		unsigned best = 0;

		for (unsigned i = 1; i + 1 < c->n; i++)
			if (costs[i] < costs[best])
				best = i;
		add_class(c, &c->of[best], &c->of[best + 1]);
		c->n--;
		memmove(&c->of[best + 1], &c->of[best + 2], (c->n - best - 1) * sizeof(c->of[0]));
		memmove(&costs[best], &costs[best + 1], (c->n - best) * sizeof(costs[0]));
		if (best > 0)
			costs[best - 1] = join_cost(c, best - 1, room);
		if (best + 1 < c->n)
			costs[best] = join_cost(c, best, room);
	}
}

static struct classes *classes_new(const struct dfs_diff_record *record,
				   const struct dfs_layout *l, unsigned top_bin)
{
	unsigned first = first_scale(record);
	struct classes *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->n_contexts = contexts_of(l);
	c->n_tokens = dfs_tokens(l);
	c->same_rows = record->rows[0];
	for (unsigned i = 0; first && i < DFS_SCALES - 1; i++) {
		unsigned scale = 1 + (first - 1 + i) % (DFS_SCALES - 1);
		struct class *class = &c->of[c->n];

		if (!record->rows[scale])
			continue;
		class->first = class->last = scale;
		class->rows = record->rows[scale];
		add_scale(class->contexts, record, l, scale, top_bin);
		c->n++;
	}
	/* one place more than there are classes: for trying a pair */
	join_classes(c, &c->of[DFS_SCALES - 1]);
	return c;
}

/* --- tables */

/* Cells of classes and contexts, empty ones left out, and the tables they get. */
struct plan {
	unsigned n, n_tables;
	struct dfs_cell cells[DFS_CELLS_MAX];
	uint8_t class[DFS_CELLS_MAX], context[DFS_CELLS_MAX];
	uint8_t table_of[DFS_CELLS_MAX];
	uint64_t bits;
};

static void plan_add(struct plan *p, const struct dfs_cell *contexts, unsigned n_contexts,
		     unsigned class)
{
	for (unsigned c = 0; c < n_contexts; c++) {
		if (!contexts[c].total)
			continue;
		p->cells[p->n] = contexts[c];
		p->class[p->n] = class;
		p->context[p->n] = c;
		p->n++;
	}
}

static void plan_share(struct plan *p, const struct dfs_layout *l)
{
	p->bits = dfs_cells_share(p->cells, p->n, dfs_tokens(l), DFS_DIFF_TABLES, p->table_of,
				  &p->n_tables);
}

static struct plan *plan_plain(const struct dfs_diff_record *record, const struct dfs_layout *l,
			       unsigned top_bin)
{
	DFS_AUTO(mem) struct dfs_cell *contexts = calloc(DFS_CONTEXTS, sizeof(*contexts));
	struct plan *p = calloc(1, sizeof(*p));

	if (p && contexts) {
		for (unsigned s = 0; s < planes_of(record); s++)
			add_scale(contexts, record, l, s, top_bin);
		plan_add(p, contexts, contexts_of(l), 0);
		plan_share(p, l);
		return p;
	}
	free(p);
	return NULL;
}

static struct plan *plan_classed(const struct classes *c, const struct dfs_layout *l)
{
	struct plan *p = calloc(1, sizeof(*p));
	uint64_t rows[DFS_CLASSES] = { c->same_rows };

	if (!p)
		return NULL;
	for (unsigned k = 0; k < c->n; k++) {
		plan_add(p, c->of[k].contexts, c->n_contexts, k + 1);
		rows[k + 1] = c->of[k].rows;
	}
	plan_share(p, l);
	p->bits += dfs_entropy_bits(rows, DFS_CLASSES);
	return p;
}

/* A cell without values takes its neighbour's table: that is cheapest to write. */
static void fill_gaps(struct dfs_diff_model *m, bool known[DFS_CLASSES][DFS_CONTEXTS])
{
	for (unsigned k = 0; k < DFS_CLASSES; k++)
		for (unsigned c = 1; c < DFS_CONTEXTS; c++)
			if (!known[k][c]) {
				m->map[k][c] = m->map[k][c - 1];
				known[k][c] = known[k][c - 1];
			}
	for (unsigned k = 0; k < DFS_CLASSES; k++)
		for (unsigned c = DFS_CONTEXTS - 1; c--;)
			if (!known[k][c]) {
				m->map[k][c] = m->map[k][c + 1];
				known[k][c] = known[k][c + 1];
			}
}

static void take_plan(struct dfs_diff_model *m, const struct plan *p)
{
	bool known[DFS_CLASSES][DFS_CONTEXTS] = { { false } };

	m->n_tables = p->n_tables;
	m->precision = PRECISION;
	for (unsigned i = 0; i < p->n_tables; i++)
		dfs_freq_from_counts(&m->freqs[i], p->cells[i].counts, dfs_tokens(&m->layout),
				     m->log, m->precision);
	for (unsigned i = 0; i < p->n; i++) {
		m->map[p->class[i]][p->context[i]] = p->table_of[i];
		known[p->class[i]][p->context[i]] = true;
	}
	fill_gaps(m, known);
}

static void take_classes(struct dfs_diff_model *m, const struct classes *c)
{
	uint64_t rows[DFS_CLASSES] = { c->same_rows };

	m->n_classes = c->n + 1;
	for (unsigned k = 0; k < c->n; k++) {
		m->from[k + 1] = c->of[k].first;
		rows[k + 1] = c->of[k].rows;
	}
	dfs_freq_from_counts(&m->class_freq, rows, DFS_CLASSES, m->log, m->precision);
}

/* What no plan of these classes can be below: a table for each cell, for nothing. */
static uint64_t least_bits(const struct classes *c)
{
	uint64_t bits = 0;

	for (unsigned k = 0; k < c->n; k++)
		bits += class_bits(c, &c->of[k]);
	return bits;
}

/*
 * The plan of classes, if there are any and it might save enough. Sharing tables
 * among hundreds of cells takes longer than all else that is done for a small tensor.
 */
static int try_classes(const struct classes *c, const struct dfs_layout *l, uint64_t enough,
		       struct plan **ret_plan)
{
	*ret_plan = NULL;
	if (!c->n || least_bits(c) >= enough)
		return 0;
	*ret_plan = plan_classed(c, l);
	return *ret_plan ? 0 : -ENOMEM;
}

static int choose_plan(struct dfs_diff_model *m, const struct dfs_diff_record *record,
		       unsigned top_bin)
{
	DFS_AUTO(mem) struct plan *plain = plan_plain(record, &m->layout, top_bin);
	DFS_AUTO(mem) struct classes *classes = NULL;
	DFS_AUTO(mem) struct plan *classed = NULL;
	uint64_t enough;

	if (!plain)
		return -ENOMEM;
	m->n_classes = 1;
	enough = plain->bits - plain->bits / CLASS_GAIN;
	if (record->has_rows) {
		classes = classes_new(record, &m->layout, top_bin);
		if (!classes || try_classes(classes, &m->layout, enough, &classed) < 0)
			return -ENOMEM;
	}
	if (classed && classed->bits < enough) {
		take_plan(m, classed);
		take_classes(m, classes);
	} else {
		take_plan(m, plain);
	}
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
	return choose_plan(m, record, top_bin);
}

uint64_t dfs_diff_bits(struct dfs_shape shape, const struct dfs_diff_record *record)
{
	DFS_AUTO(mem) struct dfs_cell *contexts = calloc(DFS_CONTEXTS, sizeof(*contexts));
	struct dfs_layout l;
	uint64_t bits = 0;
	unsigned top_bin;

	if (!record->started || !dfs_layout_init(&l, shape))
		return 0;
	if (!contexts)
		return UINT64_MAX;
	top_bin = choose_top(record, &l);
	for (unsigned s = 0; s < planes_of(record); s++)
		add_scale(contexts, record, &l, s, top_bin);
	for (unsigned c = 0; c < DFS_CONTEXTS; c++) {
		bits += dfs_entropy_bits(contexts[c].counts, dfs_tokens(&l));
		for (unsigned t = 16; t < dfs_tokens(&l); t++)
			bits += contexts[c].counts[t] * dfs_token_bits(t);
	}
	return bits;
}
