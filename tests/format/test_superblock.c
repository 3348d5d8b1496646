/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_superblock: bytes at the places of the page; damage, newer versions, nonsense. */
#include "format/container.h"

#include <errno.h>
#include <stdlib.h>

#include "../check.h"

static const uint8_t magic[16] = "\x89" "DELTAFS\r\n\x1a\n\0\xff\xc3(";

static const struct dfs_superblock sample = {
	.version = 1,
	.compatible = 0x1122334455667788ull,
	.original_size = 0x0000123456789abcull,
	.container_size = 0x1000 + 0x88 + 256,
	.meta_off = 0x1000,
	.meta_len = 0x88,
	.meta_hash = { { 1, 2, 3 } },
	.shown_hash = { { 4, 5, 6 } },
	.source_hash = { { 4, 5, 6 } },
};

/* Makes both hashes fit again after a change. */
static void rehash(uint8_t bytes[256])
{
	dfs_put_u64le(bytes + 56, dfs_hash64(bytes, 56, 0));
	dfs_put_u64le(bytes + 248, dfs_hash64(bytes, 248, 0));
}

static void fields_lie_where_the_page_says(void **state)
{
	uint8_t bytes[256], want[256] = { 0 };

	(void)state;
	memcpy(want, magic, 16);
	want[16] = 1;
	memcpy(want + 32, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	memcpy(want + 40, "\xbc\x9a\x78\x56\x34\x12\0\0", 8);
	memcpy(want + 64, "\x88\x11\0\0\0\0\0\0", 8);
	memcpy(want + 72, "\0\x10\0\0\0\0\0\0", 8);
	memcpy(want + 80, "\x88\0\0\0\0\0\0\0", 8);
	memcpy(want + 88, "\1\2\3", 3);
	memcpy(want + 104, "\4\5\6", 3);
	memcpy(want + 120, "\4\5\6", 3);
	rehash(want);
	dfs_superblock_pack(&sample, bytes);
	CHECK_BYTES(bytes, want, 256);
}

static void what_is_packed_is_unpacked(void **state)
{
	uint8_t bytes[256];
	struct dfs_superblock sb = { 0 };
	struct dfs_err err = { "" };

	(void)state;
	dfs_superblock_pack(&sample, bytes);
	CHECK_OK(dfs_superblock_unpack(bytes, &sb, &err), err);
	CHECK(sb.version == 1 && sb.compatible == sample.compatible && !sb.incompatible);
	CHECK(sb.original_size == sample.original_size && sb.container_size == sample.container_size);
	CHECK(sb.meta_off == sample.meta_off && sb.meta_len == sample.meta_len);
	CHECK(dfs_hash_equal(sb.meta_hash, sample.meta_hash));
	CHECK(dfs_hash_equal(sb.shown_hash, sample.shown_hash));
	CHECK(dfs_hash_equal(sb.source_hash, sample.source_hash));
}

static void every_flipped_bit_is_refused(void **state)
{
	uint8_t bytes[256];
	struct dfs_superblock sb;

	(void)state;
	dfs_superblock_pack(&sample, bytes);
	for (unsigned bit = 0; bit < 256 * 8; bit++) {
		struct dfs_err err = { "" };

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK_RET(-EUCLEAN, dfs_superblock_unpack(bytes, &sb, &err));
		CHECK(err.text[0]);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void newer_version_still_has_its_size(void **state)
{
	uint8_t bytes[256];
	struct dfs_superblock sb = { 0 };
	struct dfs_err err = { "" };

	(void)state;
	dfs_superblock_pack(&sample, bytes);
	memset(bytes + 64, 0xa5, 192); /* whatever a later version puts there */
	bytes[16] = 2;
	bytes[20] = 9;
	rehash(bytes);
	CHECK_RET(-ENOTSUP, dfs_superblock_unpack(bytes, &sb, &err));
	CHECK(sb.version == 2 && sb.original_size == sample.original_size);
	CHECK(strstr(err.text, "version 2"));
}

static void unknown_feature_is_named(void **state)
{
	uint8_t bytes[256];
	struct dfs_superblock sb = { 0 }, with = sample;
	struct dfs_err err = { "" };

	(void)state;
	with.incompatible = DFS_FEATURE_LOSSY | 1ull << 37;
	dfs_superblock_pack(&with, bytes);
	CHECK_RET(-ENOTSUP, dfs_superblock_unpack(bytes, &sb, &err));
	assert_int_equal(sb.original_size, sample.original_size);
	CHECK(strstr(err.text, "bit 37"));
}

static void only_lossy_shows_another_file(void **state)
{
	uint8_t bytes[256];
	struct dfs_superblock sb, other = sample;

	(void)state;
	other.source_hash.bytes[0] ^= 1;
	dfs_superblock_pack(&other, bytes);
	CHECK_RET(-EUCLEAN, dfs_superblock_unpack(bytes, &sb, NULL));
	other.incompatible = DFS_FEATURE_LOSSY;
	dfs_superblock_pack(&other, bytes);
	CHECK_RET(0, dfs_superblock_unpack(bytes, &sb, NULL));
}

static int unpack_with(unsigned at, uint64_t value, unsigned size)
{
	uint8_t bytes[256];
	struct dfs_superblock sb;

	dfs_superblock_pack(&sample, bytes);
	if (size == 8)
		dfs_put_u64le(bytes + at, value);
	else if (size == 4)
		dfs_put_u32le(bytes + at, (uint32_t)value);
	else
		bytes[at] = (uint8_t)value;
	rehash(bytes);
	return dfs_superblock_unpack(bytes, &sb, NULL);
}

static void nonsense_with_right_hashes_is_refused(void **state)
{
	(void)state;
	CHECK_RET(0, unpack_with(16, 1, 4));
	for (unsigned i = 0; i < 16; i++)
		CHECK_RET(-EUCLEAN, unpack_with(i, magic[i] ^ 1, 1));
	CHECK_RET(-EUCLEAN, unpack_with(16, 0, 4));
	CHECK_RET(-EUCLEAN, unpack_with(20, 1, 4));
	CHECK_RET(-EUCLEAN, unpack_with(40, (1ull << 48) + 1, 8));
	CHECK_RET(0, unpack_with(40, 1ull << 48, 8));
	CHECK_RET(-EUCLEAN, unpack_with(48, 1, 8));
	CHECK_RET(-EUCLEAN, unpack_with(64, sample.container_size + 1, 8));
	CHECK_RET(-EUCLEAN, unpack_with(72, 255, 8));
	CHECK_RET(-EUCLEAN, unpack_with(72, UINT64_MAX - 0x88, 8));
	CHECK_RET(-EUCLEAN, unpack_with(80, UINT64_MAX - 0x1000 + 1, 8));
	for (unsigned i = 136; i < 248; i++)
		CHECK_RET(-EUCLEAN, unpack_with(i, 1, 1));
}

static void magic_is_scored_byte_by_byte(void **state)
{
	uint8_t bytes[16];

	(void)state;
	memcpy(bytes, magic, 16);
	assert_int_equal(dfs_magic_score(bytes, 16), 16);
	for (unsigned i = 0; i < 16; i++) {
		bytes[i] ^= 0x40;
		assert_int_equal(dfs_magic_score(bytes, 16), 15 - i);
	}
	assert_int_equal(dfs_magic_score(magic, 3), 3);
	assert_int_equal(dfs_magic_score(NULL, 0), 0);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(fields_lie_where_the_page_says),
	cmocka_unit_test(what_is_packed_is_unpacked),
	cmocka_unit_test(every_flipped_bit_is_refused),
	cmocka_unit_test(newer_version_still_has_its_size),
	cmocka_unit_test(unknown_feature_is_named),
	cmocka_unit_test(only_lossy_shows_another_file),
	cmocka_unit_test(nonsense_with_right_hashes_is_refused),
	cmocka_unit_test(magic_is_scored_byte_by_byte),
};

CHECK_MAIN(cases)
