/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bytes: little-endian numbers and the growing buffer. */
#include "util/bytes.h"

#include <errno.h>
#include <stdlib.h>

#include "../check.h"

static void numbers_are_little_endian_at_any_alignment(void **state)
{
	uint8_t bytes[16] = { 0 };

	(void)state;
	dfs_put_u16le(bytes + 1, 0x0102);
	dfs_put_u32le(bytes + 3, 0x03040506);
	dfs_put_u64le(bytes + 7, 0x0708090a0b0c0d0eull);
	CHECK_BYTES(bytes, "\0\2\1\6\5\4\3\x0e\x0d\x0c\x0b\x0a\x09\x08\x07\0", 16);
	assert_int_equal(dfs_get_u16le(bytes + 1), 0x0102);
	assert_int_equal(dfs_get_u32le(bytes + 3), 0x03040506);
	assert_int_equal(dfs_get_u64le(bytes + 7), 0x0708090a0b0c0d0eull);
}

static void appended_bytes_are_there(void **state)
{
	struct dfs_buf buf = { 0 };
	uint8_t byte;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		byte = (uint8_t)(i * 7);
		CHECK_RET(0, dfs_buf_append(&buf, &byte, 1));
	}
	assert_int_equal(buf.len, 10000);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(buf.data[i], (uint8_t)(i * 7));
	dfs_buf_release(&buf);
	CHECK(!buf.data && !buf.len && !buf.cap);
	CHECK_RET(0, dfs_buf_append(&buf, "again", 5));
	CHECK_BYTES(buf.data, "again", 5);
	dfs_buf_release(&buf);
}

static void nothing_appended_is_no_failure(void **state)
{
	struct dfs_buf buf = { 0 };

	(void)state;
	CHECK_RET(0, dfs_buf_append(&buf, NULL, 0));
	CHECK(dfs_buf_extend(&buf, 0) != NULL);
	assert_int_equal(buf.len, 0);
	dfs_buf_release(&buf);
}

static void impossible_length_leaves_the_buffer_alone(void **state)
{
	struct dfs_buf buf = { 0 };

	(void)state;
	CHECK_RET(0, dfs_buf_append(&buf, "kept", 4));
	CHECK(!dfs_buf_extend(&buf, SIZE_MAX));
	assert_int_equal(buf.len, 4);
	CHECK_BYTES(buf.data, "kept", 4);
	dfs_buf_release(&buf);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(numbers_are_little_endian_at_any_alignment),
	cmocka_unit_test(appended_bytes_are_there),
	cmocka_unit_test(nothing_appended_is_no_failure),
	cmocka_unit_test(impossible_length_leaves_the_buffer_alone),
};

CHECK_MAIN(cases)
