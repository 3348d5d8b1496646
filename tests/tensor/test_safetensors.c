/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers as the reference reader's own tests have them, and others it would take or refuse. */
#include "parsing.h"

static void a_plain_header_is_read(void **state)
{
	const struct dfs_tensor *t;

	(void)state;
	TAKEN("{\"b\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[4,16]},"
	      "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
	      "\"__metadata__\":{\"format\":\"pt\",\"x\":\"\"}}  ", 16);
	assert_int_equal(header->n_tensors, 2);
	assert_int_equal(header->file_len, header->data_off + 16);
	t = dfs_header_find(header, "b");
	CHECK(t == &header->tensors[1]);
	assert_string_equal(t->name, "b");
	assert_int_equal(t->dtype, DFS_BF16);
	assert_int_equal(t->rank, 2);
	assert_int_equal(t->shape[0], 2);
	assert_int_equal(t->shape[1], 3);
	assert_int_equal(t->off, header->data_off + 4);
	assert_int_equal(t->len, 12);
	assert_int_equal(dfs_tensor_cols(t), 3);
	t = dfs_header_find(header, "a");
	CHECK(t == &header->tensors[0]);
	assert_int_equal(t->rank, 0);
	assert_int_equal(dfs_tensor_cols(t), 0);
	CHECK(dfs_header_find(header, "c") == NULL);
	CHECK(dfs_header_find(header, "__metadata__") == NULL);
	assert_string_equal(dfs_header_metadata(header, "format"), "pt");
	assert_string_equal(dfs_header_metadata(header, "x"), "");
	CHECK(dfs_header_metadata(header, "y") == NULL);
}

static void a_file_without_tensors_is_legal(void **state)
{
	(void)state;
	TAKEN("{}", 0);
	assert_int_equal(header->n_tensors, 0);
	CHECK(dfs_header_find(header, "a") == NULL);
	CHECK(dfs_header_at(header, 8) == NULL);
	CHECK(dfs_header_metadata(header, "a") == NULL);
	TAKEN("{\"__metadata__\":{}}", 0);
	TAKEN("{\"__metadata__\":null}", 0);
	REFUSED("{}", 1);
}

/* test_whitespace_padded_header, test_whitespace_leading_padded_header */
static void whitespace_around_the_json_is_legal(void **state)
{
	(void)state;
	TAKEN("{}      ", 0);
	TAKEN("\t\r\n {}", 0);
	TAKEN(" \n{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}\n\n", 1);
	CHECK_RET(-EINVAL, parse_as("{}\0\0\0\0\0\0", 8, 8, 0));
	REFUSED("{}x", 0);
	REFUSED("{}{}", 0);
	REFUSED("{}\v", 0);
	REFUSED("\xef\xbb\xbf{}", 0);
}

/* test_json_attack: ten tensors that share bytes */
static void overlapping_tensors_are_refused(void **state)
{
	(void)state;
	REFUSED("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
		"\"b\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 16);
	REFUSED("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
		"\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[4,12]}}", 12);
}

/* test_metadata_incomplete_buffer */
static void data_of_another_length_is_refused(void **state)
{
	static const char json[] = "{\"t\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}";

	(void)state;
	TAKEN(json, 16);
	REFUSED(json, 14);
	REFUSED(json, 0);
	REFUSED(json, 17);
	REFUSED(json, 100);
}

static void holes_are_refused(void **state)
{
	(void)state;
	REFUSED("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[1,5]}}", 5);
	REFUSED("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
		"\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[5,9]}}", 9);
}

/* test_header_too_large, test_header_too_small, test_invalid_header_length */
static void header_lengths(void **state)
{
	static const uint64_t lengths[] = { 3, 4096, 100000000, 100000001, 1ull << 31, 1ull << 32,
					    1ull << 40, (1ull << 63) - 1, 1ull << 63,
					    UINT64_MAX - 8, UINT64_MAX - 7, UINT64_MAX };
	const uint8_t zeros[8] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		CHECK_RET(-EINVAL, parse_as("{}", 2, lengths[i], 0));
	for (size_t len = 0; len < 8; len++)
		CHECK_RET(-EINVAL, dfs_header_parse(zeros, len, len, &header, NULL));
	CHECK_RET(-EINVAL, dfs_header_parse(zeros, 8, 8, &header, NULL)); /* no JSON at all */
	CHECK_RET(-EINVAL, parse_as("{}", 2, 0, 0));
	/* Within the file but beyond what was read of it. */
	CHECK_RET(-EINVAL, parse_as("{}", 2, 100, 1000));
	/* A 90 MB header that really is there. */
	CHECK_RET(-E2BIG, parse_as("{}", 2, 90000000, 90000000));
	CHECK_RET(-E2BIG, parse_as("{}", 2, (32 << 20) + 1, 90000000));
}

/* test_invalid_header_non_utf8, test_invalid_header_not_json */
static void what_is_not_json_is_refused(void **state)
{
	(void)state;
	REFUSED("", 0);
	REFUSED(" ", 0);
	REFUSED("\xff", 0);
	REFUSED("{", 0);
	REFUSED("[]", 0);
	REFUSED("\"{}\"", 0);
	REFUSED("null", 0);
	REFUSED("{\"a\xc0\xaf\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"a\xed\xa0\x80\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],}}", 1);
	REFUSED("{\"a\":{\"dtype\":\"U8\",\"shape\":[01],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"\\ud800\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
	CHECK_RET(-EINVAL, parse_as("{}\0", 3, 3, 0));
	CHECK_RET(-EINVAL, parse_as("\0{}", 3, 3, 0));
}

