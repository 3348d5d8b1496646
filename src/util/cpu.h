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

#endif
