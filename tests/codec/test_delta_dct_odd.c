/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_delta_dct_odd: delta-dct with options, chunks and threads as they come,
 * and with tables and payloads that nobody wrote (these mean most under
 * AddressSanitizer).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "../check.h"
#include "driven.h"

#define DCT DFS_CODEC_DELTA_DCT

static double patchy(uint64_t *state, uint64_t row, uint64_t col)
{
	return 1e-3 * (double)(1 + (row / 16 * 7 + col / 16 * 5) % 8) * draw_normal(state);
}

static void options_are_checked(void **state)
{
	static const char *const good[] = { "p=8,bits=1:1", "bits=8:.125/7:.125/6:.125/5:.125/4:.125/3:.125/2:.125/1:.125",
					    "bits=0:0.33/1:0.33/2:0.33", "levels=minmax,codes=16", NULL };
	static const char *const bad[] = { "p=12", "bits=", "bits=2", "bits=2:0.5", "bits=2:0.5/2:0.5", "bits=9:1",
					   "bits=1.5:1", "bits=2:0.5,0:0.5", "bits=2:-1/0:2", "bits=2:nan/0:1", "bits=-1:1",
					   "bits=2:0.5/0:0.5/", "bits=2:0.5x/0:0.5", "levels=max", "codes=12", "q=1",
					   "bits=8:.1/7:.1/6:.1/5:.1/4:.1/3:.1/2:.1/1:.1/0:.2", NULL };
	uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	struct dfs_err err;

	(void)state;
	for (unsigned i = 0; good[i]; i++)
		CHECK_OK(dfs_lossy_parse(dfs_lossy_find(DCT), good[i], options, &err), err);
	for (unsigned i = 0; bad[i]; i++) {
		err.text[0] = '\0';
		CHECK_RET(-EINVAL, dfs_lossy_parse(dfs_lossy_find(DCT), bad[i], options, &err));
		CHECK(err.text[0]);
	}
}

static void chunks_are_whole_strips(void **state)
{
	static const unsigned sides[] = { 8, 16, 32, 64 };
	const struct dfs_lossy *dct = dfs_lossy_find(DCT);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		char text[16];
		uint8_t options[DFS_LOSSY_OPTIONS_MAX];

		snprintf(text, sizeof(text), "p=%u", sides[i]);
		CHECK_RET(0, dfs_lossy_parse(dct, text, options, NULL));
		for (uint64_t cols = 1; cols < 200000; cols = cols * 3 / 2 + 1)
			for (uint64_t rows = 1; rows < 5000; rows = rows * 3 / 2 + 1) {
				struct dfs_shape shape = { .dtype = DFS_BF16, .rows = rows, .cols = cols };
				uint64_t got = dct->chunk_rows(options, shape), most = (256 << 10) / 2 / cols / sides[i];

				CHECK(got % sides[i] == 0 && got > 0 && got < rows + sides[i]);
				CHECK(got <= (most ? most : 1) * sides[i]);
				CHECK(got >= rows || got > most / 2 * sides[i]);
			}
	}
}

static void *encode_in_thread(void *data)
{
	struct driven *d = data;
	struct matrix m = matrix_make(DFS_BF16, 160, 160, patchy, 6);
	int ret = driven_encode(DCT, "p=32,bits=3:0.5/0:0.5", &m, dfs_cpu_best(), false, d);

	matrix_free(&m);
	return ret == 0 ? d : NULL;
}

static void threads_may_encode_at_once(void **state)
{
	pthread_t threads[4];
	struct driven d[4];
	void *done;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, encode_in_thread, &d[i]) == 0);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(pthread_join(threads[i], &done) == 0 && done);
		CHECK(d[i].table.len == d[0].table.len && d[i].lens[0] == d[0].lens[0]);
		CHECK_BYTES(d[i].table.data, d[0].table.data, d[0].table.len);
		CHECK_BYTES(d[i].payloads[0], d[0].payloads[0], d[0].lens[0]);
	}
	for (unsigned i = 0; i < 4; i++)
		driven_free(&d[i]);
}

