/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * matching: the steps of match.c, one file each, and what they share.
 *
 * match_name -> match_prefix -> match_content; each looks only at tensors that
 * the ones before have left without a base.
 */
#ifndef DFS_WRITE_MATCHING_H
#define DFS_WRITE_MATCHING_H

#include <stdbool.h>

#include "write/match.h"

/* One tensor under one key: a hash of its name, of a part of it, or of its content. */
struct dfs_match_entry {
	uint64_t key;
	uint32_t file;			/* index into the base files, or DFS_MATCH_THE_FILE */
	const struct dfs_tensor *tensor;
	const char *text;		/* what was hashed, if a name */
};

/* All zero is empty. Ordered by key, then the file itself, then base files, then place. */
struct dfs_match_index {
	struct dfs_match_entry *entries;
	size_t n, room;
};

/* dfs_match_index_add() - at the end, whatever the order. Return: 0 or -ENOMEM. */
int dfs_match_index_add(struct dfs_match_index *index, struct dfs_match_entry entry);
void dfs_match_index_sort(struct dfs_match_index *index);
/* dfs_match_index_find() - the first entry with @key, once sorted; NULL if there is none */
const struct dfs_match_entry *dfs_match_index_find(const struct dfs_match_index *index, uint64_t key);
/* dfs_match_index_next() - the entry after @entry if it has the same key, else NULL */
const struct dfs_match_entry *dfs_match_index_next(const struct dfs_match_index *index,
						   const struct dfs_match_entry *entry);
void dfs_match_index_release(struct dfs_match_index *index);

struct dfs_matching {
	const struct dfs_header *file;
	const struct dfs_header *const *bases;
	size_t n_bases;
	const struct dfs_match_config *config;
	struct dfs_match *matches;
	size_t *first;		/* of each base file: the number of its first tensor, all files counted */
	bool *taken;		/* by number: a name has found this base tensor */
};

static inline size_t dfs_matching_number(const struct dfs_matching *m, uint32_t file,
					 const struct dfs_tensor *base)
{
	return m->first[file] + (size_t)(base - m->bases[file]->tensors);
}

/**
 * dfs_match_fit() - how many leading bytes of @tensor the values of @base can predict
 * Whole rows; 0 if dtype or shape forbid it.
 */
uint64_t dfs_match_fit(const struct dfs_tensor *tensor, const struct dfs_tensor *base);

/* Each returns 0 or -ENOMEM. */
int dfs_match_by_name(struct dfs_matching *m);
int dfs_match_by_prefix(struct dfs_matching *m);
int dfs_match_by_content(struct dfs_matching *m);

#endif
