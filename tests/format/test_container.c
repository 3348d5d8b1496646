/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_container: what is packed is unpacked; segments are found; opening is fast. */
#include "format/container.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "../check.h"
#include "samples.h"

static void same_bases(const struct dfs_container *a, const struct dfs_container *b)
{
	assert_int_equal(a->n_bases, b->n_bases);
	for (uint32_t i = 0; i < a->n_bases; i++) {
		CHECK(dfs_hash_equal(a->bases[i].hash, b->bases[i].hash));
		CHECK(dfs_hash_equal(a->bases[i].model, b->bases[i].model));
		assert_int_equal(a->bases[i].size, b->bases[i].size);
		assert_string_equal(a->bases[i].name, b->bases[i].name);
		assert_string_equal(a->bases[i].origin, b->bases[i].origin);
	}
}

static void same_segments(const struct dfs_container *a, const struct dfs_container *b)
{
	assert_int_equal(a->n_segments, b->n_segments);
	for (uint32_t i = 0; i < a->n_segments; i++) {
		const struct dfs_segment *s = &a->segments[i], *t = &b->segments[i];

		CHECK(s->off == t->off && s->len == t->len && s->cols == t->cols);
		CHECK(s->first_chunk == t->first_chunk && s->n_chunks == t->n_chunks);
		CHECK(s->first_piece == t->first_piece && s->n_pieces == t->n_pieces);
		CHECK(s->first_table == t->first_table && s->n_tables == t->n_tables);
		CHECK(s->chunk_rows == t->chunk_rows && s->kind == t->kind && s->dtype == t->dtype);
		CHECK(s->drop == t->drop && s->predictor == t->predictor);
		CHECK(s->params_off == t->params_off && s->params_len == t->params_len);
	}
}

static void same_arrays(const struct dfs_container *a, const struct dfs_container *b)
{
	CHECK(a->n_pieces == b->n_pieces && a->n_tables == b->n_tables && a->n_chunks == b->n_chunks);
	for (uint32_t i = 0; i < a->n_pieces; i++) {
		const struct dfs_piece_record *p = &a->pieces[i], *q = &b->pieces[i];

		CHECK(p->len == q->len && p->base_off == q->base_off && p->file == q->file &&
		      p->dtype == q->dtype);
	}
	for (uint32_t i = 0; i < a->n_tables; i++)
		CHECK(a->tables[i].off == b->tables[i].off && a->tables[i].len == b->tables[i].len &&
		      a->tables[i].codec == b->tables[i].codec);
	for (uint32_t i = 0; i < a->n_chunks; i++) {
		const struct dfs_chunk_ref *p = &a->chunks[i], *q = &b->chunks[i];

		CHECK(p->off == q->off && p->len == q->len && p->codec == q->codec &&
		      p->payload_hash == q->payload_hash && p->decoded_hash == q->decoded_hash);
	}
	assert_int_equal(a->blob_len, b->blob_len);
	CHECK_BYTES(a->blob, b->blob, a->blob_len);
}

static void piece_starts_are_sums(const struct dfs_container *c)
{
	for (uint32_t i = 0; i < c->n_segments; i++) {
		const struct dfs_segment *s = &c->segments[i];
		uint64_t off = 0;

		for (uint32_t k = 0; k < s->n_pieces; k++) {
			assert_int_equal(c->piece_starts[s->first_piece + k], off);
			off += c->pieces[s->first_piece + k].len;
		}
	}
}

static void random_containers_come_back(void **state)
{
	struct random r = { 1 };

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct dfs_container *c = sample_new(&r, 12), *back = NULL;
		struct dfs_err err = { "" };
		struct dfs_buf meta = { 0 };

		sample_pack(c, &meta);
		CHECK_OK(dfs_container_unpack(&c->sb, (struct dfs_span){ meta.data, meta.len }, &back, &err), err);
		same_bases(c, back);
		same_segments(c, back);
		same_arrays(c, back);
		piece_starts_are_sums(back);
		dfs_container_free(back);
		dfs_buf_release(&meta);
		sample_free(c);
	}
}

static void packing_appends(void **state)
{
	struct random r = { 2 };
	struct dfs_container *c = sample_new(&r, 5);
	struct dfs_buf alone = { 0 }, behind = { 0 };

	(void)state;
	CHECK_RET(0, dfs_buf_append(&behind, "odd", 3));
	sample_pack(c, &alone);
	sample_pack(c, &behind);
	assert_int_equal(behind.len, alone.len + 3);
	CHECK_BYTES(behind.data + 3, alone.data, alone.len);
	dfs_buf_release(&alone);
	dfs_buf_release(&behind);
	sample_free(c);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct dfs_container c = { .blob_len = 1ull << 32 };
	struct dfs_buf meta = { 0 };

	(void)state;
	CHECK_RET(-E2BIG, dfs_container_pack(&c, &meta, NULL));
	assert_int_equal(meta.len, 0);
}

