/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_select: which differences of a chunk stay, if places are stored:
 * of each level a number that is given, any of its values as likely.
 *
 * A level's values have ranks, in order. Ranks are drawn, and drawn again if
 * they were before; of those that stay or those that go the fewer are drawn.
 * Then one walk over the codes, which counts ranks, finds places: four walks at
 * once, a quarter each, or every value would wait for the count of the last.
 */
#include <errno.h>

#include "codec/ultradelta.h"

#define WALKS 4

struct selection {
	uint64_t *drawn;			/* a bit for each rank of each level */
	uint32_t rank[WALKS][DFS_ULTRA_LEVELS_MAX];	/* of a walk's next value, from level 0's first */
	bool stays[DFS_ULTRA_LEVELS_MAX];	/* what being drawn means */
};

/* Random words, one after the other. */
struct source {
	enum dfs_cpu cpu;
	struct dfs_philox stream;
	uint64_t next;
	unsigned left;
	uint32_t words[DFS_ULTRA_BLOCK];
};

static uint32_t next_word(struct source *s)
{
	if (!s->left) {
		dfs_philox_words(s->cpu, &s->stream, s->next, DFS_ULTRA_BLOCK, s->words);
		s->next += DFS_ULTRA_BLOCK;
		s->left = DFS_ULTRA_BLOCK;
	}
	return s->words[DFS_ULTRA_BLOCK - s->left--];
}

static void draw(struct source *source, uint64_t *drawn, uint32_t first, uint32_t of, uint32_t n)
{
	while (n > 0) {
		uint32_t rank = first + (uint32_t)((uint64_t)next_word(source) * of >> 32);
		uint64_t bit = 1ull << rank % 64;

		n -= !(drawn[rank / 64] & bit);
		drawn[rank / 64] |= bit;
	}
}

/* Where walk @w begins. */
static size_t start_of(size_t n, unsigned w)
{
	return w < WALKS ? n / WALKS * w : n;
}

/* How many there are of each level before each walk; draws each level's. */
static void prepare(struct selection *s, struct source *source, const uint8_t *codes, size_t n, unsigned n_levels,
		    const uint32_t *quotas)
{
	uint32_t first = 0;

	for (unsigned w = 0; w < WALKS; w++)
		for (size_t i = start_of(n, w); i < start_of(n, w + 1); i++)
			s->rank[w][codes[i]]++;
	for (unsigned k = 0; k < n_levels; k++) {
		uint32_t of = 0, quota;

		for (unsigned w = 0; w < WALKS; w++) {
			uint32_t here = s->rank[w][k];

			s->rank[w][k] = first + of;
			of += here;
		}
		quota = quotas[k] < of ? quotas[k] : of;
		s->stays[k] = quota <= of / 2;
		draw(source, s->drawn, first, of, s->stays[k] ? quota : of - quota);
		first += of;
	}
}

/* A place and its code, written in any case; it counts if it stays. Return: 0 or 1. */
static inline size_t visit(struct selection *s, unsigned w, size_t i, size_t to, uint32_t *places, uint8_t *codes)
{
	uint8_t code = codes[i];
	uint32_t rank = s->rank[w][code]++;

	places[to] = (uint32_t)i;
	codes[to] = code;
	return (s->drawn[rank / 64] >> rank % 64 & 1) == s->stays[code];
}

static size_t walk(struct selection *s, uint32_t *places, uint8_t *codes, size_t n)
{
	size_t quarter = n / WALKS, to[WALKS], all = 0;

	for (unsigned w = 0; w < WALKS; w++)
		to[w] = start_of(n, w);
	for (size_t i = 0; i < quarter; i++)
		for (unsigned w = 0; w < WALKS; w++)
			to[w] += visit(s, w, w * quarter + i, to[w], places, codes);
	for (size_t i = WALKS * quarter; i < n; i++)
		to[WALKS - 1] += visit(s, WALKS - 1, i, to[WALKS - 1], places, codes);
	for (unsigned w = 0; w < WALKS; w++) {
		size_t kept = to[w] - start_of(n, w);

		memmove(places + all, places + start_of(n, w), kept * sizeof(*places));
		memmove(codes + all, codes + start_of(n, w), kept);
		all += kept;
	}
	return all;
}

long dfs_ultra_select(enum dfs_cpu cpu, const struct dfs_ultra_table *t, uint64_t first, size_t n,
		      const uint32_t *quotas, uint8_t *codes, uint32_t *places, struct dfs_scratch *scratch)
{
	size_t len = (n + 63) / 64 * sizeof(uint64_t);
	struct selection s = { .drawn = dfs_scratch_get(scratch, DFS_SLOT_CLASSES, len) };
	/* four words a value are more than are ever drawn */
	struct source source = { .cpu = cpu, .stream = { t->key, { t->number, DFS_ULTRA_SELECT } }, .next = 4 * first };

	if (!s.drawn)
		return -ENOMEM;
	memset(s.drawn, 0, len);
	prepare(&s, &source, codes, n, 1u << t->bits, quotas);
	return (long)walk(&s, places, codes, n);
}
