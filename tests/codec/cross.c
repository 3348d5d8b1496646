/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cross: writes payloads of every dtype, kind and exact codec to a file, or
 * reads such a file and compares what it decodes with the values it was made
 * from, which are the same on every machine. Then the same of predictions:
 * values of every dtype as every other, and rounded; and of what codecs that
 * give up bits make of any table and payload. For test_cross.sh.
 *
 *	cross write FILE
 *	cross read FILE
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "samples.h"
#include "tensor/convert.h"

static const unsigned codecs[] = {
	DFS_CODEC_COPY, DFS_CODEC_STORED, DFS_CODEC_DIFF, DFS_CODEC_SPARSE, DFS_CODEC_SOLO,
};
#define N_CODECS (sizeof(codecs) / sizeof(*codecs))

/* zstd is its own authors' to test, and not at hand for every machine. */
static bool no_values(struct dfs_shape shape)
{
	(void)shape;
	return false;
}

const struct dfs_codec dfs_codec_zstd = { .name = "zstd", .accepts = no_values };

static const struct {
	unsigned cols;
	uint64_t first;
	size_t n;
} blocks[] = { { 0, 0, 5000 }, { 0, 0, 333 }, { 100, 12345, 9000 } };
#define N_BLOCKS (sizeof(blocks) / sizeof(*blocks))
#define PREDICTIONS 4096 /* values of each pair of dtypes */

struct job {
	unsigned codec;
	struct sample sample;
};

/* The jobs in order; false: after the last one. Those whose codec takes no such values are left out. */
static bool next_job(unsigned *number, struct job *ret_job)
{
	for (; *number < DFS_DTYPES * 2 * KINDS * N_BLOCKS * N_CODECS; ++*number) {
		unsigned i = *number, block, kind, code;
		struct dfs_shape shape = { .rows = 1 << 20 };

		ret_job->codec = codecs[i % N_CODECS];
		block = (i /= N_CODECS) % N_BLOCKS;
		kind = (i /= N_BLOCKS) % KINDS;
		shape.dtype = (i /= KINDS) % DFS_DTYPES;
		shape.cols = blocks[block].cols;
		shape.drop = i / DFS_DTYPES ? dfs_dtype_info(shape.dtype)->mantissa / 2 : 0;
		if (!dfs_codec_find(ret_job->codec, (int *)&code, NULL)->accepts(shape))
			continue;
		ret_job->sample = sample_make(shape, blocks[block].first, blocks[block].n, kind, i + 1);
		++*number;
		return true;
	}
	return false;
}

static void put_part(FILE *f, const void *data, size_t len)
{
	uint8_t head[4];

	dfs_put_u32le(head, len);
	fwrite(head, 1, 4, f);
	fwrite(data, 1, len, f);
}

/* Reads a part, with padding behind it. */
static uint8_t *get_part(FILE *f, size_t *ret_len)
{
	uint8_t head[4], *data;

	if (fread(head, 1, 4, f) != 4)
		return NULL;
	*ret_len = dfs_get_u32le(head);
	data = calloc(1, *ret_len + DFS_PAYLOAD_PAD);
	if (data && fread(data, 1, *ret_len, f) != *ret_len) {
		free(data);
		return NULL;
	}
	return data;
}

static void write_job(FILE *f, const struct job *job)
{
	struct coded coded;
	int ret = sample_code(&job->sample, job->codec, &coded);

	put_part(f, &(uint8_t){ ret == 0 }, 1);
	put_part(f, coded.table.data, ret == 0 ? coded.table.len : 0);
	put_part(f, coded.payload, ret == 0 ? coded.len : 0);
	coded_free(&coded);
}

static bool decodes(const struct job *job, struct dfs_span table, struct dfs_span payload)
{
	const struct sample *s = &job->sample;
	uint8_t *out = calloc(1, s->bytes + DFS_VALUES_PAD);
	struct dfs_table *opened = NULL;
	int code;
	bool good = true;

	if (table.len)
		good = dfs_codec_find(job->codec, &code, NULL)->table_open(s->block.shape, table, false,
									  &opened, NULL) == 0;
	for (int level = 0; good && level < DFS_CPU_LEVELS; level++)
		good = sample_decode(s, job->codec, payload, opened, level, out) == 0 &&
		       memcmp(out, s->data, s->bytes) == 0;
	dfs_table_close(opened);
	free(out);
	return good;
}

static bool read_job(FILE *f, const struct job *job)
{
	size_t one, table_len, payload_len;
	uint8_t *coded = get_part(f, &one);
	uint8_t *table = coded ? get_part(f, &table_len) : NULL;
	uint8_t *payload = table ? get_part(f, &payload_len) : NULL;
	bool good = payload && one == 1;

	if (good && *coded)
		good = decodes(job, (struct dfs_span){ table, table_len },
			       (struct dfs_span){ payload, payload_len });
	free(coded);
	free(table);
	free(payload);
	return good;
}

