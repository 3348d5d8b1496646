/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_cases: tensors that lossy codecs wrote, with what they decode to, for
 * readers that are to decode the same: lossy_reader.py, and this program on
 * other machines. For test_lossy.sh.
 *
 *	lossy_cases write FILE CODEC	(77: it needs a library that is not here)
 *	lossy_cases read FILE
 *
 * A tensor is: u32 codec, u32 dtype, u64 rows, u64 cols, u64 chunks; then, each
 * behind its length (u32): table, predictions, decoded values; and for each
 * chunk u64 number of values, and the payload behind its length. All little
 * endian.
 */
#include <stdio.h>
#include <stdlib.h>

#include "codec/svd.h"
#include "model.h"

#define HEAD 32
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct tensor {
	unsigned dtype, rows, cols, kind;
	double size;
};

/* For codecs that look at the whole model. */
static const struct tensor mixed[] = {
	{ DFS_BF16, 64, 96, GAUSSIAN, 1e-3 },		{ DFS_F16, 33, 77, LAPLACE, 1e-3 },
	{ DFS_F32, 48, 80, FEW_MOVED, 1e-2 },		{ DFS_BF16, 32, 64, GAUSSIAN, 0x1p90 },
	{ DFS_F16, 32, 64, GAUSSIAN | ALONE, 1e-6 },	{ DFS_F32, 32, 64, GAUSSIAN | ALONE, 1e-42 },
	{ DFS_BF16, 1, 100, ONE_VALUE | ALONE, 0.25 },	{ DFS_F32, 500, 40, POSITIVE | ALONE, 1 },
};

#define MIXED mixed, COUNT(mixed)
#define ONE(...) (const struct tensor[]){ { __VA_ARGS__ } }, 1
#define PATCHES(dtype, rows, cols) ONE(dtype, rows, cols, PATCHY, 1e-3)
#define NOISE(dtype, rows, cols) ONE(dtype, rows, cols, GAUSSIAN, 1e-3)

static const struct {
	unsigned codec;
	const char *options;
	const struct tensor *tensors;
	size_t n;
	uint32_t chunk_rows;
} cases[] = {
	{ DFS_CODEC_BITDELTA, "", MIXED, 0 },
	{ DFS_CODEC_BITDELTA, "scale=column,k=3", MIXED, 0 },
	{ DFS_CODEC_BITDELTA, "scale=scalar,k=2", MIXED, 0 },
	{ DFS_CODEC_ULTRADELTA, "s=0.9", MIXED, 0 },
	{ DFS_CODEC_ULTRADELTA, "s=0.97,mask=stored", MIXED, 0 },
	{ DFS_CODEC_ULTRADELTA, "s=0.5,qbits=8,rescale=layer", MIXED, 0 },
	{ DFS_CODEC_ULTRADELTA, "s=0.9,levels=codebook,qbits=2,gamma=0.8", MIXED, 0 },
	{ DFS_CODEC_ULTRADELTA, "s=0.8,levels=codebook,mask=stored,seed=18446744073709551615", MIXED, 0 },
	{ DFS_CODEC_DELTA_DCT, "", PATCHES(DFS_BF16, 64, 64), 0 },
	{ DFS_CODEC_DELTA_DCT, "", PATCHES(DFS_F16, 150, 1100), 0 },
	{ DFS_CODEC_DELTA_DCT, "codes=16", PATCHES(DFS_F32, 40, 50), 0 },
	{ DFS_CODEC_DELTA_DCT, "levels=minmax", PATCHES(DFS_BF16, 40, 50), 0 },
	{ DFS_CODEC_DELTA_DCT, "levels=minmax,codes=16,bits=3:0.3/1:0.7", PATCHES(DFS_F32, 40, 50), 0 },
	{ DFS_CODEC_DELTA_DCT, "p=8,bits=8:.125/7:.125/6:.125/5:.125/4:.125/3:.125/2:.125/1:.125",
	  PATCHES(DFS_F32, 50, 90), 0 },
	{ DFS_CODEC_DELTA_DCT, "p=32,bits=4:0.2/2:0.3/1:0.2/0:0.3", PATCHES(DFS_BF16, 100, 130), 0 },
	{ DFS_CODEC_DELTA_DCT, "p=64,bits=1:1", PATCHES(DFS_F16, 64, 130), 0 },
	{ DFS_CODEC_DELTA_DCT, "p=8,bits=0:1", PATCHES(DFS_BF16, 9, 70), 0 },
	{ DFS_CODEC_DELTA_COME, "", NOISE(DFS_BF16, 40, 33), 16 },
	{ DFS_CODEC_DELTA_COME, "ratio=5,group=8", NOISE(DFS_F16, 33, 40), 16 },
	{ DFS_CODEC_DELTA_COME, "ratio=8", NOISE(DFS_F32, 24, 70), 16 },
	{ DFS_CODEC_DELTA_COME, "ratio=2", NOISE(DFS_BF16, 70, 24), 16 },
	{ DFS_CODEC_DELTA_COME, "ratio=3,group=9", NOISE(DFS_F32, 17, 17), 16 },
};

static void need(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "lossy_cases: %s\n", what);
	exit(1);
}

static void put(FILE *f, const void *data, size_t len)
{
	need(len == 0 || fwrite(data, 1, len, f) == len, "cannot write");
}

static void put_part(FILE *f, const void *data, size_t len)
{
	uint8_t head[4];

	dfs_put_u32le(head, (uint32_t)len);
	put(f, head, sizeof(head));
	put(f, data, len);
}

/* In memory of just its length; free() it. */
static uint8_t *get_part(FILE *f, size_t *ret_len)
{
	uint8_t head[4], *data;

	need(fread(head, 1, sizeof(head), f) == sizeof(head), "too short");
	*ret_len = dfs_get_u32le(head);
	data = malloc(*ret_len ? *ret_len : 1);
	need(data && fread(data, 1, *ret_len, f) == *ret_len, "too short");
	return data;
}