static void names_are_unicode(void **state)
{
	(void)state;
	TAKEN("{\"gr\xc3\xbc\xc3\x9f\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
	      "\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]},"
	      "\"q\\\"\\\\{[\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]},"
	      "\"\\u0061\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[3,4]}}", 4);
	CHECK(dfs_header_find(header, "gr\xc3\xbc\xc3\x9f"));
	CHECK(dfs_header_find(header, ""));
	CHECK(dfs_header_find(header, "q\"\\{["));
	CHECK(dfs_header_find(header, "a"));
}

/* test_zero_sized_tensor, test_empty_shapes_allowed */
static void empty_and_scalar_tensors_are_legal(void **state)
{
	(void)state;
	TAKEN("{\"t\":{\"dtype\":\"I32\",\"shape\":[2,0],\"data_offsets\":[0,0]}}", 0);
	assert_int_equal(header->tensors[0].len, 0);
	CHECK(dfs_header_at(header, header->data_off) == NULL);
	TAKEN("{\"t\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4);
	assert_int_equal(header->tensors[0].rank, 0);
	TAKEN("{\"full\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]},"
	      "\"empty\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[2,2]},"
	      "\"first\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
	      "\"last\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[6,6]}}", 6);
	assert_string_equal(header->tensors[0].name, "first");
	assert_string_equal(header->tensors[1].name, "empty");
	assert_string_equal(header->tensors[2].name, "full");
	assert_string_equal(header->tensors[3].name, "last");
	CHECK(dfs_header_at(header, header->data_off + 1) == &header->tensors[0]);
	CHECK(dfs_header_at(header, header->data_off + 2) == &header->tensors[2]);
	CHECK(dfs_header_at(header, header->data_off + 5) == &header->tensors[2]);
	CHECK(dfs_header_at(header, header->data_off + 6) == NULL);
	CHECK(dfs_header_at(header, header->data_off - 1) == NULL);
	CHECK(dfs_header_at(header, 0) == NULL);
	CHECK(dfs_header_at(header, UINT64_MAX) == NULL);
}

/* test_invalid_info */
static void sizes_that_contradict_the_shape_are_refused(void **state)
{
	(void)state;
	REFUSED("{\"t\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,4]}}", 4);
	REFUSED("{\"t\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,0]}}", 0);
	REFUSED("{\"t\":{\"dtype\":\"I32\",\"shape\":[0],\"data_offsets\":[0,4]}}", 4);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", 4);
}

/* test_validation_overflow, and the shapes that wrapped in other readers */
static void products_that_wrap_are_refused(void **state)
{
	(void)state;
	REFUSED("{\"t\":{\"dtype\":\"I32\",\"shape\":[2,18446744073709551614],\"data_offsets\":[0,16]}}", 16);
	REFUSED("{\"t\":{\"dtype\":\"I32\",\"shape\":[2,9223372036854775807],\"data_offsets\":[0,16]}}", 16);
	REFUSED("{\"t\":{\"dtype\":\"I32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0);
	REFUSED("{\"t\":{\"dtype\":\"I32\",\"shape\":[4294967296,4294967296,0],\"data_offsets\":[0,0]}}", 0);
	REFUSED("{\"t\":{\"dtype\":\"I32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", 0);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[9223372036854775807],"
		"\"data_offsets\":[0,9223372036854775807]}}", 16);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"
		"\"data_offsets\":[0,0]}}", 0);
	TAKEN("{\"t\":{\"dtype\":\"I32\",\"shape\":[0,4294967296,4294967296],\"data_offsets\":[0,0]}}", 0);
}

