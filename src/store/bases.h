/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bases: from a base file's content hash to an open descriptor.
 *
 * Places are tried in order: files named by the user, .deltafs/pins/HASH of
 * the store, by-reference paths of .deltafs/bases/. A size that fits is
 * enough to read (every decoded chunk is checked against its hash); identity
 * is settled elsewhere. Failures are not remembered: the next open tries
 * again, so attaching the base heals its dependants without a remount.
 */
#ifndef DFS_STORE_BASES_H
#define DFS_STORE_BASES_H

#include "format/container.h"
#include "store/store.h"

struct dfs_bases;

/* An open base file, shared by all who read it. Immutable. */
struct dfs_base {
	int fd;
	uint64_t size;
	struct dfs_hash hash;	/* as the container asked for */
};

/* dfs_bases_new() - @store: may be NULL (only named files); borrowed */
struct dfs_bases *dfs_bases_new(struct dfs_store *store);
void dfs_bases_free(struct dfs_bases *bases);

/**
 * dfs_bases_add() - also look in @path: a .safetensors, a *.index.json, or a directory of shards
 * Nothing is hashed. Two files of one size are told apart by hashing when asked for.
 */
int dfs_bases_add(struct dfs_bases *bases, const char *path, struct dfs_err *err);

/**
 * dfs_bases_get() - the base file with @want's hash and size
 * @ret_base: dfs_base_put() it
 *
 * Return: 0; -EIO with a sentence that names the base by all that is known
 * (name, origin, model ID, size, hash) and says whether it is missing, of
 * another size, or unreadable. Threads: any; never hashes while @hash_now is false.
 */
int dfs_bases_get(struct dfs_bases *bases, const struct dfs_base_file *want,
		  struct dfs_base **ret_base, struct dfs_err *err);
void dfs_base_put(struct dfs_bases *bases, struct dfs_base *base);

#endif
