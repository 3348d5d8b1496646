/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_ultradelta_mask: which differences are kept. The places are compared
 * with the page's words put in plain C here; how many there are is exact; that
 * they are random is tested with fixed seeds, at bounds of four deviations or
 * more of what chance would give.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "codec/ultradelta.h"
#include "model.h"

#define CODEC DFS_CODEC_ULTRADELTA

/* --- Philox, as its paper has it */

static void philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
	for (unsigned round = 0; round < 10; round++) {
		uint64_t a = 0xd2511f53ull * c[0], b = 0xcd9e8d57ull * c[2];
		uint32_t next[4] = { (uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b,
				     (uint32_t)(a >> 32) ^ c[3] ^ k1, (uint32_t)a };

		memcpy(c, next, sizeof(next));
		k0 += 0x9e3779b9;
		k1 += 0xbb67ae85;
	}
}

static uint32_t word(uint64_t key, uint32_t tensor, uint32_t stream, uint64_t number)
{
	uint64_t counter = number / 4;
	uint32_t c[4] = { (uint32_t)counter, (uint32_t)(counter >> 32), tensor, stream };

	philox(c, (uint32_t)key, (uint32_t)(key >> 32));
	return c[number % 4];
}

/* kat_vectors of Random123: counter, key, result */
static const struct { uint32_t counter[4], key[2], words[4]; } known[] = {
	{ { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
	{ { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
	  { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
	{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
	  { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
};

static void philox_gives_the_known_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++) {
			struct dfs_philox stream = { known[i].key[0] | (uint64_t)known[i].key[1] << 32,
						     { known[i].counter[2], known[i].counter[3] } };
			uint64_t counter = known[i].counter[0] | (uint64_t)known[i].counter[1] << 32;
			uint32_t out[4 * DFS_PHILOX_COUNTERS];

			dfs_philox_counters(cpu, &stream, counter, out);
			CHECK_BYTES(out, known[i].words, 16);
		}
}

static void words_are_the_same_wherever_one_begins(void **state)
{
	struct dfs_philox stream = { 0x123456789abcdef0, { 5, 1 } };

	(void)state;
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
		for (uint64_t first = (1ull << 34) - 70; first < (1ull << 34) + 10; first++)
			for (size_t n = 0; n < 150; n += 1 + n / 5) {
				uint32_t out[151] = { 0 };

				dfs_philox_words(cpu, &stream, first, n, out);
				for (size_t i = 0; i < n; i++)
					CHECK(out[i] == word(stream.key, 5, 1, first + i));
				CHECK(out[n] == 0);
			}
}

/* --- which are kept: of equal differences over a base of zeros, those that are not zero */

static uint8_t *kept_of(const struct driven *t)
{
	uint8_t *out = malloc(t->matrix->bytes), *kept = malloc(t->matrix->n);

	CHECK_RET(0, driven_decode(t, (struct way){ .level = dfs_cpu_best() }, out));
	for (size_t i = 0; i < t->matrix->n; i++)
		kept[i] = matrix_get(t->matrix, out, i) != 0;
	free(out);
	return kept;
}

static uint8_t *mask(const char *spec, uint64_t rows, uint64_t cols, double size)
{
	struct model *m = model_new(CODEC, spec);
	uint8_t *kept;

	model_add(m, DFS_F32, rows, cols, ONE_VALUE | ALONE, size, 1);
	CHECK_RET(0, model_code(m));
	kept = kept_of(&m->coded[0]);
	model_free(m);
	return kept;
}

static size_t count(const uint8_t *kept, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += kept[i];
	return sum;
}

static uint64_t kept_before(uint64_t values, uint32_t keep)
{
	return (uint64_t)((unsigned __int128)values * keep >> 32);
}

/* deltafs-format(5), "ultradelta places", in its own words. */
static void seeded_places(const struct driven *t, size_t chunk, uint8_t *kept)
{
	const uint8_t *table = t->table.data;
	uint32_t keep = dfs_get_u32le(table + 16), number = dfs_get_u32le(table + 4);
	uint64_t key = dfs_get_u64le(table + 8), first = t->chunks[chunk].first, n = t->chunks[chunk].n;
	uint64_t before = kept_before(first, keep), k = kept_before(first + n, keep) - before;
	uint64_t turn = word(key, number, 1, first) * n >> 32;

	memset(kept, 0, n);
	for (uint64_t i = 0; i < k; i++) {
		uint64_t low = i * n / k, width = (i + 1) * n / k - low;

		kept[(low + (word(key, number, 0, before + i) * width >> 32) + turn) % n] = 1;
	}
}

static void seeded_places_are_those_of_the_page(void **state)
{
	static const char *const specs[] = { "s=0.97", "s=0.5,seed=7", "s=0.1", "s=0.999" };

	(void)state;
	for (size_t s = 0; s < 4; s++) {
		struct model *m = model_new(CODEC, specs[s]);

		m->how.head = 1000;
		m->how.chunk = 2560;
		model_add(m, DFS_F32, 1, 3, ONE_VALUE | ALONE, 1, 1);
		model_add(m, DFS_F32, 123, 457, ONE_VALUE | ALONE, 1, 1);
		model_code(m);
		CHECK_RET(0, m->coded[1].ret);
		for (size_t i = 0; i < m->n; i++) {
			const struct driven *t = &m->coded[i];
			uint8_t *kept, *want;

			/* of three values none would be kept */
			if (i == 0 && (s == 0 || s == 3)) {
				CHECK_RET(-ERANGE, t->ret);
				continue;
			}
			kept = kept_of(t);
			want = malloc(t->matrix->n);
			for (size_t c = 0; c < t->n_chunks; c++)
				seeded_places(t, c, want + t->chunks[c].first);
			CHECK_BYTES(kept, want, t->matrix->n);
			CHECK(count(kept, t->matrix->n) == kept_before(t->matrix->n, dfs_get_u32le(t->table.data + 16)));
			free(kept);
			free(want);
		}
		model_free(m);
	}
}

/* --- uniform */

/* How often each place is kept, over many seeds; each has the variance of a coin. */
static void every_place_is_as_likely(void **state)
{
	static const char *const masks[] = { "seeded", "stored" };
	static const double shares[] = { 0.97, 0.7, 0.4 };
	enum { N = 500, SEEDS = 600 };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		double p = 1 - shares[i / 2], chi = 0;
		unsigned often[N] = { 0 };

		for (unsigned seed = 0; seed < SEEDS; seed++) {
			uint8_t *kept;
			char spec[80];

			snprintf(spec, sizeof(spec), "s=%g,mask=%s,seed=%u", shares[i / 2], masks[i % 2], seed);
			kept = mask(spec, 1, N, 1);
			CHECK(count(kept, N) == (size_t)(N * p + 1e-6));
			for (size_t k = 0; k < N; k++)
				often[k] += kept[k];
			free(kept);
		}
		for (size_t k = 0; k < N; k++)
			chi += (often[k] - SEEDS * p) * (often[k] - SEEDS * p) / (SEEDS * p * (1 - p));
		/* N on average, sqrt(2 N) = 32 about it */
		CHECK(fabs(chi - N) < 5 * sqrt(2.0 * N));
	}
}

/* --- independent */

enum { ROWS = 512, COLS = 1000, ALL = ROWS * COLS };

/* Common places of two masks of share p, of which N p^2 are expected. */
static void unrelated(const uint8_t *a, const uint8_t *b, size_t n)
{
	double p = (double)count(a, n) / (double)n, q = (double)count(b, n) / (double)n, both = 0;

	for (size_t i = 0; i < n; i++)
		both += a[i] & b[i];
	CHECK(fabs(both - (double)n * p * q) < 4 * sqrt((double)n * p * q));
}

static void check_unrelated(const char *spec, const char *other_seed)
{
	struct model *m = model_new(CODEC, spec);
	uint8_t *first, *second, *seed, *model;

	model_add(m, DFS_F32, ROWS, COLS, ONE_VALUE | ALONE, 1, 1);
	model_add(m, DFS_F32, ROWS, COLS, ONE_VALUE | ALONE, 1, 1);
	CHECK_RET(0, model_code(m));
	first = kept_of(&m->coded[0]);
	second = kept_of(&m->coded[1]);
	seed = mask(other_seed, ROWS, COLS, 1);
	model = mask(spec, ROWS, COLS, 2);
	unrelated(first, second, ALL);
	unrelated(first, seed, ALL);
	unrelated(first, model, ALL);
	for (size_t rows = 1; rows < 6; rows++)
		unrelated(first, first + rows * COLS, ALL - rows * COLS);
	/* and chunks, 32768 values each */
	for (size_t chunk = 1; chunk < 6; chunk++)
		unrelated(first, first + chunk * 32768, ALL - chunk * 32768);
	free(first);
	free(second);
	free(seed);
	free(model);
	model_free(m);
}

static void rows_tensors_seeds_and_models_have_unrelated_masks(void **state)
{
	(void)state;
	check_unrelated("s=0.97,step=0", "s=0.97,step=0,seed=1");
	check_unrelated("s=0.9,step=0,mask=stored", "s=0.9,step=0,mask=stored,seed=1");
}

/* Of values that are kept, as many lie high as of all: places do not depend on values. */
static void seeded_places_do_not_depend_on_values(void **state)
{
	struct model *m = model_new(CODEC, "s=0.95");
	struct driven *t = model_add(m, DFS_F32, ROWS, COLS, GAUSSIAN | ALONE, 1, 3);
	double kept = 0, high = 0;
	uint8_t *places;

	(void)state;
	CHECK_RET(0, model_code(m));
	places = kept_of(t);
	for (size_t i = 0; i < ALL; i++) {
		kept += places[i];
		high += places[i] && matrix_delta(t->matrix, i) > 0.674489750196;	/* the upper quartile */
	}
	CHECK(fabs(high - kept / 4) < 4 * sqrt(kept * 3 / 16));
	free(places);
	model_free(m);
}

/* --- stored: of each level, just as many as the paper's code leaves */

static void check_levels(const char *spec, unsigned kind, double s, unsigned top)
{
	struct model *m = model_new(CODEC, spec);
	struct driven *t;
	double of[256] = { 0 }, kept[256] = { 0 }, zeros = 0;
	float min = INFINITY, max = -INFINITY;
	uint8_t *places;

	m->how.head = 250;
	t = model_add(m, DFS_F32, 500, 777, kind, 1, 5);
	CHECK_RET(0, model_code(m));
	places = kept_of(t);
	for (size_t i = 0; i < t->matrix->n; i++) {
		min = fminf(min, (float)matrix_delta(t->matrix, i));
		max = fmaxf(max, (float)matrix_delta(t->matrix, i));
	}
	for (size_t i = 0; i < t->matrix->n; i++) {
		unsigned k = (unsigned)rintf(((float)matrix_delta(t->matrix, i) - min) / (max - min) * (float)top);

		of[k]++;
		kept[k] += places[i];
	}
	for (unsigned k = 0; k <= top; k++)
		zeros += (float)(min + k * ((double)max - min) / top) == 0 ? of[k] : 0;
	zeros /= (double)t->matrix->n;
	for (unsigned k = 0; k <= top; k++) {
		double rate = fmax(0, (s - zeros) / (1 - zeros));
		bool zero = (float)(min + k * ((double)max - min) / top) == 0;

		CHECK(kept[k] == (zero ? 0 : of[k] - rint(of[k] * rate)));
	}
	free(places);
	model_free(m);
}

static void stored_keeps_its_share_of_every_level(void **state)
{
	(void)state;
	check_levels("s=0.97,mask=stored", GAUSSIAN | ALONE, 0.97, 15);
	check_levels("s=0.9,mask=stored,qbits=8", GAUSSIAN | ALONE, 0.9, 255);
	check_levels("s=0.5,mask=stored,qbits=2", GAUSSIAN | ALONE, 0.5, 3);
	/* a quarter is zero, and a level of its own: pruned already */
	check_levels("s=0.9,mask=stored", POSITIVE | ALONE, 0.9, 15);
	check_levels("s=0.1,mask=stored", POSITIVE | ALONE, 0.1, 15);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(philox_gives_the_known_answers),
	cmocka_unit_test(words_are_the_same_wherever_one_begins),
	cmocka_unit_test(seeded_places_are_those_of_the_page),
	cmocka_unit_test(every_place_is_as_likely),
	cmocka_unit_test(rows_tensors_seeds_and_models_have_unrelated_masks),
	cmocka_unit_test(seeded_places_do_not_depend_on_values),
	cmocka_unit_test(stored_keeps_its_share_of_every_level),
};

CHECK_MAIN(cases)
