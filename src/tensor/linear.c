/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linear: a table of the words that names are made of. */
#include "tensor/linear.h"

#include <string.h>

enum where {
	PART,	/* anywhere in the name */
	WORD,	/* between two dots, all of it */
	LAST,	/* behind the last dot, all of it */
};

/* In order; the first that fits says it. Names are those of transformers, timm, open_clip, peft and torch. */
static const struct {
	const char *text;
	enum where where;
	enum dfs_role role;
} words[] = {
	{ "norm", PART, DFS_ROLE_NORM },
	{ "bias", LAST, DFS_ROLE_NORM },
	{ "in_proj_bias", LAST, DFS_ROLE_NORM },
	{ "ln_1", WORD, DFS_ROLE_NORM },
	{ "ln_2", WORD, DFS_ROLE_NORM },
	{ "ln_f", WORD, DFS_ROLE_NORM },
	{ "relative_attention_bias", WORD, DFS_ROLE_EMBEDDING },	/* T5: rows are distances */
	{ "embed", PART, DFS_ROLE_EMBEDDING },
	{ "wte", WORD, DFS_ROLE_EMBEDDING },	/* GPT-2 */
	{ "wpe", WORD, DFS_ROLE_EMBEDDING },
	{ "shared", WORD, DFS_ROLE_EMBEDDING },	/* T5: not shared_expert */
	{ "lm_head", PART, DFS_ROLE_EMBEDDING },
	{ "head", WORD, DFS_ROLE_EMBEDDING },	/* timm */
	{ "score", WORD, DFS_ROLE_EMBEDDING },	/* sequence classification */
	{ "classifier", PART, DFS_ROLE_EMBEDDING },
	{ "qa_outputs", WORD, DFS_ROLE_EMBEDDING },
	{ "cls", WORD, DFS_ROLE_EMBEDDING },	/* BERT's prediction head */
	{ "pooler", PART, DFS_ROLE_EMBEDDING },
	{ "text_projection", PART, DFS_ROLE_EMBEDDING },	/* CLIP: out of the transformer */
	{ "visual_projection", WORD, DFS_ROLE_EMBEDDING },
	{ "proj", LAST, DFS_ROLE_EMBEDDING },	/* open_clip visual.proj; a layer's is proj.weight */
	{ "gate", WORD, DFS_ROLE_OTHER },	/* which expert: not gate_proj */
	{ "router", PART, DFS_ROLE_OTHER },
	{ "conv", PART, DFS_ROLE_OTHER },
	{ "lora_", PART, DFS_ROLE_OTHER },	/* an adapter's factors */
	{ "rotary", PART, DFS_ROLE_OTHER },
};

static bool has_word(const char *name, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = name; at; at = strchr(at, '.')) {
		at += *at == '.';
		if (!strncmp(at, word, len) && (at[len] == '.' || !at[len]))
			return true;
	}
	return false;
}

static bool fits(const char *name, unsigned i)
{
	const char *last = strrchr(name, '.');

	switch (words[i].where) {
	case PART:
		return strstr(name, words[i].text) != NULL;
	case WORD:
		return has_word(name, words[i].text);
	default:
		return !strcmp(last ? last + 1 : name, words[i].text);
	}
}

bool dfs_tensor_is_matrix(const struct dfs_tensor *t)
{
	if (t->rank != 2 && t->rank != 3)
		return false;
	return t->shape[t->rank - 1] >= DFS_LINEAR_MIN && t->shape[t->rank - 2] >= DFS_LINEAR_MIN;
}

enum dfs_role dfs_tensor_role(const struct dfs_tensor *tensor)
{
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (fits(tensor->name, i))
			return words[i].role;
	if (tensor->rank < 2)
		return DFS_ROLE_NORM;
	if (tensor->dtype != DFS_BF16 && tensor->dtype != DFS_F16 && tensor->dtype != DFS_F32)
		return DFS_ROLE_OTHER;
	return dfs_tensor_is_matrix(tensor) ? DFS_ROLE_LINEAR : DFS_ROLE_OTHER;
}

const char *dfs_role_name(enum dfs_role role)
{
	static const char *const names[DFS_ROLES] = { "linear", "embedding", "norm", "other" };

	return (unsigned)role < DFS_ROLES ? names[role] : "?";
}
