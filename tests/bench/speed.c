/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "speed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 4
#define LONG_ENOUGH 2.0	/* seconds */

void *room(size_t len)
{
	void *p = aligned_alloc(64, (len + DFS_PAYLOAD_PAD + 63) / 64 * 64);

	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return memset(p, 0, len + DFS_PAYLOAD_PAD);
}

void must(int ret, const char *what)
{
	if (ret == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-ret));
	exit(1);
}

double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct speeds measure_speeds(double (*round)(void *data, struct dfs_scratch *scratch), void *data, size_t bytes)
{
	struct speeds speeds = { { 0 } };

	for (unsigned level = 0; level <= dfs_cpu_best(); level++) {
		struct dfs_scratch *scratch = dfs_scratch_new();
		double spent = 0;

		dfs_scratch_set_cpu(scratch, level);
		for (int i = 0; i < ROUNDS && spent < LONG_ENOUGH; i++) {
			double seconds = round(data, scratch), speed = (double)bytes / seconds / 1e9;

			spent += seconds;
			if (speed > speeds.at[level])
				speeds.at[level] = speed;
		}
		dfs_scratch_free(scratch);
	}
	return speeds;
}

double best_speed(const struct speeds *speeds)
{
	return speeds->at[dfs_cpu_best()];
}

void print_speeds(const struct speeds *speeds)
{
	for (unsigned level = 0; level <= dfs_cpu_best(); level++)
		printf(speeds->at[level] < 0.1 ? " %8.4f" : " %8.2f", speeds->at[level]);
}

void print_levels(void)
{
	for (unsigned level = 0; level <= dfs_cpu_best(); level++)
		printf(" %8s", dfs_cpu_name(level));
}
