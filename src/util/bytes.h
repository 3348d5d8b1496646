/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes: borrowed spans, a growing buffer, little-endian numbers.
 */
#ifndef DFS_UTIL_BYTES_H
#define DFS_UTIL_BYTES_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/auto.h"

/* Decoded bytes of a chunk at most: what a buffer for one must hold, whatever a file claims. */
#define DFS_CHUNK_MAX (16u << 20)

/* Bytes that somebody else owns. */
struct dfs_span {
	const uint8_t *data;
	size_t len;
};

/* Numbers where they lie: any alignment, and the bytes are anybody's. */
typedef uint8_t __attribute__((may_alias)) dfs_any8;
typedef uint16_t __attribute__((aligned(1), may_alias)) dfs_any16;
typedef uint32_t __attribute__((aligned(1), may_alias)) dfs_any32;
typedef uint64_t __attribute__((aligned(1), may_alias)) dfs_any64;

static inline uint16_t dfs_get_u16le(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t dfs_get_u32le(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t dfs_get_u64le(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void dfs_put_u16le(void *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void dfs_put_u32le(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void dfs_put_u64le(void *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

/* A buffer that grows; all zero is empty. Owned by whoever holds the struct. */
struct dfs_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

/**
 * dfs_buf_extend() - make room for @n more bytes at the end and count them in
 * Return: the first of the new bytes (uninitialised), or NULL if out of memory.
 */
uint8_t *dfs_buf_extend(struct dfs_buf *buf, size_t n);

/* dfs_buf_append() - copy @n bytes to the end. Return: 0 or -ENOMEM. */
int dfs_buf_append(struct dfs_buf *buf, const void *data, size_t n);

/* dfs_buf_release() - free the bytes; the buffer is empty and usable again. */
void dfs_buf_release(struct dfs_buf *buf);

DFS_AUTO_KIND(buf, struct dfs_buf, dfs_buf_release(p));

#endif
