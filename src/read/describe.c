/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read/describe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/codec.h"
#include "read/internal.h"
#include "store/claim.h"
#include "util/auto.h"

/* Appends ",word" as far as it fits. */
static void add_word(char *text, size_t room, const char *word)
{
	size_t used = strlen(text);

	if (used + strlen(word) + 2 <= room)
		snprintf(text + used, room - used, "%s%s", used ? "," : "", word);
}

struct share {
	unsigned codec;
	uint64_t bytes;		/* of the file */
};

static int by_bytes(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

static void describe_codecs(const struct dfs_container *c, struct dfs_description *d)
{
	struct share shares[256];
	uint64_t off, len;

	for (unsigned i = 0; i < 256; i++)
		shares[i] = (struct share){ .codec = i };
	for (uint32_t s = 0; s < c->n_segments; s++) {
		for (uint32_t i = 0; i < c->segments[s].n_chunks; i++) {
			dfs_segment_chunk(&c->segments[s], i, &off, &len);
			shares[c->chunks[c->segments[s].first_chunk + i].codec].bytes += len;
		}
	}
	qsort(shares, 256, sizeof(shares[0]), by_bytes);
	for (unsigned i = 0; i < 256 && shares[i].bytes; i++)
		add_word(d->codec, sizeof(d->codec), dfs_codec_name(shares[i].codec));
}

static void describe_bases(const struct dfs_container *c, struct dfs_description *d)
{
	char hex[DFS_HASH_HEX];

	if (c->n_bases)
		dfs_hash_hex(c->bases[0].model, d->base_id);
	for (uint32_t i = 0; i < c->n_bases; i++) {
		const struct dfs_base_file *base = &c->bases[i];

		add_word(d->base, sizeof(d->base), *base->name ? base->name : dfs_hash_hex(base->hash, hex));
	}
}

static int describe_loaded(int fd, const struct dfs_superblock *sb, struct dfs_description *d)
{
	DFS_AUTO(container) struct dfs_container *c = NULL;
	struct dfs_err err;
	int ret;

	ret = dfs_container_load(fd, sb, &c, &err);
	if (ret == -ENOMEM || ret == -EIO)
		return ret;
	if (ret < 0) {
		d->state = "broken";
		snprintf(d->reason, sizeof(d->reason), "%.*s", (int)sizeof(d->reason) - 1, err.text);
		return 0;
	}
	d->exact = !dfs_superblock_lossy(sb);
	describe_codecs(c, d);
	describe_bases(c, d);
	return 0;
}

/* Any process may ask for any file, and many do so at once. */
static int describe_container(struct dfs_reader *reader, int fd, const struct dfs_superblock *sb,
			      struct dfs_description *d)
{
	int ret = dfs_cache_admit(&reader->cache, sb->meta_len);

	if (ret == -E2BIG) {
		snprintf(d->reason, sizeof(d->reason), "metadata of %" PRIu64 " MiB", sb->meta_len >> 20);
		return 0;
	}
	if (ret < 0)
		return ret;
	ret = describe_loaded(fd, sb, d);
	dfs_cache_dismiss(&reader->cache, sb->meta_len * DFS_METADATA_COST);
	return ret;
}

int dfs_file_describe(struct dfs_reader *reader, int fd, struct dfs_description *ret_description)
{
	static const char *const states[] = {
		[DFS_PLAIN] = "plain",
		[DFS_CONTAINER] = "container",
		[DFS_CONTAINER_NEWER] = "newer",
		[DFS_CONTAINER_BROKEN] = "broken",
	};
	struct dfs_description *d = ret_description;
	struct dfs_claim claim;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return -errno;
	ret = dfs_claim_check(fd, (uint64_t)st.st_size, &claim);
	if (ret < 0)
		return ret;
	*d = (struct dfs_description){
		.state = states[claim.kind],
		.exact = claim.kind == DFS_PLAIN,
		.stored_bytes = (uint64_t)st.st_size,
		.shown_bytes = claim.original_size,
	};
	if (claim.kind == DFS_CONTAINER)
		return describe_container(reader, fd, &claim.sb, d);
	snprintf(d->reason, sizeof(d->reason), "%.*s", (int)sizeof(d->reason) - 1,
		 claim.kind == DFS_PLAIN ? "not encoded, or it did not shrink" : claim.why.text);
	return 0;
}