/* test_invalid_header_size_serialization and its kin: types of everything */
static void other_types_are_refused(void **state)
{
	(void)state;
	REFUSED("{\"t\":[]}", 0);
	REFUSED("{\"t\":null}", 0);
	REFUSED("{\"t\":\"F32\"}", 0);
	REFUSED("{\"t\":{}}", 0);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":5,\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4);
	REFUSED("{\"t\":{\"dtype\":\"F128\",\"shape\":[1],\"data_offsets\":[0,16]}}", 16);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[\"1\"],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1e0],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1.0]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":{}}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[-1,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,18446744073709551617]}}", 1);
	REFUSED("{\"__metadata__\":[]}", 0);
	REFUSED("{\"__metadata__\":\"x\"}", 0);
	REFUSED("{\"__metadata__\":{\"a\":1}}", 0);
	REFUSED("{\"__metadata__\":{\"a\":null}}", 0);
	REFUSED("{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0);
}

static void duplicate_keys_are_refused(void **state)
{
	(void)state;
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
		"\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0);
	REFUSED("{\"t\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
		"\"\\u0074\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1);
}

static void unknown_keys_of_an_entry_are_ignored(void **state)
{
	(void)state;
	TAKEN("{\"t\":{\"dtype\":\"U8\",\"new\":{\"x\":[1.5,null]},\"shape\":[1],"
	      "\"data_offsets\":[0,1]}}", 1);
}

/* test_serialization_fp4 and its misaligned sibling; F6 alike */
static void sub_byte_dtypes_fill_whole_bytes(void **state)
{
	(void)state;
	TAKEN("{\"t\":{\"dtype\":\"F4\",\"shape\":[1,2],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"F4\",\"shape\":[1,3],\"data_offsets\":[0,1]}}", 1);
	REFUSED("{\"t\":{\"dtype\":\"F4\",\"shape\":[1,3],\"data_offsets\":[0,2]}}", 2);
	TAKEN("{\"t\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[0,3]}}", 3);
	REFUSED("{\"t\":{\"dtype\":\"F6_E3M2\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1);
	TAKEN("{\"t\":{\"dtype\":\"C64\",\"shape\":[2],\"data_offsets\":[0,16]}}", 16);
}

/* test_serialization_forced_alignement is a matter of writers; readers take any alignment */
static void any_alignment_is_taken(void **state)
{
	(void)state;
	TAKEN("{\"t\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[1,9]},"
	      "\"u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 9);
}

static void a_high_rank_is_kept_as_rows_and_columns(void **state)
{
	(void)state;
	TAKEN("{\"t\":{\"dtype\":\"U8\",\"shape\":[2,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,5,3],"
	      "\"data_offsets\":[0,30]}}", 30);
	assert_int_equal(header->tensors[0].rank, 2);
	assert_int_equal(header->tensors[0].shape[0], 10);
	assert_int_equal(header->tensors[0].shape[1], 3);
	TAKEN("{\"t\":{\"dtype\":\"U8\",\"shape\":[2,1,1,1,1,1,1,1,1,1,1,1,1,1,1,3],"
	      "\"data_offsets\":[0,6]}}", 6);
	assert_int_equal(header->tensors[0].rank, 16);
	assert_int_equal(dfs_tensor_cols(&header->tensors[0]), 3);
}

static const struct CMUnitTest cases[] = {
	CASE(a_plain_header_is_read),
	CASE(a_file_without_tensors_is_legal),
	CASE(whitespace_around_the_json_is_legal),
	CASE(overlapping_tensors_are_refused),
	CASE(data_of_another_length_is_refused),
	CASE(holes_are_refused),
	CASE(header_lengths),
	CASE(what_is_not_json_is_refused),
	CASE(names_are_unicode),
	CASE(empty_and_scalar_tensors_are_legal),
	CASE(sizes_that_contradict_the_shape_are_refused),
	CASE(products_that_wrap_are_refused),
	CASE(other_types_are_refused),
	CASE(duplicate_keys_are_refused),
	CASE(unknown_keys_of_an_entry_are_ignored),
	CASE(sub_byte_dtypes_fill_whole_bytes),
	CASE(any_alignment_is_taken),
	CASE(a_high_rank_is_kept_as_rows_and_columns),
};

CHECK_MAIN(cases)
