/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * samples: containers' accounts made up at random, valid by construction.
 */
#ifndef DFS_TESTS_FORMAT_SAMPLES_H
#define DFS_TESTS_FORMAT_SAMPLES_H

#include "format/container.h"

/* A small generator, the same on every machine. */
struct random {
	uint64_t state;
};
uint64_t random_next(struct random *r);
uint64_t random_below(struct random *r, uint64_t n);

/**
 * sample_new() - an account of at most @max_segments segments
 * Owned by the caller: sample_free(), which is not dfs_container_free().
 */
struct dfs_container *sample_new(struct random *r, unsigned max_segments);
void sample_free(struct dfs_container *c);

/* sample_pack() - metadata into @meta, and the superblock that fits it into c->sb */
void sample_pack(struct dfs_container *c, struct dfs_buf *meta);

/* sample_rehash() - make @sb accept @meta again after it was changed */
void sample_rehash(struct dfs_superblock *sb, const struct dfs_buf *meta);

#endif
