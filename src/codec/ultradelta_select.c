/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_select: which differences of a chunk stay, if places are stored:
 * of each level a number that is given, any of its values as likely.
 *
 * Places are drawn, and count unless they were drawn before or their level has
 * enough. Nearly all levels are full soon, since each is drawn as often as it
 * has values; for those that are not, their places are looked up and drawn from.
 * Of values that stay and values that go the fewer of a level are drawn.
 */
#include <errno.h>

#include "codec/ultradelta.h"

struct selection {
	uint64_t *drawn;		/* a bit for each place */
	uint32_t wanted[DFS_ULTRA_LEVELS_MAX];	/* still to be drawn */
	bool stays[DFS_ULTRA_LEVELS_MAX];	/* what being drawn means */
	bool all_stay;
	size_t sum;			/* of wanted */
	/* random words, one after the other */
	enum dfs_cpu cpu;
	struct dfs_philox stream;
	uint64_t next;
	unsigned left;
	uint32_t words[DFS_ULTRA_BLOCK];
};

/* From 0 to @of - 1. */
static inline uint32_t draw(struct selection *s, uint32_t of)
{
	if (!s->left) {
		dfs_philox_words(s->cpu, &s->stream, s->next, DFS_ULTRA_BLOCK, s->words);
		s->next += DFS_ULTRA_BLOCK;
		s->left = DFS_ULTRA_BLOCK;
	}
	return (uint32_t)((uint64_t)s->words[DFS_ULTRA_BLOCK - s->left--] * of >> 32);
}

static inline bool is_drawn(const struct selection *s, uint32_t place)
{
	return s->drawn[place / 64] >> place % 64 & 1;
}

static void set_wanted(struct selection *s, const struct dfs_ultra_quota *quotas, unsigned n_levels)
{
	s->all_stay = true;
	for (unsigned k = 0; k < n_levels; k++) {
		uint32_t of = quotas[k].of, keep = quotas[k].keep < of ? quotas[k].keep : of;

		s->stays[k] = keep <= of / 2;
		s->wanted[k] = s->stays[k] ? keep : of - keep;
		s->sum += s->wanted[k];
		s->all_stay &= s->stays[k];
	}
}

/* Most of them: a quarter more draws than there are places to find. */
static void draw_places(struct selection *s, const uint8_t *codes, size_t n)
{
	size_t draws = s->sum + s->sum / 4 + 64;

	/* so that all words of a chunk are fewer than four a value */
	for (draws = draws < 3 * n ? draws : 3 * n; draws && s->sum; draws--) {
		uint32_t place = draw(s, (uint32_t)n);
		uint8_t code = codes[place];
		bool counts = s->wanted[code] && !is_drawn(s, place);

		s->wanted[code] -= counts;
		s->sum -= counts;
		s->drawn[place / 64] |= (uint64_t)counts << place % 64;
	}
}

/* What is wanted of level @k yet. @places: room for its places. */
static void draw_level(struct selection *s, uint8_t k, const uint8_t *codes, size_t n, uint32_t *places)
{
	const uint8_t *at = codes, *end = codes + n;
	uint32_t found = 0;

	while ((at = memchr(at, k, (size_t)(end - at)))) {
		uint32_t place = (uint32_t)(at++ - codes);

		places[found] = place;
		found += !is_drawn(s, place);
	}
	for (uint32_t i = 0; i < s->wanted[k] && i < found; i++) {
		uint32_t other = i + draw(s, found - i), place = places[other];

		places[other] = places[i];
		s->drawn[place / 64] |= 1ull << place % 64;
	}
}

/* Places and codes of those that stay, both in order. */
static size_t gather(const struct selection *s, uint32_t *places, uint8_t *codes, size_t n)
{
	size_t to = 0;

	if (!s->all_stay) {
		for (uint32_t i = 0; i < n; i++) {
			uint8_t code = codes[i];

			places[to] = i;
			codes[to] = code;
			to += is_drawn(s, i) == s->stays[code];
		}
		return to;
	}
	for (uint32_t word = 0; word < (n + 63) / 64; word++)
		for (uint64_t bits = s->drawn[word]; bits; bits &= bits - 1) {
			uint32_t place = 64 * word + (uint32_t)__builtin_ctzll(bits);

			places[to] = place;
			codes[to++] = codes[place];
		}
	return to;
}

long dfs_ultra_select(enum dfs_cpu cpu, const struct dfs_ultra_table *t, uint64_t first, size_t n,
		      const struct dfs_ultra_quota *quotas, uint8_t *codes, uint32_t *places, struct dfs_scratch *scratch)
{
	size_t len = (n + 63) / 64 * sizeof(uint64_t);
	struct selection s = {
		.drawn = dfs_scratch_get(scratch, DFS_SLOT_CLASSES, len),
		.cpu = cpu, .stream = { t->key, { t->number, DFS_ULTRA_SELECT } }, .next = 4 * first,
	};

	if (!s.drawn)
		return -ENOMEM;
	memset(s.drawn, 0, len);
	set_wanted(&s, quotas, 1u << t->bits);
	draw_places(&s, codes, n);
	for (unsigned k = 0; k < 1u << t->bits && s.sum; k++)
		if (s.wanted[k])
			draw_level(&s, (uint8_t)k, codes, n, places);
	return (long)gather(&s, places, codes, n);
}
