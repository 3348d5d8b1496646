/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_dct: what delta-dct makes of a tensor, and how fast.
 *
 *	lossy_dct [--rows N] [--cols N] [OPTIONS...]
 *
 * OPTIONS are as behind the colon of a SPEC. One core; the base is in memory;
 * hashing is not counted. Differences are normal, their size different from
 * patch to patch. Speeds are GB/s of BF16, the best of four rounds over memory
 * that was touched before; encoding is all passes, each with its subtraction.
 * The ratio counts the table, 32 bytes a chunk and 220 a tensor.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../codec/driven.h"

#define ROUNDS 4

static const char *const sets[] = {
	"", "codes=16", "levels=minmax", "levels=minmax,codes=16", "bits=1:1", "bits=2:0.34/1:0.33/0:0.33", "bits=4:1",
	"p=8", "p=32", "p=64",
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* others may share the core */
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(int ret, const char *what)
{
	if (ret == 0)
		return;
	fprintf(stderr, "lossy_dct: %s: %d\n", what, ret);
	exit(1);
}

/* A factor that a row and a column share over 16 neighbours. */
static double draw(uint64_t *state, uint64_t row, uint64_t col)
{
	return 0.0005 * (1 + (double)((row / 16 * 7 + col / 16 * 5) % 8)) * draw_normal(state);
}

static double cosine(const struct matrix *m, const uint8_t *out)
{
	float *given = malloc(m->values * sizeof(*given)), *made = malloc(m->values * sizeof(*made));
	double ab = 0, aa = 0, bb = 0;

	if (!given || !made)
		exit(1);
	dfs_delta(m->shape.dtype, m->data, m->pred, given, m->values);
	dfs_delta(m->shape.dtype, out, m->pred, made, m->values);
	for (size_t i = 0; i < m->values; i++) {
		ab += (double)given[i] * made[i];
		aa += (double)given[i] * given[i];
		bb += (double)made[i] * made[i];
	}
	free(given);
	free(made);
	return ab / sqrt(aa * bb);
}

static void run(const char *options, const struct matrix *m)
{
	double encode = 0, decode[DFS_CPU_LEVELS] = { 0 }, start, speed, close;
	uint8_t *out = malloc(m->bytes + DFS_VALUES_PAD);
	struct driven d;
	size_t bytes;

	for (int round = 0; round < ROUNDS; round++) {
		if (round)
			driven_free(&d);
		start = now();
		check(driven_encode(DFS_CODEC_DELTA_DCT, options, m, dfs_cpu_best(), false, &d), "encode");
		speed = (double)m->bytes / (now() - start) / 1e9;
		encode = speed > encode ? speed : encode;
	}
	for (int i = 0; i < ROUNDS * (int)(dfs_cpu_best() + 1); i++) {
		enum dfs_cpu cpu = (enum dfs_cpu)(i / ROUNDS);

		start = now();
		check(driven_decode(&d, m, cpu, out), "decode");
		speed = (double)m->bytes / (now() - start) / 1e9;
		decode[cpu] = speed > decode[cpu] ? speed : decode[cpu];
	}
	bytes = driven_bytes(&d);
	close = cosine(m, out);
	printf("%-28s %7.3f %7.2f %7.3f %7.2f", *options ? options : "(default)", 8.0 * (double)bytes / (double)m->values,
	       (double)m->bytes / (double)bytes, close, encode);
	for (unsigned cpu = 0; cpu < DFS_CPU_LEVELS; cpu++)
		printf(" %8.2f", decode[cpu]);
	printf("\n");
	fflush(stdout);
	driven_free(&d);
	free(out);
}

int main(int argc, char **argv)
{
	uint64_t rows = 1024, cols = 1024;
	struct matrix m;
	int at = 1;

	for (; at + 1 < argc && argv[at][0] == '-'; at += 2)
		*(strcmp(argv[at], "--rows") ? &cols : &rows) = strtoull(argv[at + 1], NULL, 10);
	m = matrix_make(DFS_BF16, rows, cols, draw, 1);
	printf("%-28s %7s %7s %7s %7s   decode: %s, %s, %s\n", "options", "bits/w", "ratio", "cosine", "encode",
	       dfs_cpu_name(0), dfs_cpu_name(1), dfs_cpu_name(2));
	if (at < argc)
		for (; at < argc; at++)
			run(argv[at], &m);
	else
		for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
			run(sets[i], &m);
	matrix_free(&m);
	return 0;
}
