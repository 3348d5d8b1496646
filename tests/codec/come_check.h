/* SPDX-License-Identifier: GPL-2.0-or-later */
/* come_check: what begins a unit test of delta-come. */
#ifndef DFS_TESTS_CODEC_COME_CHECK_H
#define DFS_TESTS_CODEC_COME_CHECK_H

#include "../check.h"
#include "codec/svd.h"
#include "come.h"

/* come_main() - check_main(), or skipped where matrices cannot be written */
static inline int come_main(const struct CMUnitTest *cases, size_t n, int argc, char **argv)
{
	struct dfs_err err;

	if (dfs_linear_load(&err) == 0)
		return check_main(cases, n, argc, argv);
	printf("SKIP: %s\n", err.text);
	return 77;
}

#endif
