/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * solo: floats with nothing to compare them with.
 *
 * All that can be saved lies in the exponents, which are far from equally
 * frequent; sign and mantissa are as good as noise and go as they are.
 *
 * A value loses its zero bits: y = x >> drop, of w bits. Up to 8 bits, y is
 * the symbol. Else the symbol is the 8 bits below the sign (exponent first,
 * then as much of the mantissa as fits), and the rest is the sign, then what
 * is below the symbol, of w - 8 bits.
 *
 * Payload, deltafs-format(5) "solo payload":
 *	0	u8[]	planes: for each whole byte of the rest, lowest first, n bytes
 *	...	bits	what is above them of the rest, w % 8 bits a value (codec/bits.h)
 *	...	u32le[]	the states of the lanes (codec/rans.h)
 *	...	u16le[]	the words
 * The shared table, a bit stream: 3 bits precision, then the frequencies of
 * the 2^min(w, 8) symbols, out of 2^12.
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/solo.h"
#include "util/auto.h"

#define PRECISION 5

struct solo_record {
	uint64_t counts[DFS_SYMBOLS_MAX];
};

static unsigned alphabet(const struct dfs_layout *l)
{
	return 1u << (l->width < 8 ? l->width : 8);
}

static bool solo_accepts(struct dfs_shape shape)
{
	struct dfs_layout l;

	return dfs_layout_init(&l, shape) && (l.exponent || l.size == 1);
}

/* States, planes, and one word a symbol at most. */
static size_t solo_bound(struct dfs_shape shape, size_t n)
{
	struct dfs_layout l;

	return dfs_layout_init(&l, shape) ? 4 * DFS_LANES + dfs_solo_rest_len(&l, n) + 2 * n : 0;
}

static int solo_measure(const struct dfs_block *block, const void *data, void *record,
			struct dfs_scratch *scratch)
{
	struct solo_record *r = record;
	uint32_t counts[4][DFS_SYMBOLS_MAX] = { 0 }; /* four, so that runs of one symbol do not wait for each other */
	uint8_t *symbols = dfs_scratch_get(scratch, DFS_SLOT_SYMBOLS, block->n);
	struct dfs_layout l;

	if (!symbols)
		return -ENOMEM;
	dfs_layout_init(&l, block->shape);
	dfs_solo_take(&l, data, block->n, symbols);
	for (size_t i = 0; i < block->n; i++)
		counts[i % 4][symbols[i]]++;
	for (unsigned s = 0; s < DFS_SYMBOLS_MAX; s++)
		r->counts[s] += (uint64_t)counts[0][s] + counts[1][s] + counts[2][s] + counts[3][s];
	return 0;
}

static void solo_merge(void *into, const void *from)
{
	struct solo_record *a = into;
	const struct solo_record *b = from;

	for (unsigned s = 0; s < DFS_SYMBOLS_MAX; s++)
		a->counts[s] += b->counts[s];
}

uint64_t dfs_solo_bits(struct dfs_shape shape, const void *record)
{
	const struct solo_record *r = record;
	struct dfs_layout l;
	uint64_t n = 0;

	dfs_layout_init(&l, shape);
	for (unsigned s = 0; s < DFS_SYMBOLS_MAX; s++)
		n += r->counts[s];
	return dfs_entropy_bits(r->counts, DFS_SYMBOLS_MAX) + n * dfs_solo_rest_bits(&l);
}

static int solo_prepare(struct dfs_shape shape, const void *record, struct dfs_span params,
			struct dfs_buf *table, struct dfs_err *err)
{
	const struct solo_record *r = record;
	uint8_t bytes[DFS_FREQ_PACKED_MAX];
	struct dfs_bit_writer w = { .out = bytes };
	struct dfs_layout l;
	struct dfs_freq freq;
	uint64_t n = 0;

	(void)params;
	for (unsigned s = 0; s < DFS_SYMBOLS_MAX; s++)
		n += r->counts[s];
	if (!n)
		return 0;
	dfs_layout_init(&l, shape);
	dfs_freq_from_counts(&freq, r->counts, alphabet(&l), DFS_SOLO_LOG, PRECISION);
	dfs_bits_put(&w, PRECISION, DFS_PRECISION_BITS);
	dfs_freq_pack(&freq, PRECISION, &w);
	if (dfs_buf_append(table, bytes, dfs_bits_end(&w)) < 0)
		return dfs_fail(err, ENOMEM, "solo table: out of memory");
	return 0;
}

