/* SPDX-License-Identifier: GPL-2.0-or-later */
#if defined(__x86_64__)

#include "codec/rans_avx2.h"

#define WORD(set, lane) __builtin_popcount((set) & ((1 << (lane)) - 1))
#define SET(set)								\
	{ WORD(set, 0), WORD(set, 1), WORD(set, 2), WORD(set, 3),		\
	  WORD(set, 4), WORD(set, 5), WORD(set, 6), WORD(set, 7) }
#define SETS_4(set) SET(set), SET((set) + 1), SET((set) + 2), SET((set) + 3)
#define SETS_16(set) SETS_4(set), SETS_4((set) + 4), SETS_4((set) + 8), SETS_4((set) + 12)
#define SETS_64(set) SETS_16(set), SETS_16((set) + 16), SETS_16((set) + 32), SETS_16((set) + 48)

const uint8_t dfs_256_word_of[256][8] __attribute__((aligned(64))) = {
	SETS_64(0), SETS_64(64), SETS_64(128), SETS_64(192),
};

#else

typedef int dfs_rans_avx2_is_for_x86;

#endif
