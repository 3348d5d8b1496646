/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cpu: the environment lowers the level, and never raises it. */
#include "util/cpu.h"

#include <stdlib.h>

#include "../check.h"

static void every_level_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(dfs_cpu_name(DFS_CPU_PORTABLE), "portable");
	assert_string_equal(dfs_cpu_name(DFS_CPU_AVX2), "avx2");
	assert_string_equal(dfs_cpu_name(DFS_CPU_AVX512), "avx512");
	assert_string_equal(dfs_cpu_name(DFS_CPU_LEVELS), "?");
}

static void environment_only_lowers(void **state)
{
	enum dfs_cpu best;

	(void)state;
	unsetenv("DELTAFS_CPU");
	best = dfs_cpu_best();
	for (unsigned level = 0; level < DFS_CPU_LEVELS; level++) {
		setenv("DELTAFS_CPU", dfs_cpu_name(level), 1);
		assert_int_equal(dfs_cpu_best(), level < best ? level : best);
	}
	setenv("DELTAFS_CPU", "pentium", 1);
	assert_int_equal(dfs_cpu_best(), best);
	setenv("DELTAFS_CPU", "", 1);
	assert_int_equal(dfs_cpu_best(), best);
	unsetenv("DELTAFS_CPU");
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(every_level_has_a_name),
	cmocka_unit_test(environment_only_lowers),
};

CHECK_MAIN(cases)
