/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_cross: what a lossy codec makes of some tensors, and what is decoded
 * from that, as a file, so that other readers can say whether they decode the
 * same. For test_lossy_cross.sh.
 *
 *	lossy_cross write FILE CODEC OPTIONS
 *	lossy_cross read FILE
 *
 * The file, for each chunk: u64le codec, dtype, rows, cols, first value, number
 * of values, length of table and of payload; then table, payload, prediction
 * and decoded values.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lossy_model.h"

#define CHECKED(claim) do { if (!(claim)) { fprintf(stderr, "lossy_cross: not so: %s\n", #claim); exit(1); } } while (0)
#define FIELDS 8

static const struct {
	unsigned dtype;
	uint64_t rows, cols;
	enum delta_kind kind;
	double size;
} tensors[] = {
	{ DFS_BF16, 64, 96, GAUSSIAN, 1e-3 }, { DFS_F16, 33, 77, LAPLACE, 1e-3 }, { DFS_F32, 48, 80, FEW_MOVED, 1e-2 },
	{ DFS_BF16, 32, 64, LARGE, 0x1p90 }, { DFS_F16, 32, 64, ALONE, 1e-6 }, { DFS_F32, 32, 64, ALONE, 1e-42 },
	{ DFS_BF16, 1, 100, ONE_VALUE, 0.25 }, { DFS_F32, 500, 40, HALF, 1 },
};

static void put(FILE *file, const struct lossy_tensor *t, unsigned codec, size_t i, const uint8_t *decoded)
{
	struct dfs_block block = lossy_model_block(t, i);
	uint64_t fields[FIELDS] = { codec, block.shape.dtype, block.shape.rows, block.shape.cols, block.first, block.n,
				    t->table.len, t->chunks[i].len };
	uint8_t head[8 * FIELDS];

	for (unsigned k = 0; k < FIELDS; k++)
		dfs_put_u64le(head + 8 * k, fields[k]);
	fwrite(head, 1, sizeof(head), file);
	fwrite(t->table.data, 1, t->table.len, file);
	fwrite(t->chunks[i].payload, 1, t->chunks[i].len, file);
	fwrite(block.pred, 1, block.n * t->unit, file);
	fwrite(decoded + block.first * t->unit, 1, block.n * t->unit, file);
}

static void write_all(FILE *file, unsigned codec, const char *spec)
{
	struct lossy_model *m = lossy_model_new(codec, spec);

	m->first_bytes = 2000;
	m->chunk_bytes = 128 << 10;
	for (size_t i = 0; i < sizeof(tensors) / sizeof(*tensors); i++)
		lossy_model_add(m, tensors[i].dtype, tensors[i].rows, tensors[i].cols, tensors[i].kind,
				tensors[i].size, i);
	lossy_model_code(m);
	for (size_t i = 0; i < m->n; i++) {
		const struct lossy_tensor *t = &m->tensors[i];
		uint8_t *decoded = malloc(t->bytes + DFS_VALUES_PAD);

		if (t->prepared == 0) {
			CHECKED(lossy_model_decode(t, m->lossy->codec, dfs_cpu_best(), decoded) == 0);
			for (size_t k = 0; k < t->n_chunks; k++)
				put(file, t, codec, k, decoded);
		}
		free(decoded);
	}
	lossy_model_free(m);
}

static uint8_t *take(FILE *file, size_t len)
{
	uint8_t *bytes = calloc(1, len + DFS_PAYLOAD_PAD);

	CHECKED(bytes && fread(bytes, 1, len, file) == len);
	return bytes;
}

static void read_one(FILE *file, const uint64_t *fields)
{
	struct dfs_block block = {
		.shape = { .dtype = (uint8_t)fields[1], .rows = fields[2], .cols = fields[3] },
		.first = fields[4],
		.n = fields[5],
	};
	size_t bytes = block.n * dfs_dtype_info(block.shape.dtype)->size;
	uint8_t *table = take(file, fields[6]), *payload = take(file, fields[7]);
	uint8_t *pred = take(file, bytes), *want = take(file, bytes), *out = calloc(1, bytes + DFS_VALUES_PAD);
	struct dfs_scratch *scratch = dfs_scratch_new();
	const struct dfs_codec *codec;
	struct dfs_table *opened;
	int code;

	block.pred = pred;
	codec = dfs_codec_find((unsigned)fields[0], &code, NULL);
	CHECKED(codec != NULL && scratch != NULL && out != NULL);
	CHECKED(codec->table_open(block.shape, (struct dfs_span){ table, fields[6] }, false, &opened, NULL) == 0);
	CHECKED(codec->decode(&block, (struct dfs_span){ payload, fields[7] }, opened, out, scratch, NULL) == 0);
	CHECKED(memcmp(out, want, bytes) == 0);
	dfs_table_close(opened);
	dfs_scratch_free(scratch);
	free(table);
	free(payload);
	free(pred);
	free(want);
	free(out);
}

static void read_all(FILE *file)
{
	uint8_t head[8 * FIELDS];
	unsigned n = 0;

	while (fread(head, 1, sizeof(head), file) == sizeof(head)) {
		uint64_t fields[FIELDS];

		for (unsigned k = 0; k < FIELDS; k++)
			fields[k] = dfs_get_u64le(head + 8 * k);
		read_one(file, fields);
		n++;
	}
	CHECKED(n > 0);
	printf("%u chunks\n", n);
}

int main(int argc, char **argv)
{
	bool writes = argc == 5 && !strcmp(argv[1], "write");
	FILE *file;

	if (!writes && !(argc == 3 && !strcmp(argv[1], "read"))) {
		fprintf(stderr, "usage: lossy_cross write FILE CODEC OPTIONS | read FILE\n");
		return 2;
	}
	file = fopen(argv[2], writes ? "wb" : "rb");
	CHECKED(file != NULL);
	if (writes)
		write_all(file, (unsigned)dfs_codec_parse(argv[3]), argv[4]);
	else
		read_all(file);
	CHECKED(fclose(file) == 0);
	return 0;
}
