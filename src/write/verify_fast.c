/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify_fast: what needs neither decoding nor a base. */
#include "write/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/claim.h"
#include "util/auto.h"
#include "util/hash.h"
#include "util/io.h"
#include "write/ticker.h"

/* Read at once; a longer payload grows it. */
#define WINDOW (1u << 20)

static void damage(const struct dfs_verify_config *config, uint64_t *n_damaged, const char *name,
		   const char *what)
{
	struct dfs_err err;

	dfs_fail(&err, EUCLEAN, "%s: %s", name, what);
	(*n_damaged)++;
	if (config->damaged)
		config->damaged(config->damaged_arg, &err);
}

unsigned dfs_verify_superblocks(int fd, const char *name, const struct dfs_superblock *sb,
				const struct dfs_verify_config *config)
{
	static const char *const which[] = { "the superblock at the head is damaged", "the superblock at the tail is damaged" };
	uint64_t offs[] = { 0, sb->container_size - DFS_SUPERBLOCK_SIZE };
	uint8_t good[DFS_SUPERBLOCK_SIZE], got[DFS_SUPERBLOCK_SIZE];
	uint64_t n_damaged = 0;
	struct stat st;

	dfs_superblock_pack(sb, good);
	for (int i = 0; i < 2; i++) {
		int ret = dfs_pread_all(fd, got, sizeof(got), offs[i]);

		if (ret < 0 || memcmp(got, good, sizeof(good)))
			damage(config, &n_damaged, name, which[i]);
	}
	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size > sb->container_size)
		damage(config, &n_damaged, name, "bytes follow the superblock at the tail");
	return (unsigned)n_damaged;
}

/* As many payloads as fit one window, from chunk @i on; they follow each other. Return: how many, at least 1. */
static uint32_t batch(const struct dfs_container *c, uint32_t i, uint64_t *ret_len)
{
	uint32_t n = 1;

	*ret_len = c->chunks[i].len;
	while (i + n < c->n_chunks && *ret_len + c->chunks[i + n].len <= WINDOW)
		*ret_len += c->chunks[i + n++].len;
	return n;
}

static void check_batch(const struct dfs_container *c, uint32_t i, uint32_t n, const uint8_t *bytes,
			const char *name, const struct dfs_verify_config *config, uint64_t *n_damaged)
{
	for (uint32_t k = i; k < i + n; k++) {
		const struct dfs_chunk_ref *chunk = &c->chunks[k];
		char what[64];

		if (chunk->len && (!bytes || dfs_hash64(bytes, chunk->len, chunk->off) != chunk->payload_hash)) {
			snprintf(what, sizeof(what), "chunk %u: its payload is %s", k, bytes ? "damaged" : "not readable");
			damage(config, n_damaged, name, what);
		}
		if (bytes)
			bytes += chunk->len;
	}
}

static int check_payloads(int fd, const char *name, const struct dfs_container *c,
			  const struct dfs_verify_config *config, uint64_t *n_damaged,
			  struct dfs_err *err)
{
	struct dfs_ticker ticker = { config->progress, config->progress_arg, c->sb.meta_off, { 0 } };
	struct dfs_buf buf = { 0 };
	uint64_t len;
	int ret = 0;

	for (uint32_t i = 0, n; i < c->n_chunks && ret == 0; i += n) {
		uint8_t *bytes;

		n = batch(c, i, &len);
		buf.len = 0;
		bytes = dfs_buf_extend(&buf, len + 1);
		if (!bytes) {
			ret = dfs_fail(err, ENOMEM, "out of memory");
			break;
		}
		ret = dfs_pread_all(fd, bytes, len, c->chunks[i].off);
		if (ret < 0 && n > 1) {	/* which of them? */
			n = 1;
			len = c->chunks[i].len;
			ret = dfs_pread_all(fd, bytes, len, c->chunks[i].off);
		}
		if (ret < 0)
			bytes = NULL;
		check_batch(c, i, n, bytes, name, config, n_damaged);
		ret = dfs_ticker_tell(&ticker, c->chunks[i].off + len, err);
	}
	dfs_buf_release(&buf);
	return ret;
}

int dfs_verify_fast(int fd, const char *name, const struct dfs_verify_config *config,
		    struct dfs_err *err)
{
	DFS_AUTO(container) struct dfs_container *c = NULL;
	struct dfs_claim claim;
	uint64_t n_damaged = 0;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "stat %s", name);
	ret = dfs_claim_check(fd, (uint64_t)st.st_size, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "read %s: %s", name, strerror(-ret));
	if (claim.kind != DFS_CONTAINER)
		return dfs_fail(err, claim.kind == DFS_CONTAINER_NEWER ? ENOTSUP : EUCLEAN, "%s: %s", name,
				claim.kind == DFS_PLAIN ? "not a container" : claim.why.text);
	ret = dfs_container_load(fd, &claim.sb, &c, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", name);
	if (!config->inside)
		n_damaged = dfs_verify_superblocks(fd, name, &c->sb, config);
	ret = check_payloads(fd, name, c, config, &n_damaged, err);
	if (ret < 0)
		return ret;
	if (n_damaged)
		return dfs_fail(err, EUCLEAN, "%s: %llu damaged %s", name, (unsigned long long)n_damaged,
				n_damaged == 1 ? "place" : "places");
	return 0;
}
