/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match_prefix: tensors whose names differ in their leading components.
 *
 *	model.language_model.layers.0.mlp.up_proj.weight
 *	language_model.model.layers.0.mlp.up_proj.weight
 *
 * Frameworks wrap and unwrap models, and the names show it. So a base tensor
 * that no name has taken is found by what is left of its name after up to
 * four components, and the longest common rest wins, if just one base tensor
 * has it. Of several (the tower for images may have layers of the same name)
 * the one counts that lost nothing but words that mean "the model".
 *
 * Two tensors of the file that claim one base tensor are told apart in the
 * same way; if that fails, neither gets it.
 */
#include <string.h>

#include "util/auto.h"
#include "util/hash.h"
#include "write/matching.h"

/* Leading components that may differ. More finds nothing that exists, and costs an index entry each. */
#define DROP_MAX 4
/* A rest that more base tensors than this share ("weight") says nothing. Bounds the work on hostile names. */
#define SHARED_MAX 64

DFS_AUTO_KIND(match_index, struct dfs_match_index, dfs_match_index_release(p));

static const char *const wrappers[] = {
	"_orig_mod", "base_model", "bert", "language_model", "llm", "model", "module", "roberta",
	"text_model", "transformer",
};

static bool is_wrapper(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
		if (strlen(wrappers[i]) == len && memcmp(wrappers[i], word, len) == 0)
			return true;
	}
	return false;
}

/* Is all of @name before @rest made of wrappers? */
static bool is_neutral(const char *name, const char *rest)
{
	while (name < rest) {
		const char *dot = strchr(name, '.');

		if (!is_wrapper(name, (size_t)(dot - name)))
			return false;
		name = dot + 1;
	}
	return true;
}

/* What follows the first component; NULL if less than two components would be left. */
static const char *drop_component(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && strchr(dot + 1, '.') ? dot + 1 : NULL;
}

static uint64_t text_key(const char *text)
{
	return dfs_hash64(text, strlen(text), 1);
}

static int add_rests(struct dfs_match_index *index, uint32_t file, const struct dfs_tensor *t)
{
	const char *rest = t->name;

	for (unsigned dropped = 0; rest && dropped <= DROP_MAX; dropped++) {
		int ret;

		ret = dfs_match_index_add(index, (struct dfs_match_entry){
			text_key(rest), file, t, rest });
		if (ret < 0)
			return ret;
		rest = drop_component(rest);
	}
	return 0;
}

static int index_rests(const struct dfs_matching *m, struct dfs_match_index *index)
{
	for (uint32_t file = 0; file < m->n_bases; file++) {
		for (size_t i = 0; i < m->bases[file]->n_tensors; i++) {
			int ret;

			if (m->taken[m->first[file] + i])
				continue;
			ret = add_rests(index, file, &m->bases[file]->tensors[i]);
			if (ret < 0)
				return ret;
		}
	}
	dfs_match_index_sort(index);
	return 0;
}

/*
 * How well an entry under the same rest fits. Growing by rows is for
 * matrices: any two vectors would do, and say nothing.
 */
enum { NO_FIT, SOME_ROWS, SOME_ROWS_NEUTRAL, WHOLE, WHOLE_NEUTRAL };

static int rank_entry(const struct dfs_tensor *t, const struct dfs_match_entry *entry)
{
	uint64_t len = dfs_match_fit(t, entry->tensor);
	bool whole = len == t->len && entry->tensor->rank == t->rank &&
		     (t->rank == 0 || entry->tensor->shape[0] == t->shape[0]);

	if (len == 0 || (!whole && t->rank < 2))
		return NO_FIT;
	return (whole ? WHOLE : SOME_ROWS) + is_neutral(entry->tensor->name, entry->text);
}

/* The one entry under @rest that ranks highest; NULL if there is none, or more than one. */
static const struct dfs_match_entry *best_entry(const struct dfs_match_index *index,
						const struct dfs_tensor *t, const char *rest)
{
	const struct dfs_match_entry *entry = dfs_match_index_find(index, text_key(rest));
	const struct dfs_match_entry *best = NULL;
	int best_rank = NO_FIT;

	for (unsigned n = 0; entry; n++, entry = dfs_match_index_next(index, entry)) {
		int rank = strcmp(entry->text, rest) == 0 ? rank_entry(t, entry) : NO_FIT;

		if (n == SHARED_MAX)
			return NULL;
		if (rank == NO_FIT || rank < best_rank)
			continue;
		best = rank > best_rank ? entry : NULL;
		best_rank = rank;
	}
	return best;
}

/* The match of one tensor by its longest rest that any base tensor shares and fits. */
static struct dfs_match find_match(const struct dfs_match_index *index, const struct dfs_tensor *t,
				   bool *ret_neutral)
{
	const char *rest = t->name;

	for (unsigned dropped = 0; rest && dropped <= DROP_MAX; dropped++) {
		const struct dfs_match_entry *entry = best_entry(index, t, rest);

		if (entry) {
			*ret_neutral = is_neutral(t->name, rest);
			return (struct dfs_match){ DFS_MATCH_PREFIX, entry->file, entry->tensor,
						   dfs_match_fit(t, entry->tensor) };
		}
		rest = drop_component(rest);
	}
	return (struct dfs_match){ DFS_MATCH_NONE, 0, NULL, 0 };
}

/* Who wants a base tensor: of neutral names and of others, how many. */
struct claim {
	uint32_t neutral, other;
};

static void drop_shared_claims(struct dfs_matching *m, const struct claim *claims,
			       const bool *neutral)
{
	for (size_t i = 0; i < m->file->n_tensors; i++) {
		const struct dfs_match *match = &m->matches[i];
		const struct claim *claim;

		if (match->how != DFS_MATCH_PREFIX)
			continue;
		claim = &claims[dfs_matching_number(m, match->file, match->base)];
		if (neutral[i] ? claim->neutral > 1 : claim->neutral > 0 || claim->other > 1)
			m->matches[i] = (struct dfs_match){ DFS_MATCH_NONE, 0, NULL, 0 };
	}
}

int dfs_match_by_prefix(struct dfs_matching *m)
{
	DFS_AUTO(match_index) struct dfs_match_index index = { 0 };
	DFS_AUTO(mem) struct claim *claims = calloc(m->first[m->n_bases] + 1, sizeof(*claims));
	DFS_AUTO(mem) bool *neutral = calloc(m->file->n_tensors + 1, sizeof(*neutral));
	int ret;

	if (!claims || !neutral)
		return -ENOMEM;
	ret = index_rests(m, &index);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < m->file->n_tensors; i++) {
		struct dfs_match *match = &m->matches[i];
		struct claim *claim;

		if (match->base)
			continue;
		*match = find_match(&index, &m->file->tensors[i], &neutral[i]);
		if (!match->base)
			continue;
		claim = &claims[dfs_matching_number(m, match->file, match->base)];
		if (neutral[i])
			claim->neutral++;
		else
			claim->other++;
	}
	drop_shared_claims(m, claims, neutral);
	return 0;
}