static void names_may_be_missing_when_packed(void **state)
{
	struct dfs_base_file base = { .size = 5 };
	struct dfs_container c = { .bases = &base, .n_bases = 1, .sb.meta_off = 256 }, *back;
	struct dfs_buf meta = { 0 };
	struct dfs_err err = { "" };

	(void)state;
	sample_pack(&c, &meta);
	CHECK_OK(dfs_container_unpack(&c.sb, (struct dfs_span){ meta.data, meta.len }, &back, &err), err);
	assert_string_equal(back->bases[0].name, "");
	assert_string_equal(back->bases[0].origin, "");
	dfs_container_free(back);
	dfs_buf_release(&meta);
}

/* The segment that a walk from the start finds. */
static uint32_t find_by_walking(const struct dfs_container *c, uint64_t off)
{
	for (uint32_t i = 0; i < c->n_segments; i++)
		if (off >= c->segments[i].off && off - c->segments[i].off < c->segments[i].len)
			return i;
	fail();
	return 0;
}

static void every_byte_is_in_one_segment(void **state)
{
	struct random r = { 3 };

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct dfs_container *c = sample_new(&r, 30);

		for (unsigned i = 0; i < 200 && c->sb.original_size; i++) {
			uint64_t off = random_below(&r, c->sb.original_size);

			assert_int_equal(dfs_container_find(c, off), find_by_walking(c, off));
		}
		for (uint32_t i = 0; i < c->n_segments; i++)
			if (c->segments[i].len)
				assert_int_equal(dfs_container_find(c, c->segments[i].off), i);
		sample_free(c);
	}
}

/* Ten thousand tensors of 256 KiB, as an account; two pieces' worth of everything. */
static struct dfs_container *large_new(void)
{
	struct dfs_container *c = calloc(1, sizeof(*c));
	const uint32_t n = 10000;

	c->sb = (struct dfs_superblock){ .version = 1, .meta_off = 256, .original_size = (uint64_t)n << 18 };
	c->bases = calloc(1, sizeof(*c->bases));
	c->bases[0].size = c->sb.original_size;
	c->n_bases = 1;
	c->segments = calloc(n, sizeof(*c->segments));
	c->pieces = calloc(n, sizeof(*c->pieces));
	c->chunks = calloc(2 * n, sizeof(*c->chunks));
	for (uint32_t i = 0; i < n; i++) {
		c->segments[i] = (struct dfs_segment){
			.off = (uint64_t)i << 18, .len = 1u << 18, .first_chunk = 2 * i, .n_chunks = 2,
			.first_piece = i, .n_pieces = 1, .kind = DFS_SEGMENT_TENSOR, .dtype = 15,
			.predictor = 1, .cols = 512,
		};
		c->pieces[i] = (struct dfs_piece_record){ 1u << 18, (uint64_t)i << 18, 0, 15 };
		c->chunks[2 * i] = c->chunks[2 * i + 1] = (struct dfs_chunk_ref){ .off = 256 };
	}
	c->n_segments = c->n_pieces = n;
	c->n_chunks = 2 * n;
	return c;
}

/* Ten times the millisecond that it may take; a sanitizer takes its time besides. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OPEN_WITHIN_S 0.1
#else
#define OPEN_WITHIN_S 0.01
#endif

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void ten_thousand_tensors_open_at_once(void **state)
{
	struct dfs_container *c = large_new(), *back;
	struct dfs_err err = { "" };
	struct dfs_buf meta = { 0 };
	double best = 1;

	(void)state;
	sample_pack(c, &meta);
	for (int round = 0; round < 20; round++) {
		double start = now();

		CHECK_OK(dfs_container_unpack(&c->sb, (struct dfs_span){ meta.data, meta.len }, &back, &err), err);
		if (now() - start < best)
			best = now() - start;
		dfs_container_free(back);
	}
	print_message("%zu bytes of metadata unpacked in %.0f us\n", meta.len, best * 1e6);
	CHECK(best < OPEN_WITHIN_S);
	dfs_buf_release(&meta);
	sample_free(c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(random_containers_come_back),
	cmocka_unit_test(packing_appends),
	cmocka_unit_test(what_does_not_fit_is_refused),
	cmocka_unit_test(names_may_be_missing_when_packed),
	cmocka_unit_test(every_byte_is_in_one_segment),
	cmocka_unit_test(ten_thousand_tensors_open_at_once),
};

CHECK_MAIN(cases)
