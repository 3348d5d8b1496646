/* SPDX-License-Identifier: GPL-2.0-or-later */
#if defined(__x86_64__)

#include "codec/rans_avx2.h"

#define WORD(set, lane) __builtin_popcount((set) & ((1 << (lane)) - 1))
#define WORDS(set)								\
	{ WORD(set, 0), WORD(set, 1), WORD(set, 2), WORD(set, 3),		\
	  WORD(set, 4), WORD(set, 5), WORD(set, 6), WORD(set, 7) }

/* Lane number @r of a set has as many lanes before it as have, with all before them, @r of the set at most. */
#define BEFORE(set, lane, r) (__builtin_popcount((set) & ((2 << (lane)) - 1)) <= (r))
#define NUMBER(set, r)								\
	(BEFORE(set, 0, r) + BEFORE(set, 1, r) + BEFORE(set, 2, r) + BEFORE(set, 3, r) + \
	 BEFORE(set, 4, r) + BEFORE(set, 5, r) + BEFORE(set, 6, r) + BEFORE(set, 7, r))
#define LANE(set, word) (NUMBER(set, __builtin_popcount(set) - 8 + (word)) & 7)
#define LANES(set)								\
	{ LANE(set, 0), LANE(set, 1), LANE(set, 2), LANE(set, 3),		\
	  LANE(set, 4), LANE(set, 5), LANE(set, 6), LANE(set, 7) }

#define SETS_4(of, set) of(set), of((set) + 1), of((set) + 2), of((set) + 3)
#define SETS_16(of, set)							\
	SETS_4(of, set), SETS_4(of, (set) + 4), SETS_4(of, (set) + 8), SETS_4(of, (set) + 12)
#define SETS_64(of, set)							\
	SETS_16(of, set), SETS_16(of, (set) + 16), SETS_16(of, (set) + 32), SETS_16(of, (set) + 48)
#define SETS(of) SETS_64(of, 0), SETS_64(of, 64), SETS_64(of, 128), SETS_64(of, 192)

const uint8_t dfs_256_word_of[256][8] __attribute__((aligned(64))) = { SETS(WORDS) };
const uint8_t dfs_256_lane_of[256][8] __attribute__((aligned(64))) = { SETS(LANES) };

#else

typedef int dfs_rans_avx2_is_for_x86;

#endif