static void fill_entries(struct dfs_solo_table *t, const struct dfs_freq *freq)
{
	unsigned slot = 0;

	for (unsigned s = 0; s < freq->n; s++)
		for (unsigned i = 0; i < freq->of[s]; i++)
			t->entries[slot++] = s | (freq->of[s] - 1u) << DFS_SOLO_FREQ_AT |
					     (uint32_t)i << DFS_SOLO_BIAS_AT;
}

static int solo_table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding,
			   struct dfs_table **ret_table, struct dfs_err *err)
{
	struct dfs_bit_reader r = dfs_bits_open(bytes.data, bytes.len);
	struct dfs_solo_table *t;
	struct dfs_freq freq;
	struct dfs_layout l;
	unsigned precision;

	(void)encoding;
	if (!dfs_layout_init(&l, shape) || !solo_accepts(shape))
		return dfs_fail(err, EUCLEAN, "solo table: not for values of this kind");
	precision = dfs_bits_get(&r, DFS_PRECISION_BITS);
	if (!dfs_freq_unpack(&freq, alphabet(&l), DFS_SOLO_LOG, precision, &r) || !dfs_bits_done(&r))
		return dfs_fail(err, EUCLEAN, "solo table: %zu bytes that make no sense", bytes.len);
	t = dfs_table_alloc(sizeof(*t), sizeof(*t));
	if (!t)
		return dfs_fail(err, ENOMEM, "solo table: out of memory");
	t->layout = l;
	fill_entries(t, &freq);
	dfs_rans_symbols(&freq, t->symbols);
	*ret_table = &t->head;
	return 0;
}

static int solo_encode(const struct dfs_block *block, const void *data,
		       const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
		       struct dfs_scratch *scratch)
{
	const struct dfs_solo_table *t = (const struct dfs_solo_table *)table;
	size_t rest = dfs_solo_rest_len(&t->layout, block->n);
	size_t room = 2 * block->n + 2;
	uint8_t *symbols = dfs_scratch_get(scratch, DFS_SLOT_SYMBOLS, block->n);
	uint8_t *words = dfs_scratch_get(scratch, DFS_SLOT_WORDS, room);
	struct dfs_rans_writer w;

	if (!symbols || !words)
		return -ENOMEM;
	dfs_solo_take(&t->layout, data, block->n, symbols);
	dfs_rans_begin(&w, block->n, words, room);
	if (!dfs_solo_put(&w, t, symbols, block->n, dfs_scratch_cpu(scratch)))
		return -ERANGE;
	dfs_solo_put_rest(&t->layout, data, block->n, payload);
	*ret_len = rest + dfs_rans_finish(&w, payload + rest);
	return 0;
}

/* The bits that fill up the last byte of the packed ones are zero. */
static bool padding_is_zero(const struct dfs_layout *l, size_t n, const uint8_t *rest)
{
	size_t used = n * (dfs_solo_rest_bits(l) % 8) % 8;

	return !used || !(rest[dfs_solo_rest_len(l, n) - 1] >> used);
}

static int solo_decode(const struct dfs_block *block, struct dfs_span payload,
		       const struct dfs_table *table, void *out, struct dfs_scratch *scratch,
		       struct dfs_err *err)
{
	const struct dfs_solo_table *t = (const struct dfs_solo_table *)table;
	size_t rest = dfs_solo_rest_len(&t->layout, block->n);
	uint8_t *symbols = dfs_scratch_get(scratch, DFS_SLOT_SYMBOLS, block->n + DFS_LANES);
	struct dfs_rans_reader r;

	if (!symbols)
		return dfs_fail(err, ENOMEM, "solo: out of memory");
	if (payload.len < rest || !padding_is_zero(&t->layout, block->n, payload.data))
		return dfs_fail(err, EUCLEAN, "solo: payload is malformed");
	payload.data += rest;
	payload.len -= rest;
	if (!dfs_rans_open(&r, payload, block->n) ||
	    !dfs_solo_read(&r, t, symbols, block->n, dfs_scratch_cpu(scratch)))
		return dfs_fail(err, EUCLEAN, "solo: payload is malformed");
	dfs_solo_join(&t->layout, symbols, payload.data - rest, block->n, out);
	return 0;
}

const struct dfs_codec dfs_codec_solo = {
	.name = "solo",
	.exact = true,
	.record_size = sizeof(struct solo_record),
	.accepts = solo_accepts,
	.measure = solo_measure,
	.merge = solo_merge,
	.prepare = solo_prepare,
	.table_open = solo_table_open,
	.bound = solo_bound,
	.encode = solo_encode,
	.decode = solo_decode,
};
