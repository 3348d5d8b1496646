/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_come: size, error and speed of delta-come on synthetic fine-tunes.
 *
 *	lossy_come [OPTIONS [ROWS COLS]]
 *
 * OPTIONS as behind the colon of a SPEC, "" for defaults; without a shape,
 * several. Differences are noise plus a part of low rank. One core; bases are
 * in memory; hashing is not counted; each speed is the best of a few rounds.
 * The ratio is of 16-bit (32-bit) weights to payloads, table and what a
 * container has besides: 32 bytes a chunk, 220 a tensor. The error is the share
 * of the differences' energy that is lost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/lossy.h"
#include "tensor/convert.h"
#include "pairs.h"

#define CHUNK_RECORD 32
#define TENSOR_RECORDS 220
#define ROUNDS 4

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* others may share the core */
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void check(int ret, const struct dfs_err *err)
{
	if (ret == 0)
		return;
	fprintf(stderr, "lossy_come: %s (%d)\n", err->text, ret);
	exit(1);
}

/* A tensor, its fine-tune, and what has become of it. */
struct job {
	struct dfs_lossy_tensor tensor;
	uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	const struct dfs_lossy *lossy;
	struct dfs_scratch *scratch;
	uint8_t *pred, *data, *out;
	float *delta;
	struct dfs_buf table, notes;
	struct dfs_table *opened;
	uint8_t **payloads;
	size_t *lens, chunks, size;
};

static double noise(uint64_t *state)
{
	double sum = 0;

	for (int i = 0; i < 4; i++) {
		*state = *state * 6364136223846793005u + 1442695040888963407u;
		sum += (double)(*state >> 33) / (1u << 31) - 0.5;
	}
	return sum;
}

#define LOW_RANK 8

static void fill(struct job *j)
{
	uint64_t rows = j->tensor.shape.rows, cols = j->tensor.shape.cols, state = 1;
	float *base = room(j->tensor.values * 4), *tuned = room(j->tensor.values * 4);
	float *left = room(rows * LOW_RANK * 4), *right = room(cols * LOW_RANK * 4);

	for (uint64_t i = 0; i < rows * LOW_RANK; i++)
		left[i] = (float)noise(&state);
	for (uint64_t i = 0; i < cols * LOW_RANK; i++)
		right[i] = (float)noise(&state);
	for (uint64_t i = 0; i < j->tensor.values; i++) {
		double delta = noise(&state);

		for (unsigned k = 0; k < LOW_RANK; k++)
			delta += left[i / cols * LOW_RANK + k] * right[i % cols * LOW_RANK + k];
		base[i] = (float)(0.02 * noise(&state));
		tuned[i] = base[i] + (float)(1e-3 * delta);
	}
	dfs_convert(DFS_F32, j->tensor.shape.dtype, base, j->pred, j->tensor.values);
	dfs_convert(DFS_F32, j->tensor.shape.dtype, tuned, j->data, j->tensor.values);
	free(base);
	free(tuned);
	free(left);
	free(right);
}

static struct dfs_block block_at(const struct job *j, size_t chunk)
{
	uint64_t values = j->tensor.chunk_rows * j->tensor.shape.cols, first = chunk * values;

	return (struct dfs_block){
		.shape = j->tensor.shape,
		.first = first,
		.n = j->tensor.values - first < values ? j->tensor.values - first : values,
		.pred = j->pred + first * j->size,
	};
}

static void take_delta(const struct job *j, const struct dfs_block *b)
{
	if (!dfs_delta(b->shape.dtype, j->data + b->first * j->size, b->pred, j->delta, b->n))
		exit(1);
}

static double encode(struct job *j)
{
	struct dfs_err err = { "" };
	double start = now();

	dfs_buf_release(&j->table);
	dfs_buf_release(&j->notes);
	dfs_table_close(j->opened);
	for (size_t i = 0; i < j->chunks; i++) {
		struct dfs_block b = block_at(j, i);

		take_delta(j, &b);
		check(j->lossy->measure(j->options, 0, &b, j->delta, &j->tensor, j->scratch), &err);
	}
	check(j->lossy->prepare(j->options, &j->tensor, &j->table, &j->notes, &err), &err);
	check(j->lossy->codec->table_open(j->tensor.shape, (struct dfs_span){ j->table.data, j->table.len }, true,
					  &j->opened, &err), &err);
	for (size_t i = 0; i < j->chunks; i++) {
		struct dfs_block b = block_at(j, i);

		take_delta(j, &b);
		check(j->lossy->encode(&b, j->delta, j->opened, (struct dfs_span){ j->notes.data, j->notes.len },
				       j->payloads[i], &j->lens[i], j->scratch), &err);
	}
	return (double)j->tensor.values * (double)j->size / (now() - start) / 1e9;
}

static double decode(struct job *j, enum dfs_cpu cpu)
{
	struct dfs_err err = { "" };
	double start = now();

	dfs_scratch_set_cpu(j->scratch, cpu);
	for (size_t i = 0; i < j->chunks; i++) {
		struct dfs_block b = block_at(j, i);

		check(j->lossy->codec->decode(&b, (struct dfs_span){ j->payloads[i], j->lens[i] }, j->opened,
					      j->out + b.first * j->size, j->scratch, &err), &err);
	}
	return (double)j->tensor.values * (double)j->size / (now() - start) / 1e9;
}

