/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_damage: metadata that is not what was written is refused; metadata
 * that somebody made up, hash and all, is refused or harmless.
 */
#include "format/container.h"

#include <errno.h>
#include <stdlib.h>

#include "../check.h"
#include "samples.h"

static int unpack(const struct dfs_superblock *sb, const uint8_t *meta, size_t len,
		  struct dfs_container **ret_container)
{
	/* An allocation of its own, so that a sanitizer sees the first byte read beyond. */
	uint8_t *copy = malloc(len ? len : 1);
	struct dfs_err err = { "" };
	int ret;

	memcpy(copy, meta, len);
	ret = dfs_container_unpack(sb, (struct dfs_span){ copy, len }, ret_container, &err);
	free(copy);
	if (ret < 0 && !err.text[0])
		fail_msg("%d without a sentence", ret);
	return ret;
}

static void every_flipped_byte_is_noticed(void **state)
{
	struct random r = { 5 };
	struct dfs_container *c = sample_new(&r, 6), *back;
	struct dfs_buf meta = { 0 };

	(void)state;
	sample_pack(c, &meta);
	for (size_t i = 0; i < meta.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			meta.data[i] ^= (uint8_t)(1u << bit);
			CHECK_RET(-EBADMSG, unpack(&c->sb, meta.data, meta.len, &back));
			meta.data[i] ^= (uint8_t)(1u << bit);
		}
	dfs_buf_release(&meta);
	sample_free(c);
}

static void every_truncation_is_noticed(void **state)
{
	struct random r = { 6 };
	struct dfs_container *c = sample_new(&r, 6), *back;
	struct dfs_buf meta = { 0 };
	size_t whole;

	(void)state;
	sample_pack(c, &meta);
	whole = meta.len;
	for (size_t len = 0; len < whole; len++) {
		CHECK_RET(-EUCLEAN, unpack(&c->sb, meta.data, len, &back));
		meta.len = len; /* and with a superblock that agrees */
		sample_rehash(&c->sb, &meta);
		CHECK_RET(-EUCLEAN, unpack(&c->sb, meta.data, len, &back));
		meta.len = whole;
		sample_rehash(&c->sb, &meta);
	}
	dfs_buf_release(&meta);
	sample_free(c);
}

/* Walks everything a reader would, so that a bad index shows under a sanitizer. */
static void use(const struct dfs_container *c)
{
	uint64_t sum = 0, off, len;

	for (uint32_t i = 0; i < c->n_bases; i++)
		sum += strlen(c->bases[i].name) + strlen(c->bases[i].origin);
	for (uint32_t i = 0; i < c->n_segments; i++) {
		const struct dfs_segment *s = &c->segments[i];

		for (uint32_t k = 0; k < s->n_chunks; k++) {
			dfs_segment_chunk(s, k, &off, &len);
			CHECK(len > 0 && len <= DFS_FORMAT_CHUNK_MAX);
			CHECK(off >= s->off && off + len <= s->off + s->len);
			CHECK(off + len <= c->sb.original_size);
			CHECK(c->chunks[s->first_chunk + k].len <= len);
			assert_int_equal(dfs_segment_chunk_at(s, off), k);
			assert_int_equal(dfs_segment_chunk_at(s, off + len - 1), k);
		}
		for (uint32_t k = 0; k < s->n_pieces; k++)
			sum += c->pieces[s->first_piece + k].len + c->piece_starts[s->first_piece + k];
		for (uint32_t k = 0; k < s->n_tables; k++)
			for (uint32_t b = 0; b < c->tables[s->first_table + k].len; b++)
				sum += c->blob[c->tables[s->first_table + k].off + b];
		for (uint32_t b = 0; b < s->params_len; b++)
			sum += c->blob[s->params_off + b];
		if (s->len)
			assert_int_equal(dfs_container_find(c, s->off), i);
	}
	CHECK(sum < UINT64_MAX); /* so that the loops are not for nothing */
}

/* A byte, or a whole number, as damage or an attacker would choose it. */
static void mutate(struct dfs_buf *meta, struct random *r)
{
	static const uint64_t favourites[] = {
		0, 1, 7, 8, 255, 256, UINT32_MAX, UINT32_MAX - 1, 1ull << 31, 1ull << 32,
		1ull << 47, 1ull << 48, INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 7,
	};
	size_t at = random_below(r, meta->len);

	switch (random_below(r, 4)) {
	case 0:
		meta->data[at] ^= (uint8_t)(1u << random_below(r, 8));
		break;
	case 1:
		meta->data[at] = (uint8_t)random_next(r);
		break;
	case 2:
		dfs_put_u64le(meta->data + at / 8 * 8, favourites[random_below(r, 16)]);
		break;
	default:
		dfs_put_u32le(meta->data + at / 4 * 4, (uint32_t)favourites[random_below(r, 16)]);
	}
}