/* Values of @from whose high and low bits take many forms, as those of @to with @drop low bits rounded away. */
static void predict(enum dfs_dtype from, enum dfs_dtype to, unsigned drop, uint8_t *out)
{
	struct sample kinds[] = {
		sample_make((struct dfs_shape){ .dtype = from }, 0, PREDICTIONS / 2, FAR, from + to),
		sample_make((struct dfs_shape){ .dtype = from }, 0, PREDICTIONS / 2, SPECIAL, from + to),
	};

	for (unsigned i = 0; i < 2; i++) {
		size_t n = kinds[i].block.n;

		dfs_convert(from, to, kinds[i].data, out, n);
		dfs_round_low(to, drop, out, n);
		out += n * dfs_dtype_info(to)->size;
		sample_free(&kinds[i]);
	}
}

/* Return: how many predictions there are; those read that are others than here are counted. */
static unsigned run_predictions(FILE *f, bool writing, unsigned *wrong)
{
	uint8_t out[PREDICTIONS * 8];
	unsigned n = 0;

	for (unsigned i = 0; i < DFS_DTYPES * DFS_DTYPES * 2; i++) {
		unsigned from = i / 2 / DFS_DTYPES, to = i / 2 % DFS_DTYPES;
		size_t len = PREDICTIONS * (size_t)dfs_dtype_info(to)->size, got;
		uint8_t *part;

		if (!dfs_can_convert(from, to))
			continue;
		n++;
		predict(from, to, i % 2 ? dfs_dtype_info(to)->mantissa / 2 : 0, out);
		if (writing) {
			put_part(f, out, len);
			continue;
		}
		part = get_part(f, &got);
		*wrong += !part || got != len || memcmp(part, out, len);
		free(part);
	}
	return n;
}

#define GIVEN_UP 700 /* values of each, in rows of 70 */

/* bitdelta: @k rounds of scales and signs of all kinds, as the page allows them, over predictions of all kinds. */
static void give_up(const struct sample *s, unsigned what, unsigned k, uint64_t seed, enum dfs_cpu level, uint8_t *out)
{
	const struct dfs_codec *codec = dfs_codec_find(DFS_CODEC_BITDELTA, &(int){ 0 }, NULL);
	size_t units = what == 0 ? 1 : what == 1 ? s->block.shape.rows : s->block.shape.cols, len = 4 + 2 * k * units;
	uint8_t table_bytes[4 + 2 * 8 * 70], payload[8 * (GIVEN_UP + 7) / 8];
	struct dfs_table *table = NULL;

	for (size_t i = 0; i < len; i++)
		table_bytes[i] = (uint8_t)random_next(&seed) % (i % 2 ? 0x7c : 0x100);
	table_bytes[0] = (uint8_t)what;
	table_bytes[1] = (uint8_t)k;
	table_bytes[2] = (uint8_t)(s->block.shape.dtype == DFS_F16 ? -20 : (int)(random_next(&seed) % 233) - 125);
	table_bytes[3] = 0;
	for (size_t i = 0; i < k * ((GIVEN_UP + 7) / 8); i++)
		payload[i] = (uint8_t)random_next(&seed) & (i % ((GIVEN_UP + 7) / 8) == GIVEN_UP / 8 ? 0x0f : 0xff);
	if (codec->table_open(s->block.shape, (struct dfs_span){ table_bytes, len }, false, &table, NULL) < 0 ||
	    sample_decode(s, DFS_CODEC_BITDELTA, (struct dfs_span){ payload, k * ((GIVEN_UP + 7) / 8) }, table, level, out) < 0)
		memset(out, 0x5a, s->bytes);
	dfs_table_close(table);
}

/* Return: how many tensors were given up; those that come out other than they were written are counted. */
static unsigned run_given_up(FILE *f, bool writing, unsigned *wrong)
{
	static const uint8_t dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };
	unsigned n = 0;

	for (; n < 3 * 3 * 8 * 2; n++) {
		struct dfs_shape shape = { .dtype = dtypes[n % 3], .cols = 70, .rows = GIVEN_UP / 70 };
		struct sample s = sample_make(shape, 0, GIVEN_UP, n / 72 ? FAR : SPECIAL, n + 1);
		uint8_t out[GIVEN_UP * 4 + DFS_VALUES_PAD], *part;
		size_t got;

		part = writing ? NULL : get_part(f, &got);
		for (int level = 0; level < (writing ? 1 : DFS_CPU_LEVELS); level++) {
			give_up(&s, n / 3 % 3, n / 9 % 8 + 1, n, level, out);
			if (writing)
				put_part(f, out, s.bytes);
			else
				*wrong += !part || got != s.bytes || memcmp(part, out, got);
		}
		free(part);
		sample_free(&s);
	}
	return n;
}

int main(int argc, char **argv)
{
	bool writing = argc == 3 && !strcmp(argv[1], "write");
	FILE *f = argc == 3 ? fopen(argv[2], writing ? "w" : "r") : NULL;
	unsigned number = 0, n = 0, wrong = 0, predictions, given_up;
	struct job job;

	if (!f) {
		fprintf(stderr, "usage: cross write|read FILE\n");
		return 2;
	}
	while (next_job(&number, &job)) {
		n++;
		if (writing)
			write_job(f, &job);
		else if (!read_job(f, &job))
			wrong++;
		sample_free(&job.sample);
	}
	predictions = run_predictions(f, writing, &wrong);
	given_up = run_given_up(f, writing, &wrong);
	if (fclose(f) != 0)
		wrong++;
	printf("cross: %u payloads, %u predictions and %u tensors given up %s, %u wrong\n", n, predictions, given_up,
	       writing ? "written" : "read", wrong);
	return wrong != 0;
}
