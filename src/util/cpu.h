/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu: which decode kernels this CPU may run.
 */
#ifndef DFS_UTIL_CPU_H
#define DFS_UTIL_CPU_H

enum dfs_cpu {
	DFS_CPU_PORTABLE,
	DFS_CPU_AVX2,
	DFS_CPU_AVX512, /* F, BW, DQ, VL */
	DFS_CPU_LEVELS
};

/**
 * dfs_cpu_best() - the highest level that CPU and environment allow
 *
 * DELTAFS_CPU=portable|avx2|avx512 lowers it; a level that the CPU lacks, or
 * an unknown word, is ignored. Computed anew at each call: ask once, keep it.
 */
enum dfs_cpu dfs_cpu_best(void);

const char *dfs_cpu_name(enum dfs_cpu level);

/*
 * Attributes of a function that compilers may use a level's instructions in:
 * the same C compiled three times gives kernels that are equal by construction.
 */
#if defined(__x86_64__)
#define DFS_FOR_AVX2 __attribute__((target("avx2")))
#define DFS_FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define DFS_FOR_AVX2
#define DFS_FOR_AVX512
#endif

/* DFS_LEVEL_ROW() - the functions name_portable, name_avx2, name_avx512 as an array by level */
#define DFS_LEVEL_ROW(name)			\
	{					\
		[DFS_CPU_PORTABLE] = name##_portable,	\
		[DFS_CPU_AVX2] = name##_avx2,	\
		[DFS_CPU_AVX512] = name##_avx512,	\
	}

#endif
