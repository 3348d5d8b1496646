/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_bench: how fast codecs that give up bits are, and how large.
 *
 *	lossy_bench [--rows N] [--cols N] [--dtype BF16|F16|F32] CODEC[:OPTIONS]...
 *
 * One synthetic tensor (pairs.h), by default 4096 x 4096 BF16. One core; the
 * base is in memory; hashing is not counted. Encoding is all passes, each with
 * the differences it takes, and the table. Each speed is in GB/s of the
 * tensor's bytes, the best of four rounds. Bits per value include the table,
 * 32 bytes a chunk and 220 a tensor for its records in a container. Kernels of
 * different levels must give the same values.
 */
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

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* others may share the core */
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "lossy_bench: %s\n", what);
	exit(1);
}

struct bench {
	const struct dfs_lossy *lossy;
	_Alignas(16) uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	struct dfs_shape shape;
	struct pair pair;
	struct dfs_scratch *scratch;
	size_t most, n_chunks;	/* values of a chunk */
	float *delta;
	uint8_t **payloads;
	size_t *lens;
	struct dfs_buf table_bytes, notes;
	struct dfs_table *table;
};

static struct dfs_block block_at(const struct bench *b, size_t i)
{
	size_t first = i * b->most, left = b->pair.n - first;

	return (struct dfs_block){
		.shape = b->shape, .first = first, .n = left < b->most ? left : b->most,
		.pred = b->pair.pred + first * b->pair.size,
	};
}

static void take_delta(const struct bench *b, const struct dfs_block *block)
{
	check(dfs_delta(b->shape.dtype, b->pair.data + block->first * b->pair.size, block->pred, b->delta, block->n),
	      "a difference that is not finite");
}

/* Return: seconds. */
static double encode_once(struct bench *b)
{
	struct dfs_lossy_tensor tensor = {
		.shape = b->shape, .values = b->pair.n,
		.chunk_rows = b->lossy->chunk_rows ? b->lossy->chunk_rows(b->options, b->shape) : 0,
		.record = calloc(1, b->lossy->record_size(b->options, b->shape)),
	};
	double start = now();

	dfs_table_close(b->table);
	b->table_bytes.len = b->notes.len = 0;
	for (unsigned pass = 0; pass < b->lossy->passes(b->options); pass++) {
		for (size_t i = 0; i < b->n_chunks; i++) {
			struct dfs_block block = block_at(b, i);

			take_delta(b, &block);
			check(!b->lossy->measure(b->options, pass, &block, b->delta, &tensor, b->scratch), "measure");
		}
		check(!b->lossy->settle || !b->lossy->settle(b->options, pass, &tensor), "settle");
	}
	check(!b->lossy->plan || !b->lossy->plan(b->options, &tensor, 1, NULL), "plan");
	check(!b->lossy->prepare(b->options, &tensor, &b->table_bytes, &b->notes, NULL), "prepare");
	check(!b->lossy->codec->table_open(b->shape, (struct dfs_span){ b->table_bytes.data, b->table_bytes.len }, true,
					   &b->table, NULL), "open the table");
	for (size_t i = 0; i < b->n_chunks; i++) {
		struct dfs_block block = block_at(b, i);

		take_delta(b, &block);
		check(!b->lossy->encode(&block, b->delta, b->table, (struct dfs_span){ b->notes.data, b->notes.len },
					b->payloads[i], &b->lens[i], b->scratch), "encode");
	}
	free(tensor.record);
	return now() - start;
}

/* To @out; as a reader does it, chunk by chunk, each still in the cache. Return: seconds. */
static double decode_once(struct bench *b, enum dfs_cpu level, uint8_t *out)
{
	double start = now();

	dfs_scratch_set_cpu(b->scratch, level);
	for (size_t i = 0; i < b->n_chunks; i++) {
		struct dfs_block block = block_at(b, i);

		check(!b->lossy->codec->decode(&block, (struct dfs_span){ b->payloads[i], b->lens[i] }, b->table,
					       out + block.first * b->pair.size, b->scratch, NULL), "decode");
	}
	return now() - start;
}

static double best_of(const double *seconds, size_t bytes)
{
	double best = seconds[0];

	for (unsigned i = 1; i < ROUNDS; i++)
		best = seconds[i] < best ? seconds[i] : best;
	return (double)bytes / best / 1e9;
}

