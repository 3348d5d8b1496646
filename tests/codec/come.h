/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * come: matrices for the tests of delta-come, the page's formula, the best
 * that a rank allows; and a main that skips where matrices cannot be written.
 */
#ifndef DFS_TESTS_CODEC_COME_H
#define DFS_TESTS_CODEC_COME_H

#include "../check.h"
#include "codec/svd.h"
#include "model.h"

struct come_matrix {
	unsigned rank;	/* of one part, whose directions have weights 1, 1/2, 1/3 ... */
	double noise;	/* of each value, where the other part's are about 1 */
};

/* come_matrix() - times 1e-3; free() it */
float *come_matrix(uint64_t rows, uint64_t cols, struct come_matrix kind);

/* come_model() - one matrix that differs so, not yet coded; model_free() it */
struct model *come_model(const char *options, unsigned dtype, uint64_t rows, uint64_t cols, struct come_matrix kind);

/* come_formula() - what table and payloads decode to, one bit after the other; free() it */
uint8_t *come_formula(const struct driven *d);

/* come_rank() - columns that the table has */
uint64_t come_rank(const struct driven *d);

/* come_best() - the share of a matrix's energy that none of @rank has (one-sided Jacobi, in doubles) */
double come_best(const float *matrix, uint64_t rows, uint64_t cols, uint64_t rank);

/* come_main() - check_main(), or skipped */
static inline int come_main(const struct CMUnitTest *cases, size_t n, int argc, char **argv)
{
	struct dfs_err err;

	if (dfs_linear_load(&err) == 0)
		return check_main(cases, n, argc, argv);
	printf("SKIP: %s\n", err.text);
	return 77;
}

#endif
