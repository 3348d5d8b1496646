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
#include "model.h"

#define DCT DFS_CODEC_DELTA_DCT

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
	struct model *m = data;

	model_add(m, DFS_BF16, 160, 160, PATCHY, 1e-3, 6);
	return model_code(m) == 0 ? m : NULL;
}

static void threads_may_encode_at_once(void **state)
{
	pthread_t threads[4];
	struct model *models[4];
	void *done;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		models[i] = model_new(DCT, "p=32,bits=3:0.5/0:0.5");
		CHECK(pthread_create(&threads[i], NULL, encode_in_thread, models[i]) == 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		CHECK(pthread_join(threads[i], &done) == 0 && done);
		CHECK(driven_same(models[i]->coded, models[0]->coded));
	}
	for (unsigned i = 0; i < 4; i++)
		model_free(models[i]);
}

/* --- what nobody wrote */

static const char *const damaged[] = { "p=8,bits=3:0.2/2:0.3/0:0.5", "codes=16", "levels=minmax,codes=16,bits=5:0.5/1:0.5",
				       "p=32,bits=1:1", "p=8,bits=0:1", NULL };

static struct model *given(const char *options)
{
	struct model *m = model_new(DCT, options);

	model_add(m, DFS_BF16, 70, 90, PATCHY, 1e-3, 7);
	CHECK_RET(0, model_code(m));
	CHECK(m->coded->n_chunks == 1);
	return m;
}

/* With buffers that end where they may; on all levels. */
static int decode(const struct driven *d, size_t table_len, uint8_t *payload, size_t len)
{
	struct driven_chunk chunk = { 0, d->matrix->n, payload, len };
	struct dfs_table *table;
	int ret = driven_open(d, d->table.data, table_len, false, &table);

	if (ret == 0)
		ret = driven_agree(d, table, &chunk);
	dfs_table_close(table);
	return ret;
}

static void truncated_ones_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; damaged[i]; i++) {
		struct model *m = given(damaged[i]);
		struct driven *d = m->coded;
		uint8_t *longer = calloc(1, d->chunks->len + 1);

		CHECK_RET(0, decode(d, d->table.len, d->chunks->payload, d->chunks->len));
		for (size_t len = 0; len < d->table.len; len++)
			CHECK_RET(-EUCLEAN, decode(d, len, d->chunks->payload, d->chunks->len));
		for (size_t len = 0; len < d->chunks->len; len += len < 200 ? 1 : 37)
			CHECK_RET(-EUCLEAN, decode(d, d->table.len, d->chunks->payload, len));
		memcpy(longer, d->chunks->payload, d->chunks->len);
		CHECK_RET(-EUCLEAN, decode(d, d->table.len, longer, d->chunks->len + 1));
		free(longer);
		model_free(m);
	}
}

static void flipped_bits_are_harmless(void **state)
{
	(void)state;
	for (unsigned i = 0; damaged[i]; i++) {
		struct model *m = given(damaged[i]);
		struct driven *d = m->coded;
		unsigned refused = 0;

		for (size_t bit = 0; bit < 8 * d->table.len; bit++) {
			d->table.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			refused += decode(d, d->table.len, d->chunks->payload, d->chunks->len) != 0;
			d->table.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		CHECK(refused > 20);
		for (size_t bit = 0; bit < 8 * d->chunks->len; bit += bit < 2000 ? 1 : 97) {
			d->chunks->payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
			decode(d, d->table.len, d->chunks->payload, d->chunks->len);
			d->chunks->payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		model_free(m);
	}
}

/* The largest numbers and scales that a table may have: what comes out is finite before it is rounded. */
static void largest_numbers_stay_finite(void **state)
{
	static const size_t maps[] = { 27, 4, 4, 0, 0 };	/* bytes of the maps: 108 patches of 2 bits, 30 of one */

	(void)state;
	for (unsigned i = 0; damaged[i]; i++) {
		struct model *m = given(damaged[i]);
		struct driven *d = m->coded;
		uint8_t *out = malloc(d->matrix->bytes), *table = d->table.data;

		dfs_put_u32le(table + 4, 0x67800000);	/* 2^80 */
		dfs_put_u32le(table + 8, 0x67800000);
		dfs_put_u32le(table + 12, 0x47800000);	/* 2^16 */
		for (size_t k = maps[i]; k < d->chunks->len; k++)	/* numbers of two bytes become 65504 */
			d->chunks->payload[k] = (k - maps[i]) % 2 ? 0x7b : 0xff;
		driven_decode_alike(d, out);
		free(matrix_deltas(d->matrix, out));	/* all finite, or it would not return */
		dfs_put_u32le(table + 12, 0x47800001);
		CHECK_RET(-EUCLEAN, driven_decode(d, (struct way){ .level = dfs_cpu_best() }, out));
		dfs_put_u32le(table + 12, 0x7fc00000);	/* NaN */
		CHECK_RET(-EUCLEAN, driven_decode(d, (struct way){ .level = dfs_cpu_best() }, out));
		free(out);
		model_free(m);
	}
}

static void chunks_that_are_no_rows_are_refused(void **state)
{
	struct model *m = given("");
	struct driven *d = m->coded;
	const struct dfs_codec *codec = d->lossy->codec;
	struct driven_chunk chunk = *d->chunks;
	struct dfs_table *table;

	(void)state;
	CHECK_RET(0, driven_open(d, d->table.data, d->table.len, false, &table));
	CHECK_RET(0, driven_agree(d, table, &chunk));
	chunk.n--;
	CHECK_RET(-EUCLEAN, driven_agree(d, table, &chunk));
	chunk.n++;
	chunk.first = 1;	/* and a value more than there are: matrices have some behind them */
	CHECK_RET(-EUCLEAN, driven_agree(d, table, &chunk));
	CHECK(codec->accepts(d->matrix->shape));
	CHECK(!codec->accepts((struct dfs_shape){ .dtype = DFS_BF16, .rows = 0, .cols = 0 }));
	CHECK(!codec->accepts((struct dfs_shape){ .dtype = DFS_F64, .rows = 16, .cols = 16 }));
	CHECK(!codec->accepts((struct dfs_shape){ .dtype = DFS_F32, .drop = 16, .rows = 16, .cols = 16 }));
	dfs_table_close(table);
	model_free(m);
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
