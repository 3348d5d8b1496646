/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_cells: which counts share a table.
 *
 * A table costs its own bytes; counts that are coded with a table made of
 * others' counts too cost more than with their own. So cells are put together
 * two by two, the pair first that saves most (or costs least, while there are
 * too many), as long as it saves. For each cell its best partner is kept, so
 * that a step looks at few pairs.
 */
#include "codec/diff.h"

#define TABLE_BITS 24	/* a table's share of the map and its head, about */
#define SYMBOL_BITS 6	/* a frequency as packed, about: measured 5 to 7 on synthetic pairs */

#define NOBODY UINT16_MAX

struct share {
	struct dfs_cell *cells;
	unsigned n, n_left, n_tokens;
	uint64_t bits[DFS_CELLS_MAX];	/* of each cell, with a table of its own; merged ones: 0 */
	uint16_t into[DFS_CELLS_MAX];	/* the cell that took it; itself if it is left */
	uint16_t partner[DFS_CELLS_MAX];
	int64_t gain[DFS_CELLS_MAX];	/* what joining the partner saves */
};

/* n log2 n, what all entropies are made of. */
static uint64_t weight(uint64_t n)
{
	return n * dfs_log2_q16(n);
}

static uint64_t both_bits(const struct share *s, unsigned i, unsigned j)
{
	const struct dfs_cell *a = &s->cells[i], *b = &s->cells[j];
	uint64_t sum = weight(a->total + b->total);
	unsigned used = 0;

	for (unsigned t = 0; t < s->n_tokens; t++) {
		uint64_t n = a->counts[t] + b->counts[t];

		if (n) {
			sum -= weight(n);
			used++;
		}
	}
	return (sum >> 16) + TABLE_BITS + SYMBOL_BITS * used;
}

static uint64_t own_bits(const struct share *s, unsigned i)
{
	unsigned used = 0;

	for (unsigned t = 0; t < s->n_tokens; t++)
		used += s->cells[i].counts[t] != 0;
	return dfs_entropy_bits(s->cells[i].counts, s->n_tokens) + TABLE_BITS + SYMBOL_BITS * used;
}

static bool is_left(const struct share *s, unsigned i)
{
	return s->into[i] == i;
}

static int64_t pair_gain(const struct share *s, unsigned i, unsigned j)
{
	return (int64_t)(s->bits[i] + s->bits[j]) - (int64_t)both_bits(s, i, j);
}

static void offer(struct share *s, unsigned i, unsigned j, int64_t gain)
{
	if (s->partner[i] == NOBODY || gain > s->gain[i]) {
		s->partner[i] = j;
		s->gain[i] = gain;
	}
}

static void find_all_partners(struct share *s)
{
	for (unsigned i = 0; i < s->n; i++)
		s->partner[i] = NOBODY;
	for (unsigned i = 0; i < s->n; i++) {
		for (unsigned j = i + 1; j < s->n; j++) {
			int64_t gain = pair_gain(s, i, j);

			offer(s, i, j, gain);
			offer(s, j, i, gain);
		}
	}
}

static void find_partner(struct share *s, unsigned i)
{
	s->partner[i] = NOBODY;
	for (unsigned j = 0; j < s->n; j++)
		if (j != i && is_left(s, j))
			offer(s, i, j, pair_gain(s, i, j));
}

static void join(struct share *s, unsigned i, unsigned j)
{
	for (unsigned t = 0; t < s->n_tokens; t++)
		s->cells[i].counts[t] += s->cells[j].counts[t];
	s->cells[i].total += s->cells[j].total;
	s->bits[i] = own_bits(s, i);
	s->bits[j] = 0;
	s->into[j] = i;
	s->n_left--;
	find_partner(s, i);
	for (unsigned k = 0; k < s->n; k++) {
		if (k == i || !is_left(s, k))
			continue;
		if (s->partner[k] == i || s->partner[k] == j)
			find_partner(s, k);
		else
			offer(s, k, i, pair_gain(s, k, i));
	}
}

static unsigned best_pair(const struct share *s)
{
	unsigned best = NOBODY;

	for (unsigned i = 0; i < s->n; i++)
		if (is_left(s, i) && (best == NOBODY || s->gain[i] > s->gain[best]))
			best = i;
	return best;
}

/* Numbers the cells that are left from 0 on, in order, and moves them there. */
static unsigned number_tables(struct share *s, uint8_t *table_of)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++) {
		if (!is_left(s, i))
			continue;
		table_of[i] = n;
		s->cells[n++] = s->cells[i];
	}
	for (unsigned i = 0; i < s->n; i++) {
		unsigned end = i;

		while (!is_left(s, end))
			end = s->into[end];
		table_of[i] = table_of[end];
	}
	return n;
}

uint64_t dfs_cells_share(struct dfs_cell *cells, unsigned n, unsigned n_tokens, unsigned most,
			 uint8_t *table_of, unsigned *ret_tables)
{
	struct share s = { .cells = cells, .n = n, .n_left = n, .n_tokens = n_tokens };
	uint64_t bits = 0;

	for (unsigned i = 0; i < n; i++) {
		s.into[i] = i;
		s.bits[i] = own_bits(&s, i);
	}
	find_all_partners(&s);
	while (s.n_left > 1) {
		unsigned i = best_pair(&s);

		if (s.gain[i] < 0 && s.n_left <= most)
			break;
		if (i < s.partner[i])
			join(&s, i, s.partner[i]);
		else
			join(&s, s.partner[i], i);
	}
	for (unsigned i = 0; i < n; i++)
		bits += s.bits[i];
	*ret_tables = number_tables(&s, table_of);
	return bits;
}
