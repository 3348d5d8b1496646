/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_bench: how small codecs that give up bits make a matrix, and how fast.
 *
 *	lossy_bench [--mib N] [--cols N] [--dtype bf16|f16|f32] CODEC[:OPTIONS]...
 *
 * Pairs are synthetic (pairs.h), r = 0.05. One core; bases are in memory;
 * hashing is not counted. Encoding is all passes, planning and coding together,
 * each with the difference that it works on. Each speed is the best of four
 * rounds, over memory that was touched before. Bits per weight include the
 * table, 32 bytes a chunk and 220 a tensor for a container's own records.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/lossy.h"
#include "pairs.h"

#define CHUNK_BYTES (128u << 10)
#define CHUNK_RECORD 32
#define TENSOR_RECORD 220
#define ROUNDS 4

struct bench {
	const struct dfs_lossy *lossy;
	uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	struct pair pair;
	struct dfs_lossy_tensor tensor;
	size_t most;		/* values of a chunk */
	struct dfs_buf table, notes;
	struct dfs_table *opened;
	uint8_t **payloads;
	size_t *lens;
	size_t n;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);	/* others may share the core */
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void check(int ret, const char *what)
{
	if (ret == 0)
		return;
	fprintf(stderr, "lossy_bench: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static struct dfs_block block_at(const struct bench *b, size_t i)
{
	size_t first = i * b->most;

	return (struct dfs_block){
		.shape = b->tensor.shape,
		.first = first,
		.n = b->pair.n - first < b->most ? b->pair.n - first : b->most,
		.pred = b->pair.pred + first * b->pair.size,
	};
}

static void take_delta(const struct bench *b, const struct dfs_block *block, float *delta)
{
	check(dfs_delta(block->shape.dtype, b->pair.data + block->first * b->pair.size, block->pred, delta, block->n) ?
	      0 : -ERANGE, "difference");
}

static void measure(struct bench *b, float *delta, struct dfs_scratch *scratch)
{
	memset(b->tensor.record, 0, b->lossy->record_size(b->options, b->tensor.shape));
	for (unsigned pass = 0; pass < b->lossy->passes(b->options); pass++) {
		for (size_t i = 0; i < b->n; i++) {
			struct dfs_block block = block_at(b, i);

			take_delta(b, &block, delta);
			check(b->lossy->measure(b->options, pass, &block, delta, &b->tensor, scratch), "measure");
		}
		if (b->lossy->settle)
			check(b->lossy->settle(b->options, pass, &b->tensor), "settle");
	}
}

static void encode_once(struct bench *b, float *delta, struct dfs_scratch *scratch)
{
	struct dfs_err err;

	dfs_buf_release(&b->table);
	dfs_buf_release(&b->notes);
	dfs_table_close(b->opened);
	measure(b, delta, scratch);
	if (b->lossy->plan)
		check(b->lossy->plan(b->options, &b->tensor, 1, &err), "plan");
	check(b->lossy->prepare(b->options, &b->tensor, &b->table, &b->notes, &err), "prepare");
	check(b->lossy->codec->table_open(b->tensor.shape, (struct dfs_span){ b->table.data, b->table.len }, true,
					  &b->opened, &err), "table");
	for (size_t i = 0; i < b->n; i++) {
		struct dfs_block block = block_at(b, i);

		take_delta(b, &block, delta);
		check(b->lossy->encode(&block, delta, b->opened, (struct dfs_span){ b->notes.data, b->notes.len },
				       b->payloads[i], &b->lens[i], scratch), "encode");
	}
}

static double encode_speed(struct bench *b, enum dfs_cpu cpu)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	float *delta = room(b->most * sizeof(*delta));
	double best = 0;

	dfs_scratch_set_cpu(scratch, cpu);
	for (int round = 0; round < ROUNDS; round++) {
		double start = now(), speed;

		encode_once(b, delta, scratch);
		speed = b->pair.n * b->pair.size / (now() - start) / 1e9;
		best = speed > best ? speed : best;
	}
	free(delta);
	dfs_scratch_free(scratch);
	return best;
}

static double decode_speed(const struct bench *b, enum dfs_cpu cpu)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	uint8_t *out = room(b->most * b->pair.size + DFS_VALUES_PAD);
	double best = 0;

	dfs_scratch_set_cpu(scratch, cpu);
	for (int round = 0; round < ROUNDS; round++) {
		double start = now(), speed;

		for (size_t i = 0; i < b->n; i++) {
			struct dfs_block block = block_at(b, i);

			check(b->lossy->codec->decode(&block, (struct dfs_span){ b->payloads[i], b->lens[i] },
						      b->opened, out, scratch, NULL), "decode");
		}
		speed = b->pair.n * b->pair.size / (now() - start) / 1e9;
		best = speed > best ? speed : best;
	}
	free(out);
	dfs_scratch_free(scratch);
	return best;
}

