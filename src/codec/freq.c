/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/freq.h"

static unsigned bit_length(uint64_t v)
{
	return v ? 64 - __builtin_clzll(v) : 0;
}

static unsigned symbol_bits(unsigned n)
{
	return bit_length(n - 1);
}

/* Products of a count below 2^44 and a logarithm below 2^20 fit. */
uint64_t dfs_entropy_bits(const uint64_t *counts, unsigned n)
{
	uint64_t sum = 0, q16 = 0;

	for (unsigned s = 0; s < n; s++) {
		sum += counts[s];
		q16 += counts[s] * dfs_log2_q16(counts[s]);
	}
	return (sum * dfs_log2_q16(sum) - q16) >> 16;
}

/* The nearest number that packs to what it is. */
static unsigned round_to(unsigned v, unsigned precision)
{
	unsigned length = bit_length(v);
	unsigned cut = length > precision + 1 ? length - 1 - precision : 0;

	return cut ? (v + (1u << (cut - 1))) >> cut << cut : v;
}

static unsigned most_frequent(const uint64_t *counts, unsigned n)
{
	unsigned big = 0;

	for (unsigned s = 1; s < n; s++)
		if (counts[s] > counts[big])
			big = s;
	return big;
}

void dfs_freq_from_counts(struct dfs_freq *freq, const uint64_t *counts, unsigned n, unsigned log,
			  unsigned precision)
{
	unsigned rest = most_frequent(counts, n);
	uint64_t sum = 0;
	uint64_t eighths = 8; /* of their share that the others get: less when many have their minimum of one */
	unsigned left;

	*freq = (struct dfs_freq){ .n = n, .log = log, .rest = rest };
	for (unsigned s = 0; s < n; s++)
		sum += counts[s];
	do {
		unsigned others = 0;

		for (unsigned s = 0; s < n; s++) {
			uint64_t share;

			if (s == rest || !counts[s])
				continue;
			/* counts shrink to 32 bits first where the product would not fit */
			share = sum >> 48 ? ((counts[s] >> 16) << log) / (sum >> 16) :
					    ((counts[s] << log) + sum / 2) / sum;
			share = round_to(share * eighths / 8, precision);
			freq->of[s] = share ? share : 1;
			others += freq->of[s];
		}
		left = others < 1u << log ? (1u << log) - others : 0;
		eighths--;
	} while (!left && eighths);
	freq->of[rest] = left;
}

uint64_t dfs_freq_cost_bits(const struct dfs_freq *freq, const uint64_t *counts)
{
	uint64_t q16 = 0;

	for (unsigned s = 0; s < freq->n; s++)
		q16 += counts[s] * (((uint64_t)freq->log << 16) - dfs_log2_q16(freq->of[s]));
	return q16 >> 16;
}

/*
 * A symbol's length is coded as its difference from the symbol before
 * (0, 1, -1, 2, -2 as 0, 1, 2, 3, 4): frequencies rise and fall slowly.
 */
static unsigned fold(int v)
{
	return v > 0 ? 2 * v - 1 : -2 * v;
}

static int unfold(unsigned v)
{
	return v & 1 ? (int)(v + 1) / 2 : -(int)(v / 2);
}

static unsigned kept_bits(unsigned length, unsigned precision)
{
	if (length < 2)
		return 0;
	return length - 1 < precision ? length - 1 : precision;
}

void dfs_freq_pack(const struct dfs_freq *freq, unsigned precision, struct dfs_bit_writer *w)
{
	unsigned last = 0, before = 0;

	for (unsigned s = 0; s < freq->n; s++)
		if (freq->of[s])
			last = s;
	dfs_bits_put(w, last, symbol_bits(freq->n));
	dfs_bits_put(w, freq->rest, bit_length(last));
	for (unsigned s = 0; s <= last; s++) {
		unsigned length = bit_length(freq->of[s]);
		unsigned kept = kept_bits(length, precision);

		if (s == freq->rest)
			continue;
		dfs_golomb_put(w, fold((int)length - (int)before), 0);
		if (kept)
			dfs_bits_put(w, freq->of[s] >> (length - 1 - kept), kept);
		before = length;
	}
}

bool dfs_freq_unpack(struct dfs_freq *freq, unsigned n, unsigned log, unsigned precision,
		     struct dfs_bit_reader *r)
{
	unsigned last = dfs_bits_get(r, symbol_bits(n));
	unsigned rest = dfs_bits_get(r, bit_length(last));
	unsigned others = 0;
	int length = 0;

	*freq = (struct dfs_freq){ .n = n, .log = log, .rest = rest };
	if (last >= n || rest > last)
		return false;
	for (unsigned s = 0; s <= last; s++) {
		unsigned kept;

		if (s == rest)
			continue;
		length += unfold(dfs_golomb_get(r, 0, 2 * DFS_LOG_MAX + 1));
		if (r->overrun || length < 0 || length > (int)log)
			return false;
		if (!length)
			continue;
		kept = kept_bits(length, precision);
		freq->of[s] = (1u << kept | dfs_bits_get(r, kept)) << (length - 1 - kept);
		others += freq->of[s];
	}
	if (r->overrun || others >= 1u << log)
		return false;
	freq->of[rest] = (1u << log) - others;
	return true;
}
