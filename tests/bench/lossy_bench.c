/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_bench: how small codecs that give up bits make a matrix, what they
 * lose of it, and how fast.
 *
 *	lossy_bench [--mib N] [--cols N] [--dtype bf16|f16|f32] [CODEC[:OPTIONS]...]
 *
 * Without a codec: all of them, with the options below. Differences are normal;
 * for the codecs that look for structure, of very different size from patch to
 * patch, plus a part of rank 2. One core;
 * bases are in memory; hashing is not counted; speeds are GB/s of the tensor.
 * Encoding is all passes, planning and coding together, each with the difference
 * that it works on. Bits per weight count the table, 32 bytes a chunk and 220 a
 * tensor for a container's own records; the error is the share of the
 * differences' energy that is lost; "open" is the memory of the opened table.
 *
 * "must" is what deltafs asks of itself for BF16, 1024 wide, decoding bitdelta
 * and ultradelta with AVX-512 only; a line ends in "below", and the program with
 * 1, where a speed of the best level here is less. No test runs it: time is the
 * machine's, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../codec/driven.h"
#include "speed.h"

static const struct row {
	const char *spec;
	unsigned kind;		/* of differences (matrix.h) */
	double encode, decode;	/* GB/s that must be reached; 0: nothing is asked */
	bool wide;		/* decoding: of machines with AVX-512 */
} rows[] = {
	{ "bitdelta", GAUSSIAN, 0.5, 2.0, true },
	{ "bitdelta:scale=scalar", GAUSSIAN, 0.5, 2.0, true },
	{ "bitdelta:scale=column", GAUSSIAN, 0.5, 2.0, true },
	{ "bitdelta:k=3", GAUSSIAN, 0, 0, false },
	{ "ultradelta", GAUSSIAN, 0.5, 2.0, true },
	{ "ultradelta:s=0.95", GAUSSIAN, 0.5, 2.0, true },
	{ "ultradelta:s=0.99", GAUSSIAN, 0.5, 2.0, true },
	{ "ultradelta:levels=codebook", GAUSSIAN, 0.5, 2.0, true },
	{ "ultradelta:mask=stored", GAUSSIAN, 0.5, 0, false },
	{ "delta-dct", TUNED, 0.3, 0.8, false },
	{ "delta-dct:codes=16", TUNED, 0.3, 0.8, false },
	{ "delta-dct:levels=minmax", TUNED, 0.3, 0.8, false },
	{ "delta-dct:levels=minmax,codes=16", TUNED, 0.3, 0.8, false },
	{ "delta-dct:bits=1:1", TUNED, 0, 0, false },
	{ "delta-dct:bits=2:0.34/1:0.33/0:0.33", TUNED, 0, 0, false },
	{ "delta-dct:bits=4:1", TUNED, 0, 0, false },
	{ "delta-dct:p=8", TUNED, 0.3, 0, false },
	{ "delta-dct:p=32", TUNED, 0.3, 0.5, false },
	{ "delta-dct:p=64", TUNED, 0.3, 0, false },
	{ "delta-come", TUNED, 0.004, 0.1, false },
	{ "delta-come:rounds=0", TUNED, 0.004, 0.1, false },
};
#define N_ROWS (sizeof(rows) / sizeof(*rows))
#define SIZE 1e-3	/* of differences, of weights of about 0.02 */

struct job {
	struct driver how;
	const struct matrix *matrix;
	struct driven driven;
	struct dfs_table *opened;
	uint8_t *out;	/* a chunk */
};

static double encode_round(void *data, struct dfs_scratch *scratch)
{
	struct job *job = data;
	double start;

	driven_free(&job->driven);
	job->how.scratch = scratch;
	start = cpu_now();
	must(drive(&job->how, job->matrix, 1, &job->driven), "encode");
	return cpu_now() - start;
}

static double decode_round(void *data, struct dfs_scratch *scratch)
{
	struct job *job = data;
	const struct driven *d = &job->driven;
	double start = cpu_now();

	for (size_t i = 0; i < d->n_chunks; i++) {
		struct dfs_block b = driven_block(d, &d->chunks[i]);
		struct dfs_span payload = { d->chunks[i].payload, d->chunks[i].len };

		must(d->lossy->codec->decode(&b, payload, job->opened, job->out, scratch, NULL), "decode");
	}
	return cpu_now() - start;
}

static void print_must(double speed)
{
	if (speed > 0)
		printf(" %6.3g", speed);
	else
		printf(" %6s", "-");
}

static double error_of(const struct driven *d)
{
	uint8_t *out = room(d->matrix->bytes);
	double error;

	must(driven_decode(d, (struct way){ .level = dfs_cpu_best() }, out), "decode");
	error = matrix_error(d->matrix, out);
	free(out);
	return error;
}