static void made_up_metadata_is_refused_or_harmless(void **state)
{
	struct random r = { 7 };
	unsigned refused = 0, taken = 0;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct dfs_container *c = sample_new(&r, 8), *back;
		struct dfs_buf meta = { 0 }, changed = { 0 };

		sample_pack(c, &meta);
		for (unsigned i = 0; i < 100; i++) {
			int ret;

			changed.len = 0;
			CHECK_RET(0, dfs_buf_append(&changed, meta.data, meta.len));
			for (uint64_t n = 1 + random_below(&r, 3); n; n--)
				mutate(&changed, &r);
			sample_rehash(&c->sb, &changed);
			ret = unpack(&c->sb, changed.data, changed.len, &back);
			if (ret == 0) {
				taken++;
				use(back);
				dfs_container_free(back);
			} else {
				refused++;
				CHECK_RET(-EUCLEAN, ret);
			}
		}
		dfs_buf_release(&meta);
		dfs_buf_release(&changed);
		sample_free(c);
	}
	/* Hashes and parameters may hold anything, so some changes have to pass. */
	CHECK(refused > 10000 && taken > 1000);
}

/* A container of one segment in which one field is changed at a time. */
static struct dfs_container *plain_sample(void)
{
	struct dfs_container *c = calloc(1, sizeof(*c));

	c->sb = (struct dfs_superblock){ .version = 1, .meta_off = 256 + 60, .original_size = 200 };
	c->bases = calloc(1, sizeof(*c->bases));
	c->bases[0].size = 100;
	c->bases[0].name = "base";
	c->segments = calloc(2, sizeof(*c->segments));
	c->segments[0] = (struct dfs_segment){
		.len = 200, .cols = 10, .n_chunks = 1, .n_pieces = 1, .n_tables = 1,
		.kind = DFS_SEGMENT_TENSOR, .dtype = 18, .predictor = 1,
	};
	c->pieces = calloc(1, sizeof(*c->pieces));
	c->pieces[0] = (struct dfs_piece_record){ 200, 0, 0, 15 }; /* BF16 base of F32: 100 bytes */
	c->tables = calloc(1, sizeof(*c->tables));
	c->tables[0] = (struct dfs_table_record){ 0, 4, 3 };
	c->chunks = calloc(2, sizeof(*c->chunks));
	c->chunks[0] = (struct dfs_chunk_ref){ 256, 60, 3, 1, 2 };
	c->blob = calloc(1, 4);
	c->blob_len = 4;
	c->n_bases = c->n_segments = c->n_pieces = c->n_tables = c->n_chunks = 1;
	return c;
}

static int unpack_changed(void (*change)(struct dfs_container *c))
{
	struct dfs_container *c = plain_sample(), *back;
	struct dfs_buf meta = { 0 };
	int ret;

	change(c);
	sample_pack(c, &meta);
	ret = unpack(&c->sb, meta.data, meta.len, &back);
	if (ret == 0)
		dfs_container_free(back);
	dfs_buf_release(&meta);
	sample_free(c);
	return ret;
}

