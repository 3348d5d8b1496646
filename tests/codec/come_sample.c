/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * come_sample: matrices as delta-come codes them, for other readers.
 *
 *	come_sample write FILE	tables, payloads and what they decode to (needs OpenBLAS)
 *	come_sample read FILE	decodes on all kernels of this CPU, and compares
 *
 * A case is nine u32: dtype, rows, cols, rows of a chunk, bytes of a value, of
 * the table, of all payloads, of a payload's row, of the case's values; then
 * table, payloads, predictions and values. For test_delta_come.sh.
 */
#include <stdio.h>
#include <stdlib.h>

#include "come.h"

static const struct { unsigned dtype; uint32_t rows, cols; const char *options; } cases[] = {
	{ DFS_BF16, 40, 33, "" }, { DFS_F16, 33, 40, "ratio=5,group=8" }, { DFS_F32, 24, 70, "ratio=8" },
	{ DFS_BF16, 70, 24, "ratio=2" }, { DFS_F32, 17, 17, "ratio=3,group=9" },
};
#define N_CASES (sizeof(cases) / sizeof(*cases))
#define HEAD 9
enum { DTYPE, ROWS, COLS, CHUNK_ROWS, UNIT, TABLE, PAYLOADS, ROW, VALUES };

static void need(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "come_sample: %s\n", what);
	exit(1);
}

static void put(FILE *f, const void *data, size_t len)
{
	need(fwrite(data, 1, len, f) == len, "cannot write");
}

static void write_case(FILE *f, unsigned i)
{
	struct drive *d = drive_new(DFS_CODEC_DELTA_COME, cases[i].options, cases[i].dtype, cases[i].rows, cases[i].cols, 16);
	float *delta = come_matrix(cases[i].rows, cases[i].cols, (struct come_matrix){ .rank = 3, .noise = 0.5 });
	uint32_t head[HEAD] = { cases[i].dtype, cases[i].rows, cases[i].cols, 16, (uint32_t)d->unit };
	uint8_t *out = malloc(d->tensor.values * d->unit), bytes[4];

	drive_set(d, delta);
	need(drive_encode(d) == 0 && drive_decode(d, DFS_CPU_PORTABLE, out) == 0, d->err.text);
	head[TABLE] = (uint32_t)d->table.len;
	head[ROW] = (uint32_t)d->lens[0] / 16;
	head[PAYLOADS] = head[ROW] * head[ROWS];
	head[VALUES] = (uint32_t)(d->tensor.values * d->unit);
	for (unsigned k = 0; k < HEAD; k++) {
		dfs_put_u32le(bytes, head[k]);
		put(f, bytes, 4);
	}
	put(f, d->table.data, d->table.len);
	for (size_t k = 0; k < d->chunks; k++)
		put(f, d->payloads[k], d->lens[k]);
	put(f, d->pred, head[VALUES]);
	put(f, out, head[VALUES]);
	free(out);
	free(delta);
	drive_free(d);
}

static void *get(FILE *f, size_t len)
{
	uint8_t *data = calloc(1, len + DFS_PAYLOAD_PAD);

	need(data && fread(data, 1, len, f) == len, "cannot read");
	return data;
}

static void read_case(FILE *f)
{
	uint8_t *bytes = get(f, HEAD * 4), *payloads, *want, *out;
	uint32_t head[HEAD];
	struct drive *d;

	for (unsigned k = 0; k < HEAD; k++)
		head[k] = dfs_get_u32le(bytes + 4 * k);
	d = drive_new(DFS_CODEC_DELTA_COME, "", head[DTYPE], head[ROWS], head[COLS], head[CHUNK_ROWS]);
	need(d->unit == head[UNIT], "another dtype");
	free(d->pred);
	d->table = (struct dfs_buf){ get(f, head[TABLE]), head[TABLE], head[TABLE] };
	payloads = get(f, head[PAYLOADS]);
	for (size_t i = 0, at = 0; i < d->chunks; at += d->lens[i++]) {
		d->lens[i] = (size_t)(drive_block(d, i).n / head[COLS]) * head[ROW];
		d->payloads[i] = calloc(1, d->lens[i] + DFS_PAYLOAD_PAD);
		memcpy(d->payloads[i], payloads + at, d->lens[i]);
	}
	d->pred = get(f, head[VALUES]);
	want = get(f, head[VALUES]);
	out = malloc(head[VALUES]);
	for (unsigned level = 0; level <= dfs_cpu_best(); level++) {
		need(drive_decode(d, level, out) == 0, d->err.text);
		need(memcmp(out, want, head[VALUES]) == 0, "decodes to something else");
	}
	free(bytes);
	free(payloads);
	free(want);
	free(out);
	drive_free(d);
}

int main(int argc, char **argv)
{
	bool writing = argc == 3 && !strcmp(argv[1], "write");
	FILE *f = argc == 3 ? fopen(argv[2], writing ? "wb" : "rb") : NULL;

	need(f != NULL, "come_sample write|read FILE");
	for (unsigned i = 0; i < N_CASES; i++) {
		if (writing)
			write_case(f, i);
		else
			read_case(f);
	}
	need(fclose(f) == 0, "cannot write");
	return 0;
}