/* --- what nobody wrote */

static const char *const damaged[] = { "p=8,bits=3:0.2/2:0.3/0:0.5", "codes=16", "levels=minmax,codes=16,bits=5:0.5/1:0.5",
				       "p=32,bits=1:1", "p=8,bits=0:1", NULL };

struct parts {
	struct matrix m;
	struct driven d;
};

static struct parts parts_of(const char *options)
{
	struct parts p = { .m = matrix_make(DFS_BF16, 70, 90, patchy, 7) };

	CHECK_RET(0, driven_encode(DCT, options, &p.m, dfs_cpu_best(), false, &p.d));
	CHECK(p.d.n_chunks == 1);
	return p;
}

static void parts_free(struct parts *p)
{
	driven_free(&p->d);
	matrix_free(&p->m);
}

/* With buffers that end where they may; on all levels. Return: what plain C returned. */
static int decode(const struct parts *p, const uint8_t *table, size_t table_len, const uint8_t *payload, size_t len)
{
	const struct dfs_codec *codec = p->d.lossy->codec;
	uint8_t *table_copy = malloc(table_len ? table_len : 1), *copy = calloc(1, len + DFS_PAYLOAD_PAD);
	uint8_t *out[DFS_CPU_LEVELS] = { NULL };
	struct dfs_block b = driven_block(&p->d, 0, p->m.pred);
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_table *opened = NULL;
	int ret, first = 0;

	memcpy(table_copy, table, table_len);
	memcpy(copy, payload, len);
	ret = codec->table_open(p->m.shape, (struct dfs_span){ table_copy, table_len }, false, &opened, NULL);
	for (unsigned level = 0; ret == 0 && level < DFS_CPU_LEVELS; level++) {
		int now;

		out[level] = calloc(1, p->m.bytes + DFS_VALUES_PAD);
		dfs_scratch_set_cpu(scratch, level);
		now = codec->decode(&b, (struct dfs_span){ copy, len }, opened, out[level], scratch, NULL);
		first = level ? first : now;
		CHECK(now == first && (now == 0 || now == -EUCLEAN));
		if (now == 0)
			CHECK_BYTES(out[level], out[0], p->m.bytes);
	}
	for (unsigned level = 0; level < DFS_CPU_LEVELS; level++)
		free(out[level]);
	CHECK(ret == 0 || ret == -EUCLEAN);
	dfs_table_close(opened);
	dfs_scratch_free(scratch);
	free(table_copy);
	free(copy);
	return ret ? ret : first;
}

static void truncated_ones_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; damaged[i]; i++) {
		struct parts p = parts_of(damaged[i]);
		const struct driven *d = &p.d;
		uint8_t *longer = calloc(1, d->lens[0] + 1);

		CHECK_RET(0, decode(&p, d->table.data, d->table.len, d->payloads[0], d->lens[0]));
		for (size_t len = 0; len < d->table.len; len++)
			CHECK_RET(-EUCLEAN, decode(&p, d->table.data, len, d->payloads[0], d->lens[0]));
		for (size_t len = 0; len < d->lens[0]; len += len < 200 ? 1 : 37)
			CHECK_RET(-EUCLEAN, decode(&p, d->table.data, d->table.len, d->payloads[0], len));
		memcpy(longer, d->payloads[0], d->lens[0]);
		CHECK_RET(-EUCLEAN, decode(&p, d->table.data, d->table.len, longer, d->lens[0] + 1));
		free(longer);
		parts_free(&p);
	}
}