#define CHANGE(name, what) static void name(struct dfs_container *c) { what; }
CHANGE(nothing, (void)c)
CHANGE(gap, c->segments[0].off = 4)
CHANGE(short_of_the_file, c->sb.original_size = 204)
CHANGE(beyond_the_file, c->sb.original_size = 196)
CHANGE(not_whole_values, c->segments[0].len = 198)
CHANGE(not_whole_rows, c->segments[0].cols = 7)
CHANGE(rows_wrap, c->segments[0].cols = 1ull << 62)
CHANGE(chunk_rows_without_rows, (c->segments[0].cols = 0, c->segments[0].chunk_rows = 1))
CHANGE(chunks_of_more_than_the_limit, c->segments[0].chunk_rows = 1u << 20)
CHANGE(chunk_too_few, c->segments[0].n_chunks = 0)
CHANGE(chunk_too_many, (c->n_chunks = 2, c->chunks[1].off = 316))
CHANGE(first_chunk_off, c->segments[0].first_chunk = 1)
CHANGE(kind_unknown, c->segments[0].kind = DFS_SEGMENT_KINDS)
CHANGE(dtype_unknown, c->segments[0].dtype = 23)
CHANGE(drop_of_all_the_mantissa, c->segments[0].drop = 23)
CHANGE(pieces_without_predictor, c->segments[0].predictor = 0)
CHANGE(parameters_of_none, (c->segments[0].predictor = 0, c->segments[0].n_pieces = 0, c->n_pieces = 0, c->segments[0].params_len = 1))
CHANGE(parameters_of_base, c->segments[0].params_len = 1)
CHANGE(header_with_predictor, c->segments[0].kind = DFS_SEGMENT_HEADER)
CHANGE(piece_missing, (c->segments[0].n_pieces = 0, c->n_pieces = 0))
CHANGE(piece_short, c->pieces[0].len = 196)
CHANGE(piece_long, c->pieces[0].len = 204)
CHANGE(piece_empty, c->pieces[0].len = 0)
CHANGE(piece_of_no_file, c->pieces[0].file = 1)
CHANGE(piece_beyond_its_base, c->pieces[0].base_off = 2)
CHANGE(piece_far_beyond_its_base, c->pieces[0].base_off = UINT64_MAX)
CHANGE(piece_at_a_place_in_no_base, (c->pieces[0].file = UINT32_MAX, c->pieces[0].base_off = 1))
CHANGE(piece_of_wider_base, c->pieces[0].dtype = 18)
CHANGE(piece_of_unknown_dtype, c->pieces[0].dtype = 200)
CHANGE(pieces_too_many, c->segments[0].n_pieces = 2)
CHANGE(tables_too_many, c->segments[0].n_tables = 2)
CHANGE(table_far, c->segments[0].first_table = UINT32_MAX)
CHANGE(table_beyond_the_blob, c->tables[0].len = 5)
CHANGE(table_off_wraps, c->tables[0].off = UINT32_MAX)
CHANGE(params_beyond_the_blob, (c->segments[0].params_off = 4, c->segments[0].params_len = 1))
CHANGE(payload_gap, c->chunks[0].off = 257)
CHANGE(payload_in_the_superblock, c->chunks[0].off = 255)
CHANGE(payload_longer_than_its_values, (c->chunks[0].len = 201, c->sb.meta_off = 256 + 201))
CHANGE(payload_into_the_metadata, c->chunks[0].len = 61)
CHANGE(bytes_that_are_no_payload, c->sb.meta_off = 256 + 61)
CHANGE(empty_payload_with_a_hash, (c->chunks[0].len = 0, c->sb.meta_off = 256))
CHANGE(base_size_negative, c->bases[0].size = UINT64_MAX)

static void every_relation_is_checked(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct dfs_container *c);
	} changes[] = {
#define ROW(name) { #name, name }
		ROW(gap), ROW(short_of_the_file), ROW(beyond_the_file), ROW(not_whole_values),
		ROW(not_whole_rows), ROW(rows_wrap), ROW(chunk_rows_without_rows),
		ROW(chunks_of_more_than_the_limit), ROW(chunk_too_few), ROW(chunk_too_many),
		ROW(first_chunk_off), ROW(kind_unknown), ROW(dtype_unknown),
		ROW(drop_of_all_the_mantissa), ROW(pieces_without_predictor),
		ROW(parameters_of_none), ROW(parameters_of_base), ROW(header_with_predictor), ROW(piece_missing), ROW(piece_short), ROW(piece_long), ROW(piece_empty),
		ROW(piece_of_no_file), ROW(piece_beyond_its_base), ROW(piece_far_beyond_its_base),
		ROW(piece_at_a_place_in_no_base), ROW(piece_of_wider_base), ROW(piece_of_unknown_dtype), ROW(pieces_too_many),
		ROW(tables_too_many), ROW(table_far), ROW(table_beyond_the_blob),
		ROW(table_off_wraps), ROW(params_beyond_the_blob), ROW(payload_gap),
		ROW(payload_in_the_superblock), ROW(payload_longer_than_its_values),
		ROW(payload_into_the_metadata), ROW(bytes_that_are_no_payload),
		ROW(empty_payload_with_a_hash), ROW(base_size_negative),
	};

	(void)state;
	CHECK_RET(0, unpack_changed(nothing));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		int ret = unpack_changed(changes[i].change);

		if (ret != -EUCLEAN)
			fail_msg("%s: %d", changes[i].name, ret);
	}
}

