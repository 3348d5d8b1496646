/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pairs: synthetic weights and the fine-tunes of them.
 *
 * Base weights are N(0, 0.02) rounded to the dtype; a fine-tune adds
 * N(0, 0.02 r) and is rounded again.
 */
#ifndef DFS_TESTS_BENCH_PAIRS_H
#define DFS_TESTS_BENCH_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/dtype.h"

struct set {
	const char *name;
	enum dfs_dtype base, dtype;
	double r;		/* < 0: no base */
	double changed;		/* > 0: share of values moved by one or two steps, instead of r */
	uint8_t drop;
	uint64_t cols;
	bool rows_differ;	/* only some rows move, by very different amounts */
};

struct pair {
	size_t n;
	unsigned size;
	uint8_t *pred;	/* NULL: none */
	uint8_t *data;
};

/* make_pair() - free() both parts of it */
struct pair make_pair(const struct set *s, size_t bytes);

#endif
