/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hash: the values that xxHash publishes for its test bytes, so that a
 * library which computes something else is noticed before it writes a file.
 */
#include "util/hash.h"

#include <errno.h>
#include <stdlib.h>

#include "../check.h"

#define PRIME32 2654435761u
#define PRIME64 11400714785074694797ull

/* The bytes that xxHash's own self test hashes. */
static void fill(uint8_t *bytes, size_t n)
{
	uint64_t state = PRIME32;

	for (size_t i = 0; i < n; i++) {
		bytes[i] = (uint8_t)(state >> 56);
		state *= PRIME64;
	}
}

static void hash64_is_xxh3(void **state)
{
	static const struct {
		size_t len;
		uint64_t seed, hash;
	} known[] = {
		{ 0, 0, 0x2d06800538d394c2 },	{ 1, 0, 0xc44bdff4074eecdb },
		{ 6, 0, 0x27b56a84cd2d7325 },	{ 12, 0, 0xa713daf0dfbb77e7 },
		{ 24, 0, 0xa3fe70bf9d3510eb },	{ 48, 0, 0x397da259ecba1f11 },
		{ 80, 0, 0xbcdefbbb2c47c90a },	{ 195, 0, 0xcd94217ee362ec3a },
		{ 403, 0, 0xcdeb804d65c6dea4 },	{ 512, 0, 0x617e49599013cb6b },
		{ 2048, 0, 0xdd59e2c3a5f038e0 },
		{ 0, PRIME64, 0xa8a6b918b2f0364a },
	};
	uint8_t bytes[2048];

	(void)state;
	fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(dfs_hash64(bytes, known[i].len, known[i].seed), known[i].hash);
}

static void hash128_is_xxh3_big_endian(void **state)
{
	char text[DFS_HASH_HEX];

	(void)state;
	assert_string_equal(dfs_hash_hex(dfs_hash128("", 0), text), "99aa06d3014798d86001c324468d497f");
}

static void pieces_hash_as_the_whole(void **state)
{
	static const size_t steps[] = { 1, 7, 64, 255, 256, 257, 4096, 100000 };
	const size_t len = 300000;
	uint8_t *bytes = malloc(len);

	(void)state;
	fill(bytes, len);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct dfs_hasher *hasher = dfs_hasher_new();

		CHECK(hasher);
		for (size_t off = 0; off < len; off += steps[i])
			dfs_hasher_add(hasher, bytes + off, len - off < steps[i] ? len - off : steps[i]);
		dfs_hasher_add(hasher, NULL, 0);
		CHECK(dfs_hash_equal(dfs_hasher_end(hasher), dfs_hash128(bytes, len)));
		dfs_hasher_free(hasher);
	}
	free(bytes);
}

static void digits_read_back(void **state)
{
	struct dfs_hash hash = dfs_hash128("x", 1), back = { { 0 } };
	char text[DFS_HASH_HEX], shorter[] = "0123", longer[] = "000102030405060708090a0b0c0d0e0f0";

	(void)state;
	CHECK_RET(0, dfs_hash_parse(dfs_hash_hex(hash, text), &back));
	CHECK(dfs_hash_equal(hash, back));
	assert_int_equal(dfs_hash_compare(hash, back), 0);
	CHECK_RET(-EINVAL, dfs_hash_parse(shorter, &back));
	CHECK_RET(-EINVAL, dfs_hash_parse(longer, &back));
	CHECK_RET(-EINVAL, dfs_hash_parse("000102030405060708090a0b0c0d0e0g", &back));
	CHECK_RET(-EINVAL, dfs_hash_parse("", &back));
	CHECK(dfs_hash_equal(hash, back)); /* left alone */
	CHECK_RET(0, dfs_hash_parse("000102030405060708090A0b0C0d0e0F", &back));
	assert_int_equal(back.bytes[10], 0x0a);
	CHECK(!dfs_hash_is_zero(back));
	CHECK(dfs_hash_is_zero((struct dfs_hash){ { 0 } }));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(hash64_is_xxh3),
	cmocka_unit_test(hash128_is_xxh3_big_endian),
	cmocka_unit_test(pieces_hash_as_the_whole),
	cmocka_unit_test(digits_read_back),
};

CHECK_MAIN(cases)