static double best_of(struct job *j, enum dfs_cpu cpu, bool encoding)
{
	double best = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double speed = encoding ? encode(j) : decode(j, cpu);

		best = speed > best ? speed : best;
	}
	return best;
}

/* The share of the differences' energy that is not there again. */
static double error_of(const struct job *j)
{
	float *tuned = room(j->tensor.values * 4), *base = room(j->tensor.values * 4), *back = room(j->tensor.values * 4);
	double lost = 0, all = 0;

	dfs_convert(j->tensor.shape.dtype, DFS_F32, j->data, tuned, j->tensor.values);
	dfs_convert(j->tensor.shape.dtype, DFS_F32, j->pred, base, j->tensor.values);
	dfs_convert(j->tensor.shape.dtype, DFS_F32, j->out, back, j->tensor.values);
	for (uint64_t i = 0; i < j->tensor.values; i++) {
		lost += ((double)tuned[i] - back[i]) * ((double)tuned[i] - back[i]);
		all += ((double)tuned[i] - base[i]) * ((double)tuned[i] - base[i]);
	}
	free(tuned);
	free(base);
	free(back);
	return lost / all;
}

static void report(struct job *j)
{
	size_t total = j->table.len + TENSOR_RECORDS + j->chunks * CHUNK_RECORD, bytes = j->tensor.values * j->size;
	double speeds[DFS_CPU_LEVELS] = { 0 }, encoding = best_of(j, DFS_CPU_PORTABLE, true);

	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
		speeds[cpu] = best_of(j, cpu, false);
	total = j->table.len + TENSOR_RECORDS + j->chunks * CHUNK_RECORD;
	for (size_t i = 0; i < j->chunks; i++)
		total += j->lens[i];
	printf("%-5s %6llu x %-6llu %5u rows %7.3f bits %7.2fx  error %.4f  table %.1f MiB open  encode %.4f  decode",
	       dfs_dtype_info(j->tensor.shape.dtype)->name, (unsigned long long)j->tensor.shape.rows,
	       (unsigned long long)j->tensor.shape.cols, j->tensor.chunk_rows, 8.0 * (double)total / (double)j->tensor.values,
	       (double)bytes / (double)total, error_of(j), (double)dfs_table_size(j->opened) / (1 << 20), encoding);
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++)
		printf(" %.3f (%s)", speeds[cpu], dfs_cpu_name(cpu));
	printf(" GB/s\n");
	fflush(stdout);
}

static void run(const char *options, unsigned dtype, uint64_t rows, uint64_t cols)
{
	struct job j = { .lossy = dfs_lossy_find(DFS_CODEC_DELTA_COME), .scratch = dfs_scratch_new() };
	struct dfs_err err = { "" };

	j.size = dfs_dtype_info(dtype)->size;
	j.tensor.shape = (struct dfs_shape){ .dtype = (uint8_t)dtype, .rows = rows, .cols = cols };
	j.tensor.values = rows * cols;
	check(dfs_lossy_parse(j.lossy, options, j.options, &err), &err);
	if (!j.lossy->takes(j.options, j.tensor.shape)) {
		printf("%llu x %llu is not taken\n", (unsigned long long)rows, (unsigned long long)cols);
		return;
	}
	j.tensor.chunk_rows = j.lossy->chunk_rows(j.options, j.tensor.shape);
	j.tensor.record = room(j.lossy->record_size(j.options, j.tensor.shape));
	j.chunks = (size_t)((rows + j.tensor.chunk_rows - 1) / j.tensor.chunk_rows);
	j.pred = room(j.tensor.values * j.size);
	j.data = room(j.tensor.values * j.size);
	j.out = room(j.tensor.values * j.size);
	j.delta = room(j.tensor.chunk_rows * cols * 4);
	j.payloads = room(j.chunks * sizeof(*j.payloads));
	j.lens = room(j.chunks * sizeof(*j.lens));
	for (size_t i = 0; i < j.chunks; i++)
		j.payloads[i] = room(j.lossy->codec->bound(j.tensor.shape, block_at(&j, i).n));
	fill(&j);
	report(&j);
	for (size_t i = 0; i < j.chunks; i++)
		free(j.payloads[i]);
	free(j.payloads);
	free(j.lens);
	free(j.pred);
	free(j.data);
	free(j.out);
	free(j.delta);
	free(j.tensor.record);
	dfs_table_close(j.opened);
	dfs_buf_release(&j.table);
	dfs_buf_release(&j.notes);
	dfs_scratch_free(j.scratch);
}

int main(int argc, char **argv)
{
	const char *options = argc > 1 ? argv[1] : "";

	if (argc > 3) {
		run(options, DFS_BF16, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
		return 0;
	}
	run(options, DFS_BF16, 384, 384);
	run(options, DFS_BF16, 1024, 1024);
	run(options, DFS_F16, 1024, 1024);
	run(options, DFS_F32, 1024, 1024);
	run(options, DFS_BF16, 4096, 1024);
	run(options, DFS_BF16, 1024, 4096);
	run(options, DFS_BF16, 2048, 2048);
	return 0;
}