/* Some predictions are infinite, NaN or -0. */
static void spoil(struct matrix *m)
{
	static const uint16_t special[] = { 0x7f80, 0xff80, 0x7fc1, 0x8000, 0 };

	for (size_t i = 0; i < m->n; i += 301)
		if (m->shape.dtype == DFS_BF16)
			dfs_put_u16le(m->pred + 2 * i, special[i % 5]);
}

static void write_tensor(FILE *f, unsigned codec, const struct driven *d)
{
	const struct matrix *m = d->matrix;
	uint8_t head[HEAD], values[8], *out = malloc(m->bytes);

	driven_decode_alike(d, out);
	dfs_put_u32le(head, codec);
	dfs_put_u32le(head + 4, m->shape.dtype);
	dfs_put_u64le(head + 8, m->shape.rows);
	dfs_put_u64le(head + 16, m->shape.cols);
	dfs_put_u64le(head + 24, d->n_chunks);
	put(f, head, sizeof(head));
	put_part(f, d->table.data, d->table.len);
	put_part(f, m->pred, m->bytes);
	put_part(f, out, m->bytes);
	for (size_t i = 0; i < d->n_chunks; i++) {
		dfs_put_u64le(values, d->chunks[i].n);
		put(f, values, sizeof(values));
		put_part(f, d->chunks[i].payload, d->chunks[i].len);
	}
	free(out);
}

/* Return: how many tensors. */
static unsigned write_case(FILE *f, size_t i)
{
	struct model *m = model_new(cases[i].codec, cases[i].options);

	m->how.head = 1000;
	m->how.chunk_rows = cases[i].chunk_rows;
	for (size_t k = 0; k < cases[i].n; k++) {
		const struct tensor *t = &cases[i].tensors[k];

		model_add(m, t->dtype, t->rows, t->cols, t->kind, t->size, i + k);
	}
	need(model_code(m) == 0, "a tensor is declined");
	for (size_t k = 0; k < m->n; k++) {
		spoil(&m->matrices[k]);
		write_tensor(f, cases[i].codec, &m->coded[k]);
	}
	model_free(m);
	return (unsigned)cases[i].n;
}

static void read_chunk(FILE *f, const struct driven *d, const struct dfs_table *table, const uint8_t *want,
		       struct driven_chunk *chunk)
{
	uint8_t values[8], *out;

	need(fread(values, 1, sizeof(values), f) == sizeof(values), "too short");
	chunk->n = dfs_get_u64le(values);
	chunk->payload = get_part(f, &chunk->len);
	out = malloc(chunk->n * d->matrix->unit);
	for (unsigned level = 0; level < DFS_CPU_LEVELS; level++) {
		need(driven_decode_chunk(d, table, chunk, (struct way){ .level = level }, out) == 0, "a payload is refused");
		need(memcmp(out, want + chunk->first * d->matrix->unit, chunk->n * d->matrix->unit) == 0,
		     "other values than where it was written");
	}
	free(chunk->payload);
	free(out);
}

static void read_tensor(FILE *f, const uint8_t *head)
{
	struct matrix m = matrix_new(dfs_get_u32le(head + 4), dfs_get_u64le(head + 8), dfs_get_u64le(head + 16));
	struct driven d = { .lossy = dfs_lossy_find(dfs_get_u32le(head)), .matrix = &m, .tensor.shape = m.shape };
	uint8_t *bytes, *pred, *want;
	struct driven_chunk chunk = { 0 };
	struct dfs_table *table;
	size_t len;

	bytes = get_part(f, &len);
	need(d.lossy && driven_open(&d, bytes, len, false, &table) == 0, "a table is refused");
	free(bytes);
	pred = get_part(f, &len);
	need(len == m.bytes, "another shape");
	memcpy(m.pred, pred, len);
	want = get_part(f, &len);
	need(len == m.bytes, "another shape");
	for (uint64_t i = dfs_get_u64le(head + 24); i > 0; i--, chunk.first += chunk.n)
		read_chunk(f, &d, table, want, &chunk);
	need(chunk.first == m.n, "chunks are missing");
	dfs_table_close(table);
	free(pred);
	free(want);
	matrix_free(&m);
}

static unsigned write_all(FILE *f, const char *codec)
{
	int id = dfs_codec_parse(codec);
	struct dfs_err err;
	unsigned n = 0;

	if (id == DFS_CODEC_DELTA_COME && dfs_linear_load(&err) < 0) {
		printf("%s: %s\n", codec, err.text);
		exit(77);
	}
	for (size_t i = 0; i < COUNT(cases); i++)
		if ((int)cases[i].codec == id)
			n += write_case(f, i);
	return n;
}

static unsigned read_all(FILE *f)
{
	uint8_t head[HEAD];
	unsigned n = 0;

	for (; fread(head, 1, sizeof(head), f) == sizeof(head); n++)
		read_tensor(f, head);
	return n;
}

int main(int argc, char **argv)
{
	bool writing = argc == 4 && !strcmp(argv[1], "write");
	unsigned n;
	FILE *f;

	if (!writing && (argc != 3 || strcmp(argv[1], "read") != 0)) {
		fprintf(stderr, "usage: lossy_cases write FILE CODEC | read FILE\n");
		return 2;
	}
	f = fopen(argv[2], writing ? "wb" : "rb");
	need(f != NULL, "cannot open the file");
	n = writing ? write_all(f, argv[3]) : read_all(f);
	need(fclose(f) == 0, "cannot write");
	need(n > 0, "there is no tensor");
	printf("%u tensors\n", n);
	return 0;
}