/* Fields that are zero in version 1, by where the page puts them. */
static void reserved_bytes_must_be_zero(void **state)
{
	struct dfs_container *c = plain_sample(), *back;
	struct dfs_buf meta = { 0 };
	size_t reserved[64], n = 0;
	uint64_t at[7];

	(void)state;
	sample_pack(c, &meta);
	for (unsigned i = 0; i < 7; i++)
		at[i] = dfs_get_u64le(meta.data + 16 + 16 * i);
	for (size_t i = 4; i < 16; i++)
		reserved[n++] = i;			/* block header */
	for (size_t i = 56; i < 64; i++)
		reserved[n++] = at[0] + i;		/* base */
	for (size_t i = 64; i < 72; i++)
		reserved[n++] = at[1] + i;		/* segment */
	for (size_t i = 21; i < 24; i++)
		reserved[n++] = at[2] + i;		/* piece */
	for (size_t i = 9; i < 16; i++)
		reserved[n++] = at[3] + i;		/* table, and padding after it */
	for (size_t i = 13; i < 16; i++)
		reserved[n++] = at[4] + i;		/* chunk */
	for (size_t i = 4; i < 8; i++)
		reserved[n++] = at[5] + i;		/* padding after 4 bytes of blob */
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(meta.data[reserved[i]], 0);
		meta.data[reserved[i]] = 1;
		sample_rehash(&c->sb, &meta);
		if (unpack(&c->sb, meta.data, meta.len, &back) != -EUCLEAN)
			fail_msg("reserved byte %zu was taken", reserved[i]);
		meta.data[reserved[i]] = 0;
	}
	dfs_buf_release(&meta);
	sample_free(c);
}

static void names_stay_in_their_section(void **state)
{
	struct dfs_container *c = plain_sample(), *back;
	struct dfs_buf meta = { 0 };
	uint8_t *base, *strings;

	(void)state;
	sample_pack(c, &meta);
	base = meta.data + dfs_get_u64le(meta.data + 16);
	strings = meta.data + dfs_get_u64le(meta.data + 16 + 6 * 16);
	assert_string_equal((char *)strings, "base");
	for (uint32_t off = 0; off < 12; off++)
		for (uint32_t len = 0; len < 12; len++) {
			/* section: b a s e NUL NUL */
			bool fine = (off <= 4 && off + len == 4) || (off == 5 && len == 0);

			dfs_put_u32le(base + 40, off);
			dfs_put_u32le(base + 44, len);
			sample_rehash(&c->sb, &meta);
			CHECK_RET(fine ? 0 : -EUCLEAN, unpack(&c->sb, meta.data, meta.len, &back));
			if (fine)
				dfs_container_free(back);
		}
	dfs_put_u32le(base + 40, UINT32_MAX);
	dfs_put_u32le(base + 44, UINT32_MAX);
	sample_rehash(&c->sb, &meta);
	CHECK_RET(-EUCLEAN, unpack(&c->sb, meta.data, meta.len, &back));
	dfs_buf_release(&meta);
	sample_free(c);
}

/* A later version may add a section that may be skipped, and says so by a feature. */
static void further_sections_need_a_feature(void **state)
{
	struct dfs_container *c = plain_sample(), *back;
	struct dfs_buf meta = { 0 }, longer = { 0 };

	(void)state;
	sample_pack(c, &meta);
	CHECK_RET(0, dfs_buf_append(&longer, meta.data, 16 + 7 * 16));
	dfs_put_u32le(longer.data, 8);
	for (unsigned i = 0; i < 7; i++) {
		uint8_t *entry = longer.data + 16 + 16 * i;

		dfs_put_u64le(entry, dfs_get_u64le(entry) + 16);
	}
	CHECK_RET(0, dfs_buf_append(&longer, "????????????????", 16));
	CHECK_RET(0, dfs_buf_append(&longer, meta.data + 128, meta.len - 128));
	CHECK_RET(0, dfs_buf_append(&longer, "whatever", 8));
	sample_rehash(&c->sb, &longer);
	CHECK_RET(-EUCLEAN, unpack(&c->sb, longer.data, longer.len, &back));
	c->sb.compatible = 1ull << 5;
	CHECK_RET(0, unpack(&c->sb, longer.data, longer.len, &back));
	use(back);
	dfs_container_free(back);
	dfs_buf_release(&meta);
	dfs_buf_release(&longer);
	sample_free(c);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(every_flipped_byte_is_noticed),
	cmocka_unit_test(every_truncation_is_noticed),
	cmocka_unit_test(made_up_metadata_is_refused_or_harmless),
	cmocka_unit_test(every_relation_is_checked),
	cmocka_unit_test(reserved_bytes_must_be_zero),
	cmocka_unit_test(names_stay_in_their_section),
	cmocka_unit_test(further_sections_need_a_feature),
};

CHECK_MAIN(cases)
