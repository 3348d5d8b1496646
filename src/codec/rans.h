/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rans: the entropy coder, many lanes at once.
 *
 * A lane is a number x, 2^16 <= x < 2^32. Reading a symbol of frequency f
 * whose slots begin at b, with L = log:
 *	x = f * (x >> L) + (x & (2^L - 1)) - b
 * and reading k <= 16 plain bits:
 *	bits = x & (2^k - 1), x = x >> k
 * after each of which, if x < 2^16, the next 16-bit word w of the one stream
 * that all lanes share refills it: x = x << 16 | w. Element i of a chunk is on
 * lane i % lanes. Elements go in groups of at most 16 that are neighbours: all
 * symbols of a group are read first, then its plain bits, so that a vector
 * unit reads the same words as plain C.
 *
 * The writer does the inverse from the last element to the first, from
 * x = 2^16 in each lane. A reader must arrive there, with no word left: that
 * and nothing else says that a payload was well-formed.
 *
 * deltafs-format(5), "lanes". J. Duda, arXiv:1311.2540 (rANS); the interleaving
 * of lanes in one stream after F. Giesen, arXiv:1402.3392.
 */
#ifndef DFS_CODEC_RANS_H
#define DFS_CODEC_RANS_H

#include <stdbool.h>

#include "codec/freq.h"
#include "codec/internal.h"

#define DFS_LANES 32		/* two AVX-512 vectors in flight; each costs about 3 bytes a chunk */
#define DFS_LANES_SMALL 4	/* chunks of few values cannot afford 32 */
#define DFS_LANES_FROM 2048	/* values from which there are DFS_LANES */
#define DFS_GROUP 16
#define DFS_LANE_START (1u << 16)

static inline unsigned dfs_lanes(size_t n)
{
	return n < DFS_LANES_FROM ? DFS_LANES_SMALL : DFS_LANES;
}

/* --- reading */

struct dfs_rans_reader {
	uint32_t x[DFS_LANES] __attribute__((aligned(64)));
	const uint8_t *next;	/* word; may pass end by what one row of lanes reads: see DFS_PAYLOAD_PAD */
	const uint8_t *end;
	unsigned lanes;
};

/* dfs_rans_open() - false if the states are not there or out of range */
bool dfs_rans_open(struct dfs_rans_reader *r, struct dfs_span payload, size_t n);

/* dfs_rans_done() - all words used, all lanes back where the writer began */
bool dfs_rans_done(const struct dfs_rans_reader *r);

/* Without a branch, whatever the compiler: whether a lane is low is as good as random. */
DFS_INLINE uint32_t dfs_rans_refill(uint32_t x, const uint8_t **next)
{
	uint32_t low = -(uint32_t)(x < DFS_LANE_START);
	uint32_t word = dfs_get_u16le(*next) & low;

	*next += 2 & low;
	return x << (16 & low) | word;
}

/* --- writing */

/*
 * A symbol, ready for the writer, which divides x < f << (32 - log) by f:
 * floor(x / f) is x * inverse >> (32 + log), and, where products have 64 bits
 * only of two numbers of 32, ((x + inc) * rcp >> 32) >> shift; see rans.c.
 * @others is 2^log - f, so that what was never counted is known by others = 2^log.
 */
struct dfs_rans_symbol {
	uint64_t inverse;
	uint32_t rcp;
	uint32_t rest;	/* bits 0-12 others, 13-24 first slot, 25-28 shift, 29 inc */
};
#define DFS_SYMBOL_OTHERS 0x1fff
#define DFS_SYMBOL_BEGIN_AT 13
#define DFS_SYMBOL_SHIFT_AT 25
#define DFS_SYMBOL_INC_AT 29

/* dfs_rans_known() - can a symbol be written, or all of which @rest has the bits */
DFS_INLINE bool dfs_rans_known(uint32_t rest, unsigned log)
{
	return !(rest >> log & 1);
}

/* dfs_rans_symbols() - one for each symbol of an alphabet */
void dfs_rans_symbols(const struct dfs_freq *freq, struct dfs_rans_symbol *ret_symbols);

struct dfs_rans_writer {
	uint32_t x[DFS_LANES] __attribute__((aligned(64)));
	uint8_t *next;		/* the word before this is next: words go downwards */
	uint8_t *end;
	unsigned lanes;
};

/*
 * dfs_rans_begin() - words will fill the end of [@room, @room + @len)
 * Room for 2 bytes more than they can take; 16 where vectors of eight write.
 */
void dfs_rans_begin(struct dfs_rans_writer *w, size_t n, uint8_t *room, size_t len);

/* dfs_rans_len() - bytes that dfs_rans_finish() writes */
size_t dfs_rans_len(const struct dfs_rans_writer *w);

/* dfs_rans_finish() - the states, then the words. Return: bytes written. */
size_t dfs_rans_finish(const struct dfs_rans_writer *w, uint8_t *out);

/* Without a branch, as when reading. @full is 0 or 1. */
DFS_INLINE uint32_t dfs_rans_spill(uint32_t x, unsigned full, uint8_t **next)
{
	/* written anyway: if it does not count, the next one takes its place */
	dfs_put_u16le(*next - 2, x);
	*next -= 2 * full;
	return x >> 16 * full;
}

DFS_INLINE uint32_t dfs_rans_put(uint32_t x, const struct dfs_rans_symbol *s, unsigned log,
				 uint8_t **next)
{
	uint32_t rest = s->rest;
	uint32_t others = rest & DFS_SYMBOL_OTHERS;

	/* one if x >> (32 - log) >= f */
	x = dfs_rans_spill(x, ((x >> (32 - log)) + others) >> log, next);
	return x + (rest >> DFS_SYMBOL_BEGIN_AT & 0xfff) +
	       (uint32_t)(x * s->inverse >> (32 + log)) * others;
}

/* dfs_rans_put_bits() - @bits < 2^@k, @k <= 16 */
DFS_INLINE uint32_t dfs_rans_put_bits(uint32_t x, uint32_t bits, unsigned k, uint8_t **next)
{
	x = dfs_rans_spill(x, (uint64_t)x >> (32 - k) != 0, next);
	return x << k | bits;
}

#endif
