/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match_content: tensors found by what they hold.
 *
 * Two cases that names do not show. A tied tensor is in the file twice but in
 * the base once (an output layer that shares the embeddings): it begins as
 * its twin in the file does, so its base is its twin's. A renamed tensor that
 * training left alone begins as some tensor of the base does.
 *
 * Only tensors of the size and dtype of one that still has no base are read.
 */
#include <errno.h>

#include "util/auto.h"
#include "util/hash.h"
#include "write/matching.h"

/* Shorter ones are not worth a read, and more often equal by chance (all ones, all zeros). */
#define CONTENT_MIN 4096

DFS_AUTO_KIND(match_index, struct dfs_match_index, dfs_match_index_release(p));

static uint64_t kind_key(const struct dfs_tensor *t)
{
	return dfs_hash64(&t->len, sizeof(t->len), t->dtype);
}

static uint64_t content_key(const struct dfs_tensor *t, uint64_t fingerprint)
{
	return dfs_hash64(&fingerprint, sizeof(fingerprint), kind_key(t));
}

static bool is_wanting(const struct dfs_matching *m, size_t i)
{
	return !m->matches[i].base && m->file->tensors[i].len >= CONTENT_MIN;
}

static int index_wanting(const struct dfs_matching *m, struct dfs_match_index *index)
{
	for (size_t i = 0; i < m->file->n_tensors; i++) {
		const struct dfs_tensor *t = &m->file->tensors[i];
		int ret;

		if (!is_wanting(m, i))
			continue;
		ret = dfs_match_index_add(index, (struct dfs_match_entry){
			kind_key(t), DFS_MATCH_THE_FILE, t, NULL });
		if (ret < 0)
			return ret;
	}
	dfs_match_index_sort(index);
	return 0;
}

/* Adds @t under its content if a wanting tensor is of its kind. What cannot be read is left out. */
static int add_candidate(const struct dfs_matching *m, const struct dfs_match_index *wanting,
			 uint32_t file, const struct dfs_tensor *t, struct dfs_match_index *contents)
{
	uint64_t fingerprint;
	int ret;

	if (!dfs_match_index_find(wanting, kind_key(t)))
		return 0;
	ret = m->config->fingerprint(m->config->arg, file, t, &fingerprint);
	if (ret < 0)
		return ret == -ENOMEM ? ret : 0;
	return dfs_match_index_add(contents, (struct dfs_match_entry){
		content_key(t, fingerprint), file, t, NULL });
}

static int index_contents(const struct dfs_matching *m, const struct dfs_match_index *wanting,
			  struct dfs_match_index *contents)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < m->file->n_tensors; i++) {
		if (m->matches[i].base)
			ret = add_candidate(m, wanting, DFS_MATCH_THE_FILE, &m->file->tensors[i],
					    contents);
	}
	for (uint32_t file = 0; ret == 0 && file < m->n_bases; file++) {
		for (size_t i = 0; ret == 0 && i < m->bases[file]->n_tensors; i++)
			ret = add_candidate(m, wanting, file, &m->bases[file]->tensors[i], contents);
	}
	dfs_match_index_sort(contents);
	return ret;
}

/* Matches of the rules before stay as they are while this runs, so twins do not chain. */
static struct dfs_match match_from(const struct dfs_matching *m, const struct dfs_match_entry *entry,
				   const struct dfs_tensor *t)
{
	struct dfs_match match = { DFS_MATCH_CONTENT, entry->file, entry->tensor, t->len };

	if (entry->file == DFS_MATCH_THE_FILE) {
		match = m->matches[entry->tensor - m->file->tensors];
		match.how = DFS_MATCH_TIED;
	}
	return match;
}

int dfs_match_by_content(struct dfs_matching *m)
{
	DFS_AUTO(match_index) struct dfs_match_index wanting = { 0 };
	DFS_AUTO(match_index) struct dfs_match_index contents = { 0 };
	int ret;

	ret = index_wanting(m, &wanting);
	if (ret < 0 || wanting.n == 0)
		return ret;
	ret = index_contents(m, &wanting, &contents);
	if (ret < 0 || contents.n == 0)
		return ret;
	for (size_t i = 0; i < m->file->n_tensors; i++) {
		const struct dfs_tensor *t = &m->file->tensors[i];
		const struct dfs_match_entry *entry;
		uint64_t fingerprint;

		if (!is_wanting(m, i))
			continue;
		ret = m->config->fingerprint(m->config->arg, DFS_MATCH_THE_FILE, t, &fingerprint);
		if (ret == -ENOMEM)
			return ret;
		if (ret < 0)
			continue;
		entry = dfs_match_index_find(&contents, content_key(t, fingerprint));
		if (entry)
			m->matches[i] = match_from(m, entry, t);
	}
	return 0;
}
