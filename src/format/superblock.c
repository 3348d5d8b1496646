/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * superblock: the 256 bytes at head and tail. deltafs-format(5), "SUPERBLOCK".
 *
 * Bytes 0-63 mean the same in every version, so that a version that is not
 * known here still tells the size of the file it stands for.
 */
#include "format/container.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum {
	AT_MAGIC = 0,
	AT_VERSION = 16,
	AT_RESERVED_1 = 20,
	AT_INCOMPATIBLE = 24,
	AT_COMPATIBLE = 32,
	AT_ORIGINAL_SIZE = 40,
	AT_RESERVED_2 = 48,
	AT_FROZEN_HASH = 56,
	AT_CONTAINER_SIZE = 64,
	AT_META_OFF = 72,
	AT_META_LEN = 80,
	AT_META_HASH = 88,
	AT_SHOWN_HASH = 104,
	AT_SOURCE_HASH = 120,
	AT_RESERVED_3 = 136,
	AT_HASH = 248,
};

/*
 * A byte with the high bit set, a name, and what transfers in text mode
 * change: both line ends, the end of text of DOS, NUL, bytes that are not UTF-8.
 */
static const uint8_t magic[DFS_MAGIC_SIZE] = {
	0x89, 'D', 'E', 'L', 'T', 'A', 'F', 'S', '\r', '\n', 0x1a, '\n', 0x00, 0xff, 0xc3, 0x28,
};

unsigned dfs_magic_score(const void *bytes, size_t len)
{
	const uint8_t *b = bytes;
	unsigned score = 0;

	for (size_t i = 0; i < sizeof(magic) && i < len; i++)
		score += b[i] == magic[i];
	return score;
}

static void put_hash(uint8_t *to, struct dfs_hash hash)
{
	memcpy(to, hash.bytes, sizeof(hash.bytes));
}

static struct dfs_hash get_hash(const uint8_t *from)
{
	struct dfs_hash hash;

	memcpy(hash.bytes, from, sizeof(hash.bytes));
	return hash;
}

void dfs_superblock_pack(const struct dfs_superblock *sb, uint8_t out[DFS_SUPERBLOCK_SIZE])
{
	memset(out, 0, DFS_SUPERBLOCK_SIZE);
	memcpy(out + AT_MAGIC, magic, sizeof(magic));
	dfs_put_u32le(out + AT_VERSION, sb->version);
	dfs_put_u64le(out + AT_INCOMPATIBLE, sb->incompatible);
	dfs_put_u64le(out + AT_COMPATIBLE, sb->compatible);
	dfs_put_u64le(out + AT_ORIGINAL_SIZE, sb->original_size);
	dfs_put_u64le(out + AT_FROZEN_HASH, dfs_hash64(out, AT_FROZEN_HASH, 0));
	dfs_put_u64le(out + AT_CONTAINER_SIZE, sb->container_size);
	dfs_put_u64le(out + AT_META_OFF, sb->meta_off);
	dfs_put_u64le(out + AT_META_LEN, sb->meta_len);
	put_hash(out + AT_META_HASH, sb->meta_hash);
	put_hash(out + AT_SHOWN_HASH, sb->shown_hash);
	put_hash(out + AT_SOURCE_HASH, sb->source_hash);
	dfs_put_u64le(out + AT_HASH, dfs_hash64(out, AT_HASH, 0));
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return any == 0;
}

/* What holds in every version. */
static int frozen_unpack(const uint8_t *in, struct dfs_superblock *sb, struct dfs_err *err)
{
	if (dfs_magic_score(in, DFS_MAGIC_SIZE) != DFS_MAGIC_SIZE)
		return dfs_fail(err, EUCLEAN, "superblock: wrong magic");
	if (dfs_get_u64le(in + AT_FROZEN_HASH) != dfs_hash64(in, AT_FROZEN_HASH, 0))
		return dfs_fail(err, EUCLEAN, "superblock: bytes 0-63 are damaged");
	sb->version = dfs_get_u32le(in + AT_VERSION);
	sb->incompatible = dfs_get_u64le(in + AT_INCOMPATIBLE);
	sb->compatible = dfs_get_u64le(in + AT_COMPATIBLE);
	sb->original_size = dfs_get_u64le(in + AT_ORIGINAL_SIZE);
	if (sb->version == 0)
		return dfs_fail(err, EUCLEAN, "superblock: there is no version 0");
	if (sb->original_size > DFS_ORIGINAL_SIZE_MAX)
		return dfs_fail(err, EUCLEAN, "superblock: original size %" PRIu64 " is over the limit",
				sb->original_size);
	return 0;
}

static int support_check(const struct dfs_superblock *sb, struct dfs_err *err)
{
	uint64_t unknown = sb->incompatible & ~DFS_FEATURES_KNOWN;

	if (sb->version != DFS_FORMAT_VERSION)
		return dfs_fail(err, ENOTSUP, "container format version %" PRIu32
				"; this build reads version %d", sb->version, DFS_FORMAT_VERSION);
	if (unknown)
		return dfs_fail(err, ENOTSUP, "container feature bit %d is not known to this build",
				__builtin_ctzll(unknown));
	return 0;
}

static int extents_check(const struct dfs_superblock *sb, struct dfs_err *err)
{
	uint64_t end;

	if (sb->meta_off < DFS_SUPERBLOCK_SIZE ||
	    __builtin_add_overflow(sb->meta_off, sb->meta_len, &end) ||
	    __builtin_add_overflow(end, DFS_SUPERBLOCK_SIZE, &end) || end > INT64_MAX)
		return dfs_fail(err, EUCLEAN, "superblock: metadata lies at %" PRIu64 "+%" PRIu64,
				sb->meta_off, sb->meta_len);
	if (end != sb->container_size)
		return dfs_fail(err, EUCLEAN, "superblock: container size is %" PRIu64 ", its parts end at %" PRIu64,
				sb->container_size, end);
	return 0;
}

int dfs_superblock_unpack(const uint8_t in[DFS_SUPERBLOCK_SIZE], struct dfs_superblock *ret_sb,
			  struct dfs_err *err)
{
	struct dfs_superblock sb = { 0 };
	int ret = frozen_unpack(in, &sb, err);

	if (ret < 0)
		return ret;
	ret = support_check(&sb, err);
	if (ret < 0) {
		*ret_sb = sb;
		return ret;
	}
	if (dfs_get_u64le(in + AT_HASH) != dfs_hash64(in, AT_HASH, 0))
		return dfs_fail(err, EUCLEAN, "superblock is damaged");
	if (dfs_get_u32le(in + AT_RESERVED_1) || dfs_get_u64le(in + AT_RESERVED_2) ||
	    !all_zero(in + AT_RESERVED_3, AT_HASH - AT_RESERVED_3))
		return dfs_fail(err, EUCLEAN, "superblock: a reserved field is not zero");
	sb.container_size = dfs_get_u64le(in + AT_CONTAINER_SIZE);
	sb.meta_off = dfs_get_u64le(in + AT_META_OFF);
	sb.meta_len = dfs_get_u64le(in + AT_META_LEN);
	sb.meta_hash = get_hash(in + AT_META_HASH);
	sb.shown_hash = get_hash(in + AT_SHOWN_HASH);
	sb.source_hash = get_hash(in + AT_SOURCE_HASH);
	if (!dfs_superblock_lossy(&sb) && !dfs_hash_equal(sb.shown_hash, sb.source_hash))
		return dfs_fail(err, EUCLEAN, "superblock: exact, but the file shown is not the one it was made from");
	ret = extents_check(&sb, err);
	if (ret == 0)
		*ret_sb = sb;
	return ret;
}
