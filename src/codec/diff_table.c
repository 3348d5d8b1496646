/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_table: the shared table of a tensor as bytes, and opened for use.
 *
 * A bit stream (codec/bits.h), deltafs-format(5) "diff table":
 *	2	log - 8
 *	3	precision of all frequencies below
 *	5	tables - 1, at most 29
 *	4	classes - 1
 *	E	top, if the values are floats with E bits of exponent
 *	5 each	for class 1 and on, if there are classes: the scale it begins at
 *	...	frequencies of the classes (16 symbols), if there are classes
 *	...	the map, if there is more than one table: for each class (but 0 if
 *		there are others), for each context (16 for floats, else 1): a one
 *		if the table is that of the context before (not for the first
 *		context), or a zero and the table's number, in as many bits as
 *		tables - 1 has
 *	...	frequencies of the tokens, for each table
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/diff.h"
#include "util/auto.h"

DFS_AUTO_KIND(table, struct dfs_diff_table *, free(*p));

static unsigned bit_length(unsigned v)
{
	return v ? 32 - __builtin_clz(v) : 0;
}

static unsigned contexts_of(const struct dfs_layout *l)
{
	return l->exponent ? DFS_CONTEXTS : 1;
}

static unsigned first_mapped(unsigned n_classes)
{
	return n_classes > 1 ? 1 : 0;
}

static void pack_map(const struct dfs_diff_model *m, struct dfs_bit_writer *w)
{
	unsigned width = bit_length(m->n_tables - 1);

	for (unsigned k = first_mapped(m->n_classes); k < m->n_classes; k++) {
		for (unsigned c = 0; c < contexts_of(&m->layout); c++) {
			bool same = c && m->map[k][c] == m->map[k][c - 1];

			if (c)
				dfs_bits_put(w, same, 1);
			if (!same)
				dfs_bits_put(w, m->map[k][c], width);
		}
	}
}

int dfs_diff_model_pack(const struct dfs_diff_model *m, struct dfs_buf *table)
{
	size_t most = 64 + DFS_CLASSES * DFS_CONTEXTS + (m->n_tables + 1) * DFS_FREQ_PACKED_MAX;
	DFS_AUTO(mem) uint8_t *bytes = malloc(most);
	struct dfs_bit_writer w = { .out = bytes };

	if (!bytes)
		return -ENOMEM;
	dfs_bits_put(&w, m->log - DFS_LOG_MIN, 2);
	dfs_bits_put(&w, m->precision, DFS_PRECISION_BITS);
	dfs_bits_put(&w, m->n_tables - 1, 5);
	dfs_bits_put(&w, m->n_classes - 1, 4);
	dfs_bits_put(&w, m->top, m->layout.exponent);
	for (unsigned k = 1; k < m->n_classes; k++)
		dfs_bits_put(&w, m->from[k], 5);
	if (m->n_classes > 1)
		dfs_freq_pack(&m->class_freq, m->precision, &w);
	if (m->n_tables > 1)
		pack_map(m, &w);
	for (unsigned i = 0; i < m->n_tables; i++)
		dfs_freq_pack(&m->freqs[i], m->precision, &w);
	return dfs_buf_append(table, bytes, dfs_bits_end(&w));
}

static bool unpack_map(struct dfs_diff_model *m, struct dfs_bit_reader *r)
{
	unsigned width = bit_length(m->n_tables - 1);

	for (unsigned k = first_mapped(m->n_classes); k < m->n_classes; k++) {
		for (unsigned c = 0; c < contexts_of(&m->layout); c++) {
			if (c && dfs_bits_get(r, 1))
				m->map[k][c] = m->map[k][c - 1];
			else
				m->map[k][c] = dfs_bits_get(r, width);
			if (m->map[k][c] >= m->n_tables)
				return false;
		}
	}
	return true;
}