static void flipped_bits_are_harmless(void **state)
{
	(void)state;
	for (unsigned i = 0; damaged[i]; i++) {
		struct parts p = parts_of(damaged[i]);
		const struct driven *d = &p.d;
		unsigned refused = 0;

		for (size_t bit = 0; bit < 8 * d->table.len; bit++) {
			d->table.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			refused += decode(&p, d->table.data, d->table.len, d->payloads[0], d->lens[0]) != 0;
			d->table.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		CHECK(refused > 20);
		for (size_t bit = 0; bit < 8 * d->lens[0]; bit += bit < 2000 ? 1 : 97) {
			d->payloads[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
			decode(&p, d->table.data, d->table.len, d->payloads[0], d->lens[0]);
			d->payloads[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		parts_free(&p);
	}
}

/* The largest numbers and scales that a table may have: what comes out is finite before it is rounded. */
static void largest_numbers_stay_finite(void **state)
{
	static const size_t maps[] = { 27, 4, 4, 0, 0 };	/* bytes of the maps: 108 patches of 2 bits, 30 of one */

	(void)state;
	for (unsigned i = 0; damaged[i]; i++) {
		struct parts p = parts_of(damaged[i]);
		float *delta = calloc(p.m.values, sizeof(*delta));
		uint8_t *out = calloc(1, p.m.bytes + DFS_VALUES_PAD), *table = p.d.table.data;

		dfs_put_u32le(table + 4, 0x67800000);	/* 2^80 */
		dfs_put_u32le(table + 8, 0x67800000);
		dfs_put_u32le(table + 12, 0x47800000);	/* 2^16 */
		for (size_t k = maps[i]; k < p.d.lens[0]; k++)	/* numbers of two bytes become 65504 */
			p.d.payloads[0][k] = (k - maps[i]) % 2 ? 0x7b : 0xff;
		CHECK_RET(0, driven_decode(&p.d, &p.m, dfs_cpu_best(), out));
		CHECK(dfs_delta(DFS_BF16, out, p.m.pred, delta, p.m.values));
		dfs_put_u32le(table + 12, 0x47800001);
		CHECK_RET(-EUCLEAN, driven_decode(&p.d, &p.m, dfs_cpu_best(), out));
		dfs_put_u32le(table + 12, 0x7fc00000);	/* NaN */
		CHECK_RET(-EUCLEAN, driven_decode(&p.d, &p.m, dfs_cpu_best(), out));
		free(delta);
		free(out);
		parts_free(&p);
	}
}

static void chunks_that_are_no_rows_are_refused(void **state)
{
	struct parts p = parts_of("");
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_block b = driven_block(&p.d, 0, p.m.pred);
	struct dfs_table *opened = NULL;
	uint8_t *out = calloc(1, p.m.bytes + DFS_VALUES_PAD);
	struct dfs_span payload = { p.d.payloads[0], p.d.lens[0] };
	const struct dfs_codec *codec = p.d.lossy->codec;

	(void)state;
	CHECK_RET(0, codec->table_open(p.m.shape, (struct dfs_span){ p.d.table.data, p.d.table.len }, false, &opened, NULL));
	CHECK_RET(0, codec->decode(&b, payload, opened, out, scratch, NULL));
	b.n--;
	CHECK_RET(-EUCLEAN, codec->decode(&b, payload, opened, out, scratch, NULL));
	b.n++;
	b.first = 1;
	CHECK_RET(-EUCLEAN, codec->decode(&b, payload, opened, out, scratch, NULL));
	CHECK(codec->accepts(p.m.shape));
	CHECK(!codec->accepts((struct dfs_shape){ .dtype = DFS_BF16, .rows = 0, .cols = 0 }));
	CHECK(!codec->accepts((struct dfs_shape){ .dtype = DFS_F64, .rows = 16, .cols = 16 }));
	CHECK(!codec->accepts((struct dfs_shape){ .dtype = DFS_F32, .drop = 16, .rows = 16, .cols = 16 }));
	dfs_table_close(opened);
	dfs_scratch_free(scratch);
	free(out);
	parts_free(&p);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(options_are_checked),
	cmocka_unit_test(chunks_are_whole_strips),
	cmocka_unit_test(threads_may_encode_at_once),
	cmocka_unit_test(truncated_ones_are_refused),
	cmocka_unit_test(flipped_bits_are_harmless),
	cmocka_unit_test(largest_numbers_stay_finite),
	cmocka_unit_test(chunks_that_are_no_rows_are_refused),
};

CHECK_MAIN(cases)
