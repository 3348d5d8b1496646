/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_cases: tensors that lossy codecs wrote, with what they decode to, for
 * readers that are to decode the same: lossy_reader.py, and this program on
 * other machines.
 *
 *	lossy_cases write FILE
 *	lossy_cases read FILE
 *
 * A case is: u32 codec, u32 dtype, u64 rows, u64 cols, u64 values in a chunk;
 * then, each behind its length (u32): table, predictions, decoded values, and
 * the payload of each chunk. All little endian.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "driven.h"

#define HEAD 32

static const struct {
	unsigned codec;
	const char *options;
	unsigned dtype;
	unsigned rows, cols;
} cases[] = {
	{ DFS_CODEC_DELTA_DCT, "", DFS_BF16, 64, 64 },
	{ DFS_CODEC_DELTA_DCT, "", DFS_F16, 150, 1100 },
	{ DFS_CODEC_DELTA_DCT, "codes=16", DFS_F32, 40, 50 },
	{ DFS_CODEC_DELTA_DCT, "levels=minmax", DFS_BF16, 40, 50 },
	{ DFS_CODEC_DELTA_DCT, "levels=minmax,codes=16,bits=3:0.3/1:0.7", DFS_F32, 40, 50 },
	{ DFS_CODEC_DELTA_DCT, "p=8,bits=8:.125/7:.125/6:.125/5:.125/4:.125/3:.125/2:.125/1:.125", DFS_F32, 50, 90 },
	{ DFS_CODEC_DELTA_DCT, "p=32,bits=4:0.2/2:0.3/1:0.2/0:0.3", DFS_BF16, 100, 130 },
	{ DFS_CODEC_DELTA_DCT, "p=64,bits=1:1", DFS_F16, 64, 130 },
	{ DFS_CODEC_DELTA_DCT, "p=8,bits=0:1", DFS_BF16, 9, 70 },
};

static double patchy(uint64_t *state, uint64_t row, uint64_t col)
{
	return 1e-3 * (double)(1 + (row / 16 * 7 + col / 16 * 5) % 8) * draw_normal(state);
}

static void end(const char *what)
{
	fprintf(stderr, "lossy_cases: %s\n", what);
	exit(1);
}

static void put_part(FILE *f, const void *data, size_t len)
{
	uint8_t head[4];

	dfs_put_u32le(head, (uint32_t)len);
	fwrite(head, 1, sizeof(head), f);
	fwrite(data, 1, len, f);
}

/* With @pad bytes behind it. */
static uint8_t *get_part(FILE *f, size_t pad, size_t *ret_len)
{
	uint8_t head[4], *data;

	if (fread(head, 1, sizeof(head), f) != sizeof(head))
		end("too short");
	*ret_len = dfs_get_u32le(head);
	data = calloc(1, *ret_len + pad);
	if (!data || fread(data, 1, *ret_len, f) != *ret_len)
		end("too short");
	return data;
}

/* Some predictions are infinite, NaN or -0. */
static void spoil(struct matrix *m)
{
	static const uint16_t special[] = { 0x7f80, 0xff80, 0x7fc1, 0x8000, 0 };

	for (size_t i = 0; i < m->values; i += 301)
		if (m->shape.dtype == DFS_BF16)
			dfs_put_u16le(m->pred + 2 * i, special[i % 5]);
}

static void write_case(FILE *f, size_t i)
{
	struct matrix m = matrix_make(cases[i].dtype, cases[i].rows, cases[i].cols, patchy, i);
	uint8_t head[HEAD], *out = calloc(1, m.bytes + DFS_VALUES_PAD);
	struct driven d;

	if (!out || driven_encode(cases[i].codec, cases[i].options, &m, dfs_cpu_best(), false, &d) < 0)
		end("not encoded");
	spoil(&m);
	if (driven_decode(&d, &m, dfs_cpu_best(), out) < 0)
		end("not decoded");
	dfs_put_u32le(head, cases[i].codec);
	dfs_put_u32le(head + 4, cases[i].dtype);
	dfs_put_u64le(head + 8, m.shape.rows);
	dfs_put_u64le(head + 16, m.shape.cols);
	dfs_put_u64le(head + 24, d.chunk_values);
	fwrite(head, 1, sizeof(head), f);
	put_part(f, d.table.data, d.table.len);
	put_part(f, m.pred, m.bytes);
	put_part(f, out, m.bytes);
	for (size_t k = 0; k < d.n_chunks; k++)
		put_part(f, d.payloads[k], d.lens[k]);
	free(out);
	driven_free(&d);
	matrix_free(&m);
}

/* Return: chunks that did not become what they were on the machine that wrote them. */
static unsigned read_case(FILE *f, const uint8_t *head)
{
	struct dfs_block b = { .shape = { .dtype = head[4], .rows = dfs_get_u64le(head + 8), .cols = dfs_get_u64le(head + 16) } };
	size_t table_len, bytes, len, chunk = dfs_get_u64le(head + 24), values = b.shape.rows * b.shape.cols;
	uint8_t *table = get_part(f, 0, &table_len), *pred = get_part(f, DFS_VALUES_PAD, &bytes);
	uint8_t *want = get_part(f, 0, &bytes), *out = calloc(1, bytes + DFS_VALUES_PAD);
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_table *opened;
	unsigned wrong = 0;
	int code;
	const struct dfs_codec *codec = dfs_codec_find(dfs_get_u32le(head), &code, NULL);

	if (!codec || codec->table_open(b.shape, (struct dfs_span){ table, table_len }, false, &opened, NULL) < 0)
		end("a table is refused");
	for (b.first = 0; b.first < values; b.first += chunk) {
		uint8_t *payload = get_part(f, DFS_PAYLOAD_PAD, &len);
		size_t at = bytes / values * b.first;

		b.n = values - b.first < chunk ? values - b.first : chunk;
		b.pred = pred + at;
		for (unsigned level = 0; level < DFS_CPU_LEVELS; level++) {
			dfs_scratch_set_cpu(scratch, level);
			wrong += codec->decode(&b, (struct dfs_span){ payload, len }, opened, out, scratch, NULL) < 0 ||
				 memcmp(out, want + at, bytes / values * b.n) != 0;
		}
		free(payload);
	}
	dfs_table_close(opened);
	dfs_scratch_free(scratch);
	free(table);
	free(pred);
	free(want);
	free(out);
	return wrong;
}

int main(int argc, char **argv)
{
	bool writing = argc == 3 && !strcmp(argv[1], "write");
	FILE *f = argc == 3 ? fopen(argv[2], writing ? "w" : "r") : NULL;
	unsigned wrong = 0, n = 0;
	uint8_t head[HEAD];

	if (!f) {
		fprintf(stderr, "usage: lossy_cases write|read FILE\n");
		return 2;
	}
	if (writing)
		for (; n < sizeof(cases) / sizeof(*cases); n++)
			write_case(f, n);
	else
		for (; fread(head, 1, sizeof(head), f) == sizeof(head); n++)
			wrong += read_case(f, head);
	if (fclose(f) != 0 || n != sizeof(cases) / sizeof(*cases))
		wrong++;
	printf("lossy_cases: %u tensors %s, %u wrong\n", n, writing ? "written" : "read", wrong);
	return wrong != 0;
}