static bool unpack(struct dfs_diff_model *m, struct dfs_bit_reader *r)
{
	m->log = DFS_LOG_MIN + dfs_bits_get(r, 2);
	m->precision = dfs_bits_get(r, DFS_PRECISION_BITS);
	m->n_tables = 1 + dfs_bits_get(r, 5);
	m->n_classes = 1 + dfs_bits_get(r, 4);
	m->top = dfs_bits_get(r, m->layout.exponent);
	if (m->n_tables > DFS_DIFF_TABLES)
		return false;
	for (unsigned k = 1; k < m->n_classes; k++) {
		m->from[k] = dfs_bits_get(r, 5);
		if (!m->from[k])
			return false;
	}
	if (m->n_classes > 1 &&
	    !dfs_freq_unpack(&m->class_freq, DFS_CLASSES, m->log, m->precision, r))
		return false;
	if (m->n_tables > 1 && !unpack_map(m, r))
		return false;
	for (unsigned i = 0; i < m->n_tables; i++)
		if (!dfs_freq_unpack(&m->freqs[i], dfs_tokens(&m->layout), m->log,
				     m->precision, r))
			return false;
	for (unsigned k = m->n_classes; m->n_classes > 1 && k < DFS_CLASSES; k++)
		if (m->class_freq.of[k])
			return false;
	return dfs_bits_done(r);
}

/*
 * Entries are written in runs of known length, for vectors. What spills past a
 * symbol's last one is overwritten by the next symbol, the next table, and in
 * the end by by_head, which has 256 elements at least.
 */
#define ENTRY_RUN 16

static void fill_entries(const struct dfs_freq *freq, uint32_t *entries)
{
	for (unsigned s = 0; s < freq->n; s++) {
		uint32_t first = dfs_token_top(s) | dfs_token_bits(s) << DFS_ENTRY_BITS_AT |
				 (freq->of[s] - 1u) << DFS_ENTRY_FREQ_AT;

		for (uint32_t i = 0; i < freq->of[s]; i += ENTRY_RUN)
			for (uint32_t k = 0; k < ENTRY_RUN; k++)
				entries[i + k] = first + ((i + k) << DFS_ENTRY_BIAS_AT);
		entries += freq->of[s];
	}
}

/* Tables of the file, then two of ours: a sure zero for rows of class 0, and the classes. */
static void fill_tables(struct dfs_diff_table *t, const struct dfs_diff_model *m)
{
	struct dfs_freq sure = { .of = { 1u << m->log }, .n = 1, .log = m->log };

	for (unsigned i = 0; i < m->n_tables; i++)
		fill_entries(&m->freqs[i], t->entries + (i << m->log));
	if (m->n_classes > 1) {
		fill_entries(&sure, t->entries + (m->n_tables << m->log));
		fill_entries(&m->class_freq, t->entries + (t->class_table << m->log));
		memset(t->map[0], m->n_tables, sizeof(t->map[0]));
	}
	for (unsigned k = 0; k < DFS_CLASSES; k++)
		for (unsigned c = 0; c < DFS_CONTEXTS; c++)
			t->offset[k][c] = (uint32_t)t->map[k][c] << m->log;
}

static void fill_by_head(struct dfs_diff_table *t, uint32_t *by_head)
{
	const struct dfs_layout *l = &t->layout;
	unsigned n = dfs_heads(l->size);

	for (unsigned k = 0; k < t->n_classes; k++) {
		for (unsigned head = 0; head < n; head++) {
			uint64_t q = (uint64_t)head << dfs_head_shift(l->size);
			unsigned exponent = q >> l->drop >> l->shift & ((1u << l->exponent) - 1);

			by_head[k * n + head] = t->offset[k][dfs_context(t->top, exponent)];
		}
	}
	t->by_head = by_head;
}

/* The symbols of one class, by cell. */
static void fill_cells(const struct dfs_diff_model *m, unsigned class, int top_bin,
		       struct dfs_rans_symbol *cells)
{
	unsigned n_tokens = dfs_tokens(&m->layout);

	for (unsigned bin = 0; bin < DFS_BINS; bin++) {
		unsigned context = m->layout.exponent ? dfs_context(top_bin, bin) : 0;

		dfs_rans_symbols(&m->freqs[m->map[class][context]], cells + bin * n_tokens);
	}
}

/* Rows of class 0 are as predicted: token 0 is sure, and all others are impossible. */
static void fill_sure(const struct dfs_diff_model *m, struct dfs_rans_symbol *cells)
{
	struct dfs_freq sure = { .of = { 1u << m->log }, .n = dfs_tokens(&m->layout), .log = m->log };

	for (unsigned bin = 0; bin < DFS_BINS; bin++)
		dfs_rans_symbols(&sure, cells + bin * sure.n);
}

