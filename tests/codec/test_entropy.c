/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_entropy: frequencies add up and come back; the writer's divisions are exact. */
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "codec/rans.h"
#include "samples.h"

static void logarithms_are_near(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t v = random_next(&seed) >> random_next(&seed) % 63 | 1;

		CHECK(fabs(dfs_log2_q16(v) / 65536.0 - log2((double)v)) < 1.0 / 2048);
	}
}

/* Counts like those of differences: most symbols rare, many never seen. */
static unsigned random_counts(uint64_t counts[DFS_SYMBOLS_MAX], uint64_t *seed)
{
	unsigned n = 1 + random_next(seed) % DFS_SYMBOLS_MAX;

	for (unsigned s = 0; s < n; s++)
		counts[s] = random_next(seed) % 3 ? random_next(seed) >> (24 + random_next(seed) % 40) : 0;
	return n;
}

static void frequencies_add_up(const struct dfs_freq *freq, const uint64_t *counts, uint64_t total)
{
	unsigned sum = 0;

	for (unsigned s = 0; s < freq->n; s++) {
		sum += freq->of[s];
		CHECK(!counts[s] || freq->of[s]);
		CHECK(counts[s] || !freq->of[s] || !total);
	}
	CHECK(sum == 1u << freq->log);
}

static void frequencies_come_back(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t counts[DFS_SYMBOLS_MAX], total = 0;
		unsigned n = random_counts(counts, &seed);
		/* as many slots as symbols at least, and some more for rounding */
		unsigned log = (n > 130 ? 10 : 8) + random_next(&seed) % 3;
		unsigned precision = random_next(&seed) % 8;
		uint8_t bytes[DFS_FREQ_PACKED_MAX];
		struct dfs_bit_writer w = { .out = bytes };
		struct dfs_freq freq, back;
		struct dfs_bit_reader r;

		for (unsigned s = 0; s < n; s++)
			total += counts[s];
		dfs_freq_from_counts(&freq, counts, n, log, precision);
		frequencies_add_up(&freq, counts, total);
		dfs_freq_pack(&freq, precision, &w);
		r = dfs_bits_open(bytes, dfs_bits_end(&w));
		CHECK(dfs_freq_unpack(&back, n, log, precision, &r));
		CHECK(dfs_bits_done(&r));
		CHECK_BYTES(back.of, freq.of, sizeof(freq.of));
	}
}

static void divides(const struct dfs_rans_symbol *s, uint64_t x, unsigned f, unsigned log)
{
	uint64_t high = (uint64_t)(uint32_t)(x + (s->rest >> DFS_SYMBOL_INC_AT)) * s->rcp >> 32;

	CHECK(high >> (s->rest >> DFS_SYMBOL_SHIFT_AT & 15) == x / f);
	CHECK(x * s->inverse >> (32 + log) == x / f);
}

/* For each frequency: the largest numbers, and multiples and what is one below. */
static void divisions_are_exact(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned log = DFS_LOG_MIN; log <= DFS_LOG_MAX; log++) {
		for (unsigned f = 1; f < 1u << log; f++) {
			struct dfs_freq freq = { .of = { f }, .n = 1, .log = log };
			uint64_t most = ((uint64_t)f << (32 - log)) - 1;
			struct dfs_rans_symbol s;

			dfs_rans_symbols(&freq, &s);
			for (unsigned i = 0; i < 64; i++) {
				uint64_t k = 1 + random_next(&seed) % (most / f);

				divides(&s, most - i, f, log);
				divides(&s, k * f, f, log);
				divides(&s, k * f - 1, f, log);
			}
		}
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(logarithms_are_near),
	cmocka_unit_test(frequencies_come_back),
	cmocka_unit_test(divisions_are_exact),
};

CHECK_MAIN(cases)
