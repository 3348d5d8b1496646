/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_codes: which level each kept difference has.
 *
 * deltafs-format(5), "ultradelta codes": b bits each, or, where that is
 * shorter, symbols on lanes (codec/rans.h) with the table's frequencies. The
 * length tells which.
 */
#include <errno.h>

#include "codec/ultradelta.h"

static size_t plain_len(const struct dfs_ultra_table *t, size_t n)
{
	return (n * t->bits + 7) / 8;
}

/* --- writing */

static size_t put_plain(const struct dfs_ultra_table *t, const uint8_t *codes, size_t n, uint8_t *payload)
{
	struct dfs_bit_writer w = { .out = payload };

	for (size_t i = 0; i < n; i++)
		dfs_bits_put(&w, codes[i], t->bits);
	return dfs_bits_end(&w);
}

long dfs_ultra_codes_put(const struct dfs_ultra_table *t, const uint8_t *codes, size_t n, uint8_t *payload,
			 struct dfs_scratch *scratch)
{
	size_t len = 2 * n + 16;
	struct dfs_rans_writer w;
	uint8_t *room;

	if (!t->symbols || !n)
		return (long)put_plain(t, codes, n, payload);
	room = dfs_scratch_get(scratch, DFS_SLOT_WORDS, len);
	if (!room)
		return -ENOMEM;
	dfs_rans_begin(&w, n, room, len);
	for (size_t i = n; i-- > 0;) {
		uint32_t *x = &w.x[i % w.lanes];

		*x = dfs_rans_put(*x, &t->symbols[codes[i]], t->log, &w.next);
	}
	if (dfs_rans_len(&w) < plain_len(t, n))
		return (long)dfs_rans_finish(&w, payload);
	return (long)put_plain(t, codes, n, payload);
}

/* --- reading */

static int get_plain(const struct dfs_ultra_table *t, struct dfs_span payload, size_t n, uint8_t *codes,
		     struct dfs_err *err)
{
	unsigned spare = (unsigned)(8 * payload.len - n * t->bits);
	uint32_t mask = (1u << t->bits) - 1;

	if (spare && payload.data[payload.len - 1] >> (8 - spare))
		return dfs_fail(err, EUCLEAN, "ultradelta: bits behind the last code");
	/* the byte behind the payload can be read */
	for (size_t i = 0; i < n; i++)
		codes[i] = dfs_get_u16le(payload.data + i * t->bits / 8) >> i * t->bits % 8 & mask;
	return 0;
}

/* One symbol of a lane: the table's slot has all that its state becomes. */
static inline uint32_t step(const struct dfs_ultra_table *t, uint32_t x, const uint8_t **next, uint8_t *code)
{
	uint32_t slot = t->slots[x & ((1u << t->log) - 1)];

	*code = (uint8_t)slot;
	x = ((slot >> 8 & 0xfff) + 1) * (x >> t->log) + (slot >> 20);
	return dfs_rans_refill(x, next);
}

static int get_lanes(const struct dfs_ultra_table *t, struct dfs_span payload, size_t n, uint8_t *codes,
		     struct dfs_err *err)
{
	struct dfs_rans_reader r;
	size_t i = 0;

	if (!dfs_rans_open(&r, payload, n))
		return dfs_fail(err, EUCLEAN, "ultradelta: states of the lanes");
	/* a row reads two bytes a lane at most, which are there behind the payload */
	for (; i + r.lanes <= n && r.next <= r.end; i += r.lanes)
		for (unsigned lane = 0; lane < r.lanes; lane++)
			r.x[lane] = step(t, r.x[lane], &r.next, &codes[i + lane]);
	for (; i < n && r.next <= r.end; i++)
		r.x[i % r.lanes] = step(t, r.x[i % r.lanes], &r.next, &codes[i]);
	if (!dfs_rans_done(&r))
		return dfs_fail(err, EUCLEAN, "ultradelta: codes end in the wrong place");
	return 0;
}

int dfs_ultra_codes_get(const struct dfs_ultra_table *t, struct dfs_span payload, size_t n, uint8_t *codes,
			struct dfs_err *err)
{
	size_t len = plain_len(t, n);

	if (payload.len == len)
		return get_plain(t, payload, n, codes, err);
	if (!t->coded || payload.len > len)
		return dfs_fail(err, EUCLEAN, "ultradelta: %zu bytes of codes, not %zu", payload.len, len);
	return get_lanes(t, payload, n, codes, err);
}