static void bench_open(struct bench *b, const char *spec, const struct set *set, size_t bytes)
{
	char name[64];
	size_t len = strcspn(spec, ":");
	struct dfs_err err = { "no such codec" };

	snprintf(name, sizeof(name), "%.*s", (int)len, spec);
	b->lossy = dfs_lossy_find((unsigned)dfs_codec_parse(name));
	if (!b->lossy || dfs_lossy_parse(b->lossy, spec[len] ? spec + len + 1 : NULL, b->options, &err) < 0) {
		fprintf(stderr, "lossy_bench: %s: %s\n", spec, err.text);
		exit(2);
	}
	b->pair = make_pair(set, bytes);
	b->tensor.shape = (struct dfs_shape){ set->dtype, 0, set->cols, b->pair.n / set->cols };
	b->tensor.values = b->pair.n;
	b->most = CHUNK_BYTES / b->pair.size;
	if (b->lossy->chunk_rows) {
		b->tensor.chunk_rows = b->lossy->chunk_rows(b->options, b->tensor.shape);
		b->most = b->tensor.chunk_rows * set->cols;
	}
	b->n = (b->pair.n + b->most - 1) / b->most;
	b->tensor.record = room(b->lossy->record_size(b->options, b->tensor.shape));
	b->payloads = room(b->n * sizeof(*b->payloads));
	b->lens = room(b->n * sizeof(*b->lens));
	for (size_t i = 0; i < b->n; i++)
		b->payloads[i] = room(b->lossy->codec->bound(b->tensor.shape, b->most));
}

static void bench_close(struct bench *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->payloads[i]);
	free(b->payloads);
	free(b->lens);
	free(b->tensor.record);
	free(b->pair.pred);
	free(b->pair.data);
	dfs_buf_release(&b->table);
	dfs_buf_release(&b->notes);
	dfs_table_close(b->opened);
}

static void run(const char *spec, const struct set *set, size_t bytes)
{
	struct bench b = { .n = 0 };
	size_t total = TENSOR_RECORD;

	bench_open(&b, spec, set, bytes);
	printf("%-44s", spec);
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
		printf(" %8.2f", encode_speed(&b, cpu));
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
		printf(" %8.2f", decode_speed(&b, cpu));
	for (size_t i = 0; i < b.n; i++)
		total += b.lens[i] + CHUNK_RECORD;
	total += b.table.len;
	printf(" %8.4f %8.2f\n", 8.0 * total / b.pair.n, (double)bytes / total);
	fflush(stdout);
	bench_close(&b);
}

static void print_head(void)
{
	printf("%-44s encode, GB/s%*s decode, GB/s\n%-44s", "", 9 * dfs_cpu_best() - 4, "", "codec");
	for (unsigned twice = 0; twice < 2; twice++)
		for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
			printf(" %8s", dfs_cpu_name(cpu));
	printf(" %8s %8s\n", "bits/w", "factor");
}

int main(int argc, char **argv)
{
	struct set set = { .base = DFS_BF16, .dtype = DFS_BF16, .r = 0.05, .cols = 1024 };
	size_t mib = 16;

	print_head();
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--mib") && i + 1 < argc)
			mib = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--cols") && i + 1 < argc)
			set.cols = strtoul(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--dtype") && i + 1 < argc)
			set.base = set.dtype = !strcmp(argv[++i], "f32") ? DFS_F32 :
					       !strcmp(argv[i], "f16") ? DFS_F16 : DFS_BF16;
		else
			run(argv[i], &set, mib << 20);
	}
	return 0;
}
