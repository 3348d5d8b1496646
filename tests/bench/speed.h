/* SPDX-License-Identifier: GPL-2.0-or-later */
/* speed: how the benchmarks of codecs measure: one core, every level of CPU, the best of a few rounds. */
#ifndef DFS_TESTS_BENCH_SPEED_H
#define DFS_TESTS_BENCH_SPEED_H

#include <stddef.h>

#include "codec/codec.h"

/* What a container has besides a tensor's table and payloads. */
#define CHUNK_RECORD 32

/* room() - @len bytes and the padding that decoders want, touched. Never fails (the program ends). */
void *room(size_t len);
/* must() - end the program unless @ret is 0 */
void must(int ret, const char *what);

/* cpu_now() - seconds of this thread: others may share the core */
double cpu_now(void);

/* GB/s of a CPU level; 0: this machine has no such level. */
struct speeds {
	double at[DFS_CPU_LEVELS];
};

/*
 * measure_speeds() - the best of four rounds at each level, of fewer if these take seconds
 * A first round would pay for the kernel's clearing of pages, and others share the machine.
 * @round: works through @bytes; Return: seconds
 */
struct speeds measure_speeds(double (*round)(void *data, struct dfs_scratch *scratch), void *data, size_t bytes);

/* best_speed() - that of the highest level here */
double best_speed(const struct speeds *speeds);

void print_speeds(const struct speeds *speeds);
void print_levels(void);	/* what heads those columns */
#define SPEED_COLUMNS (9 * ((int)dfs_cpu_best() + 1))

#endif
