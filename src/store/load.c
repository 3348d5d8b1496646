/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load: the metadata of a container, from its file.
 *
 * The superblock may say anything, and a sparse file is as long as it likes at
 * no cost. So what is unusually long must prove itself first: it is hashed in
 * small pieces, and memory is only asked for when the hash is right.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/claim.h"
#include "store/internal.h"
#include "util/io.h"

/* Metadata of a 40 GB model; more is hashed before it is loaded, which reads it twice. */
#define LOAD_AT_ONCE (16u << 20)
#define PIECE (1u << 20)

DFS_AUTO_KIND(hasher, struct dfs_hasher *, dfs_hasher_free(*p));

static int prove(int fd, const struct dfs_superblock *sb, struct dfs_err *err)
{
	DFS_AUTO(hasher) struct dfs_hasher *hasher = dfs_hasher_new();
	DFS_AUTO(mem) uint8_t *piece = malloc(PIECE);

	if (!hasher || !piece)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint64_t done = 0; done < sb->meta_len;) {
		size_t n = sb->meta_len - done < PIECE ? sb->meta_len - done : PIECE;
		int ret = dfs_pread_all(fd, piece, n, sb->meta_off + done);

		if (ret < 0)
			return dfs_fail(err, -ret, "read metadata: %s", strerror(-ret));
		dfs_hasher_add(hasher, piece, n);
		done += n;
	}
	if (!dfs_hash_equal(dfs_hasher_end(hasher), sb->meta_hash))
		return dfs_fail(err, EBADMSG, "metadata do not match their hash");
	return 0;
}

int dfs_container_load(int fd, const struct dfs_superblock *sb,
		       struct dfs_container **ret_container, struct dfs_err *err)
{
	DFS_AUTO(mem) uint8_t *meta = NULL;
	struct stat st;
	int ret = 0;

	if (fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "fstat");
	if (sb->meta_off > (uint64_t)st.st_size ||
	    sb->meta_len > (uint64_t)st.st_size - sb->meta_off)
		return dfs_fail(err, EUCLEAN,
				"cut short: the file has %lld bytes, its metadata end at byte %llu",
				(long long)st.st_size,
				(unsigned long long)(sb->meta_off + sb->meta_len));
	if (sb->meta_len > LOAD_AT_ONCE)
		ret = prove(fd, sb, err);
	if (ret < 0)
		return ret;
	meta = malloc(sb->meta_len ? sb->meta_len : 1);
	if (!meta)
		return dfs_fail(err, ENOMEM, "out of memory for %llu bytes of metadata",
				(unsigned long long)sb->meta_len);
	ret = dfs_pread_all(fd, meta, sb->meta_len, sb->meta_off);
	if (ret < 0)
		return dfs_fail(err, -ret, "read metadata: %s", strerror(-ret));
	return dfs_container_unpack(sb, (struct dfs_span){ meta, sb->meta_len }, ret_container,
				    err);
}