static size_t count_symbols(const struct dfs_diff_model *m)
{
	return m->n_classes * dfs_cells(&m->layout) + DFS_CLASSES;
}

static void fill_symbols(struct dfs_diff_table *t, const struct dfs_diff_model *m,
			 struct dfs_rans_symbol *symbols)
{
	int top_bin = (int)m->top - (int)dfs_bin_low(&m->layout);
	size_t n = dfs_cells(&m->layout);

	for (unsigned k = 0; k < m->n_classes; k++) {
		if (k == 0 && m->n_classes > 1)
			fill_sure(m, symbols);
		else
			fill_cells(m, k, top_bin, symbols + k * n);
	}
	if (m->n_classes > 1)
		dfs_rans_symbols(&m->class_freq, symbols + m->n_classes * n);
	t->symbols = symbols;
	t->class_symbols = symbols + m->n_classes * n;
}

/* Which tables our writer makes: contexts are made of whole bins, symbols have 16-bit numbers. */
static bool is_writable(const struct dfs_diff_model *m)
{
	int top_bin = (int)m->top - (int)dfs_bin_low(&m->layout);

	if (m->layout.exponent && (top_bin < DFS_CONTEXTS - 1 || top_bin >= DFS_BINS))
		return false;
	return count_symbols(m) <= UINT16_MAX + 1 && m->log <= DFS_DIFF_LOG_MAX;
}

static void fill_scales(struct dfs_diff_table *t, const struct dfs_diff_model *m)
{
	for (unsigned s = 1; m->n_classes > 1 && s < DFS_SCALES; s++) {
		unsigned nearest = DFS_SCALES;

		for (unsigned k = 1; k < m->n_classes; k++) {
			unsigned above = (s + DFS_SCALES - 1 - m->from[k]) % (DFS_SCALES - 1);

			if (above < nearest) {
				nearest = above;
				t->scale_class[s] = k;
			}
		}
	}
}

static struct dfs_diff_table *table_new(const struct dfs_diff_model *m, bool encoding)
{
	unsigned n = m->n_tables + (m->n_classes > 1 ? 2 : 0);
	size_t entries = (size_t)n << m->log;
	size_t heads = (size_t)m->n_classes * dfs_heads(m->layout.size);
	size_t symbols = encoding ? count_symbols(m) : 0;
	struct dfs_diff_table *t;

	t = dfs_table_alloc(sizeof(*t) + sizeof(uint32_t) * (entries + heads) +
			    sizeof(struct dfs_rans_symbol) * symbols, sizeof(*t));
	if (!t)
		return NULL;
	t->layout = m->layout;
	t->log = m->log;
	t->top = m->top;
	t->n_classes = m->n_classes;
	t->n_tables = m->n_tables;
	t->class_table = m->n_tables + 1;
	memcpy(t->map, m->map, sizeof(t->map));
	fill_tables(t, m);
	fill_by_head(t, t->entries + entries);
	if (encoding) {
		fill_scales(t, m);
		fill_symbols(t, m, (void *)(t->entries + entries + heads));
	}
	return t;
}

int dfs_diff_table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding,
			struct dfs_table **ret_table, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_diff_model *m = calloc(1, sizeof(*m));
	DFS_AUTO(table) struct dfs_diff_table *t = NULL;
	struct dfs_bit_reader r = dfs_bits_open(bytes.data, bytes.len);

	if (!m)
		return dfs_fail(err, ENOMEM, "diff table: out of memory");
	if (!dfs_layout_init(&m->layout, shape))
		return dfs_fail(err, EUCLEAN, "diff table: not for values of this kind");
	if (!unpack(m, &r))
		return dfs_fail(err, EUCLEAN, "diff table: %zu bytes that make no sense", bytes.len);
	if (m->n_classes > 1 && shape.cols < DFS_CLASS_COLS_MIN)
		return dfs_fail(err, EUCLEAN, "diff table: classes for rows of %llu",
				(unsigned long long)shape.cols);
	if (encoding && !is_writable(m))
		return dfs_fail(err, EUCLEAN, "diff table: not one to write with");
	t = table_new(m, encoding);
	if (!t)
		return dfs_fail(err, ENOMEM, "diff table: out of memory");
	*ret_table = &t->head;
	t = NULL;
	return 0;
}
