/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match: which base tensor each tensor of a file is expressed against.
 *
 * WRITE: classify -> choose base -> this -> layout -> encode.
 *
 * Here is what all rules share: when a base tensor fits, the first rule (the
 * same name), and the score.
 */
#include "write/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/convert.h"
#include "util/auto.h"
#include "util/hash.h"
#include "util/io.h"
#include "write/matching.h"

#define FINGERPRINT_BYTES (64u << 10)

DFS_AUTO_KIND(match_index, struct dfs_match_index, dfs_match_index_release(p));

/* The next dimension from *i on that is not 1; 1 at the end. */
static uint64_t next_dimension(const struct dfs_tensor *t, unsigned *i)
{
	while (*i < t->rank && t->shape[*i] == 1)
		(*i)++;
	return *i < t->rank ? t->shape[(*i)++] : 1;
}

static bool same_shape(const struct dfs_tensor *a, const struct dfs_tensor *b)
{
	unsigned i = 0, j = 0;

	while (i < a->rank || j < b->rank) {
		if (next_dimension(a, &i) != next_dimension(b, &j))
			return false;
	}
	return true;
}

static bool same_rows(const struct dfs_tensor *a, const struct dfs_tensor *b)
{
	return a->rank == b->rank && a->rank > 0 &&
	       memcmp(a->shape + 1, b->shape + 1, (a->rank - 1) * sizeof(a->shape[0])) == 0;
}

uint64_t dfs_match_fit(const struct dfs_tensor *tensor, const struct dfs_tensor *base)
{
	uint64_t rows;

	if (tensor->len == 0 || base->len == 0 || !dfs_can_convert(base->dtype, tensor->dtype))
		return 0;
	if (same_shape(tensor, base))
		return tensor->len;
	if (!same_rows(tensor, base))
		return 0;
	if (tensor->len % tensor->shape[0] != 0) /* rows of half bytes */
		return 0;
	rows = tensor->shape[0] < base->shape[0] ? tensor->shape[0] : base->shape[0];
	return rows * (tensor->len / tensor->shape[0]);
}

static uint64_t name_key(const char *name)
{
	return dfs_hash64(name, strlen(name), 0);
}

static int index_names(const struct dfs_matching *m, struct dfs_match_index *index)
{
	for (uint32_t file = 0; file < m->n_bases; file++) {
		for (size_t i = 0; i < m->bases[file]->n_tensors; i++) {
			const struct dfs_tensor *t = &m->bases[file]->tensors[i];
			int ret;

			ret = dfs_match_index_add(index, (struct dfs_match_entry){
				name_key(t->name), file, t, t->name });
			if (ret < 0)
				return ret;
		}
	}
	dfs_match_index_sort(index);
	return 0;
}

int dfs_match_by_name(struct dfs_matching *m)
{
	DFS_AUTO(match_index) struct dfs_match_index index = { 0 };
	int ret;

	ret = index_names(m, &index);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < m->file->n_tensors; i++) {
		const struct dfs_tensor *t = &m->file->tensors[i];
		const struct dfs_match_entry *entry;

		entry = dfs_match_index_find(&index, name_key(t->name));
		for (; entry && !m->matches[i].base; entry = dfs_match_index_next(&index, entry)) {
			uint64_t len = dfs_match_fit(t, entry->tensor);

			if (len == 0 || strcmp(entry->text, t->name) != 0)
				continue;
			m->matches[i] = (struct dfs_match){ DFS_MATCH_NAME, entry->file,
							    entry->tensor, len };
			m->taken[dfs_matching_number(m, entry->file, entry->tensor)] = true;
		}
	}
	return 0;
}

static struct dfs_match_score score(const struct dfs_matching *m)
{
	struct dfs_match_score score = { 0, 0 };

	for (size_t i = 0; i < m->file->n_tensors; i++) {
		score.matched_bytes += m->matches[i].len;
		score.total_bytes += m->file->tensors[i].len;
	}
	return score;
}

static int run_rules(struct dfs_matching *m)
{
	int ret = dfs_match_by_name(m);

	if (ret == 0)
		ret = dfs_match_by_prefix(m);
	if (ret == 0 && m->config && m->config->fingerprint)
		ret = dfs_match_by_content(m);
	return ret;
}

int dfs_match_model(const struct dfs_header *file, const struct dfs_header *const *base_files,
		    size_t n_base_files, const struct dfs_match_config *config,
		    struct dfs_match *ret_matches, struct dfs_match_score *ret_score,
		    struct dfs_err *err)
{
	DFS_AUTO(mem) size_t *first = calloc(n_base_files + 1, sizeof(*first));
	DFS_AUTO(mem) bool *taken = NULL;
	struct dfs_matching m = { .file = file, .bases = base_files, .n_bases = n_base_files,
				  .config = config, .matches = ret_matches, .first = first };

	if (!first)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n_base_files; i++)
		first[i + 1] = first[i] + base_files[i]->n_tensors;
	m.taken = taken = calloc(first[n_base_files] + 1, sizeof(*taken));
	if (!taken)
		return dfs_fail(err, ENOMEM, "out of memory");
	memset(ret_matches, 0, file->n_tensors * sizeof(*ret_matches));
	if (run_rules(&m) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (ret_score)
		*ret_score = score(&m);
	return 0;
}

int dfs_match_score_compare(struct dfs_match_score a, struct dfs_match_score b)
{
	/* a.matched / a.total against b.matched / b.total; no tensors at all is no share. */
	unsigned __int128 x = (unsigned __int128)a.matched_bytes * (b.total_bytes ? b.total_bytes : 1);
	unsigned __int128 y = (unsigned __int128)b.matched_bytes * (a.total_bytes ? a.total_bytes : 1);

	return (x > y) - (x < y);
}

int dfs_match_fingerprint(int fd, const struct dfs_tensor *tensor, uint64_t *ret_fingerprint)
{
	size_t len = tensor->len < FINGERPRINT_BYTES ? tensor->len : FINGERPRINT_BYTES;
	DFS_AUTO(mem) uint8_t *bytes = malloc(len + 1);
	int ret;

	if (!bytes)
		return -ENOMEM;
	ret = dfs_pread_all(fd, bytes, len, tensor->off);
	if (ret < 0)
		return ret;
	*ret_fingerprint = dfs_hash64(bytes, len, 0);
	return 0;
}