static void report(struct bench *b, const char *spec)
{
	size_t bytes = b->pair.n * b->pair.size, stored = TENSOR_RECORD + b->n_chunks * CHUNK_RECORD;
	uint8_t *first = room(bytes + DFS_VALUES_PAD), *out = room(bytes + DFS_VALUES_PAD);
	double seconds[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++)
		seconds[i] = encode_once(b);
	stored += b->table_bytes.len;
	for (size_t i = 0; i < b->n_chunks; i++)
		stored += b->lens[i];
	printf("%-28s %8.4f %8.2f %8.2f", spec, 8 * (double)stored / (double)b->pair.n, (double)bytes / (double)stored,
	       best_of(seconds, bytes));
	for (unsigned level = 0; level <= dfs_cpu_best(); level++) {
		for (unsigned i = 0; i < ROUNDS; i++)
			seconds[i] = decode_once(b, level, level ? out : first);
		check(level == 0 || !memcmp(out, first, bytes), "kernels that differ");
		printf(" %8.2f", best_of(seconds, bytes));
	}
	printf("\n");
	fflush(stdout);
	free(first);
	free(out);
}

static void run(const char *spec, struct dfs_shape shape, struct pair pair)
{
	size_t len = strcspn(spec, ":");
	struct bench b = { .shape = shape, .pair = pair, .scratch = dfs_scratch_new() };
	struct dfs_err err = { "" };
	char name[32] = "";

	check(len < sizeof(name), spec);
	memcpy(name, spec, len);
	b.lossy = dfs_codec_parse(name) < 0 ? NULL : dfs_lossy_find((unsigned)dfs_codec_parse(name));
	check(b.lossy && b.scratch, spec);
	check(!dfs_lossy_parse(b.lossy, spec[len] ? spec + len + 1 : NULL, b.options, &err), err.text);
	b.most = b.lossy->chunk_rows ? b.lossy->chunk_rows(b.options, shape) * (size_t)shape.cols : CHUNK_BYTES / pair.size;
	b.n_chunks = (pair.n + b.most - 1) / b.most;
	b.delta = room(b.most * sizeof(float));
	b.payloads = room(b.n_chunks * sizeof(*b.payloads));
	b.lens = room(b.n_chunks * sizeof(*b.lens));
	for (size_t i = 0; i < b.n_chunks; i++)
		b.payloads[i] = room(b.lossy->codec->bound(shape, b.most) + DFS_PAYLOAD_PAD);
	report(&b, spec);
	for (size_t i = 0; i < b.n_chunks; i++)
		free(b.payloads[i]);
	free(b.payloads);
	free(b.lens);
	free(b.delta);
	dfs_table_close(b.table);
	dfs_buf_release(&b.table_bytes);
	dfs_buf_release(&b.notes);
	dfs_scratch_free(b.scratch);
}

int main(int argc, char **argv)
{
	struct dfs_shape shape = { .dtype = DFS_BF16, .rows = 4096, .cols = 4096 };
	struct set set = { "pair", .r = 1e-2 };
	struct pair pair;
	int i = 1;

	for (; i + 1 < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (!strcmp(argv[i], "--rows"))
			shape.rows = strtoull(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--cols"))
			shape.cols = strtoull(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--dtype") && dfs_dtype_parse(argv[i + 1], strlen(argv[i + 1])) > 0)
			shape.dtype = (uint8_t)dfs_dtype_parse(argv[i + 1], strlen(argv[i + 1]));
	}
	check(i < argc && shape.rows && shape.cols, "which codec?");
	set.base = set.dtype = shape.dtype;
	pair = make_pair(&set, shape.rows * shape.cols * dfs_dtype_info(shape.dtype)->size);
	printf("%-28s %8s %8s %8s  decode:\n%-28s %8s %8s %8s", "", "bits", "", "encode", "codec", "a value", "ratio", "GB/s");
	for (unsigned level = 0; level <= dfs_cpu_best(); level++)
		printf(" %8s", dfs_cpu_name(level));
	printf("\n");
	for (; i < argc; i++)
		run(argv[i], shape, pair);
	free(pair.pred);
	free(pair.data);
	return 0;
}