/* Return: nothing is below what is asked. */
static bool report(const struct row *row, struct job *job)
{
	size_t bytes = job->matrix->bytes, total;
	struct speeds encode = measure_speeds(encode_round, job, bytes), decode;
	double asked = row->wide && dfs_cpu_best() < DFS_CPU_AVX512 ? 0 : row->decode;
	bool below;

	must(driven_open(&job->driven, job->driven.table.data, job->driven.table.len, false, &job->opened), "table");
	job->out = room(job->driven.chunks->n * job->matrix->unit + DFS_VALUES_PAD);
	decode = measure_speeds(decode_round, job, bytes);
	total = driven_bytes(&job->driven);
	printf(" %8.4f %8.2f %8.4f %6.2f", 8.0 * (double)total / (double)job->matrix->n, (double)bytes / (double)total,
	       error_of(&job->driven), (double)dfs_table_size(job->opened) / (1 << 20));
	print_speeds(&encode);
	print_must(row->encode);
	print_speeds(&decode);
	print_must(asked);
	below = best_speed(&encode) < row->encode || best_speed(&decode) < asked;
	printf("%s\n", below ? " below" : "");
	free(job->out);
	dfs_table_close(job->opened);
	return !below;
}

static bool run(const struct row *row, const struct matrix *m, unsigned codec)
{
	struct job job = { .matrix = m, .how = { .codec = codec } };
	const char *colon = strchr(row->spec, ':');
	bool fast = true;

	job.how.options = colon ? colon + 1 : NULL;
	printf("%-36s", row->spec);
	fflush(stdout);
	if (drive(&job.how, m, 1, &job.driven) == -ERANGE)
		printf(" is not for such a matrix\n");
	else
		fast = report(row, &job);
	fflush(stdout);
	driven_free(&job.driven);
	return fast;
}

/* A row for any SPEC: what is asked is asked of those above, in one shape. */
static bool run_spec(const char *spec, struct matrix *m)
{
	int len = (int)strcspn(spec, ":"), id;
	bool asked = m->shape.dtype == DFS_BF16 && m->shape.cols == 1024;
	struct row row = { .spec = spec };
	char name[32];

	snprintf(name, sizeof(name), "%.*s", len, spec);
	id = dfs_codec_parse(name);
	if (id < 0 || !dfs_lossy_find((unsigned)id)) {
		fprintf(stderr, "lossy_bench: no codec \"%s\" that gives up bits\n", name);
		exit(2);
	}
	for (size_t i = N_ROWS; i-- > 0;) {
		if (!strcmp(rows[i].spec, name))
			row.kind = rows[i].kind;
		if (!strcmp(rows[i].spec, spec) && asked)
			row = rows[i];
	}
	matrix_fill(m, row.kind, SIZE, 1);
	return run(&row, m, (unsigned)id);
}

static void print_head(const struct matrix *m)
{
	printf("%llu x %llu, %s\n", (unsigned long long)m->shape.rows, (unsigned long long)m->shape.cols,
	       dfs_dtype_info(m->shape.dtype)->name);
	printf("%-36s %8s %8s %8s %6s %-*s %-*s\n%-36s %8s %8s %8s %6s", "", "", "", "", "open", SPEED_COLUMNS + 6,
	       "encode, GB/s", SPEED_COLUMNS + 6, "decode, GB/s", "codec", "bits/w", "factor", "error", "MiB");
	print_levels();
	printf(" %6s", "must");
	print_levels();
	printf(" %6s\n", "must");
}

static unsigned dtype_of(const char *name)
{
	static const struct { const char *name; unsigned dtype; } dtypes[] = {
		{ "bf16", DFS_BF16 }, { "f16", DFS_F16 }, { "f32", DFS_F32 },
	};

	for (size_t i = 0; i < 3; i++)
		if (!strcmp(name, dtypes[i].name))
			return dtypes[i].dtype;
	fprintf(stderr, "lossy_bench: --dtype bf16|f16|f32\n");
	exit(2);
}

int main(int argc, char **argv)
{
	size_t mib = 16, cols = 1024, below = 0;
	unsigned dtype = DFS_BF16;
	struct matrix m;
	int i = 1;

	for (; i + 1 < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (!strcmp(argv[i], "--dtype"))
			dtype = dtype_of(argv[i + 1]);
		else
			*(strcmp(argv[i], "--mib") ? &cols : &mib) = strtoul(argv[i + 1], NULL, 10);
	}
	m = matrix_new(dtype, (mib << 20) / dfs_dtype_info(dtype)->size / cols, cols);
	print_head(&m);
	for (int k = i; k < argc; k++)
		below += !run_spec(argv[k], &m);
	for (size_t k = 0; k < N_ROWS && i == argc; k++)
		below += !run_spec(rows[k].spec, &m);
	matrix_free(&m);
	return below > 0;
}
