/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu: what CPU and environment allow.
 */
#include "util/cpu.h"

#include <stdlib.h>
#include <string.h>

static const char *const cpu_names[DFS_CPU_LEVELS] = {
	[DFS_CPU_PORTABLE] = "portable",
	[DFS_CPU_AVX2] = "avx2",
	[DFS_CPU_AVX512] = "avx512",
};

static enum dfs_cpu cpu_has(void)
{
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2"))
		return DFS_CPU_PORTABLE;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return DFS_CPU_AVX512;
	return DFS_CPU_AVX2;
#else
	return DFS_CPU_PORTABLE;
#endif
}

enum dfs_cpu dfs_cpu_best(void)
{
	const char *wanted = getenv("DELTAFS_CPU");
	enum dfs_cpu best = cpu_has();

	for (unsigned level = 0; wanted && level < best; level++)
		if (!strcmp(wanted, cpu_names[level]))
			return level;
	return best;
}

const char *dfs_cpu_name(enum dfs_cpu level)
{
	return (unsigned)level < DFS_CPU_LEVELS ? cpu_names[level] : "?";
}
