/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash: XXH3, the only hash of deltafs. Guards against damage, not against an
 * adversary who can write the store: DESIGN gives him nothing to gain there.
 *
 * Source: xxHash specification, XXH3 64 and 128 bits.
 */
#ifndef DFS_UTIL_HASH_H
#define DFS_UTIL_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DFS_HASH_HEX 33 /* 32 digits and NUL */

/* 128 bits, as the canonical (big-endian) bytes of XXH3-128. */
struct dfs_hash {
	uint8_t bytes[16];
};

/**
 * dfs_hash64() - XXH3-64 of @len bytes
 * @seed: binds the hash to a place: the offset of the bytes
 */
uint64_t dfs_hash64(const void *data, size_t len, uint64_t seed);

/* dfs_hash128() - XXH3-128 of @len bytes, seed 0. */
struct dfs_hash dfs_hash128(const void *data, size_t len);

bool dfs_hash_equal(struct dfs_hash a, struct dfs_hash b);
bool dfs_hash_is_zero(struct dfs_hash a);
int dfs_hash_compare(struct dfs_hash a, struct dfs_hash b); /* as memcmp */

/* dfs_hash_hex() - 32 lower-case digits. Return: @ret_text. */
char *dfs_hash_hex(struct dfs_hash hash, char ret_text[DFS_HASH_HEX]);

/* dfs_hash_parse() - from exactly 32 digits. Return: 0 or -EINVAL. */
int dfs_hash_parse(const char *text, struct dfs_hash *ret_hash);

/* A running XXH3-128 of bytes that arrive in pieces. */
struct dfs_hasher;
struct dfs_hasher *dfs_hasher_new(void); /* NULL: out of memory */
void dfs_hasher_add(struct dfs_hasher *hasher, const void *data, size_t len);
struct dfs_hash dfs_hasher_end(const struct dfs_hasher *hasher);
void dfs_hasher_free(struct dfs_hasher *hasher);

#endif
