/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linear: a table of the words that names are made of. */
#include "tensor/linear.h"

#include <string.h>
#include <strings.h>

enum where {
	PART,	/* anywhere in the name */
	WORD,	/* between two dots, all of it */
	FIRST,	/* before the first dot, all of it */
	LAST,	/* behind the last dot, all of it */
	END,	/* the name ends so */
	PARTS,	/* between two dots or underscores, all of it: to_logits.weight */
	TAIL,	/* likewise, and at the end of a word: word_emb.weight, but not time_emb_proj.weight */
};

/*
 * In order; the first that fits says it, in capitals or not. Names are those
 * of transformers, timm, open_clip, peft, fairseq and torch.
 */
static const struct {
	const char *text;
	enum where where;
	enum dfs_role role;
} words[] = {
	{ "relative_attention_bias", WORD, DFS_ROLE_EMBEDDING },	/* T5: rows are distances */
	{ "norm", PART, DFS_ROLE_NORM },
	{ "bias", LAST, DFS_ROLE_NORM },
	{ "_bias", END, DFS_ROLE_NORM },	/* in_proj_bias; gpt-oss: of a whole stack of experts */
	{ "ln_1", WORD, DFS_ROLE_NORM },
	{ "ln_2", WORD, DFS_ROLE_NORM },
	{ "ln_f", WORD, DFS_ROLE_NORM },
	{ "scales", LAST, DFS_ROLE_OTHER },	/* of quantised weights: one for each of many values */
	{ "_scale", END, DFS_ROLE_OTHER },
	{ "_scale_inv", END, DFS_ROLE_OTHER },
	{ "lora_", PART, DFS_ROLE_OTHER },	/* an adapter's factors */
	{ "embed", PART, DFS_ROLE_EMBEDDING },
	{ "wte", WORD, DFS_ROLE_EMBEDDING },	/* GPT-2 */
	{ "wpe", WORD, DFS_ROLE_EMBEDDING },
	{ "shared", WORD, DFS_ROLE_EMBEDDING },	/* T5: not shared_expert */
	{ "rel_pos", PART, DFS_ROLE_EMBEDDING },
	{ "relative_position", PART, DFS_ROLE_EMBEDDING },
	{ "codevectors", LAST, DFS_ROLE_EMBEDDING },	/* wav2vec2 */
	{ "latents", LAST, DFS_ROLE_EMBEDDING },	/* learned inputs of resamplers; a layer's is query.weight */
	{ "query", LAST, DFS_ROLE_EMBEDDING },
	{ "lm_head", PART, DFS_ROLE_EMBEDDING },
	{ "_head.", PART, DFS_ROLE_EMBEDDING },	/* BART: classification_head.dense */
	{ "head", WORD, DFS_ROLE_EMBEDDING },	/* timm */
	{ "head_dist", WORD, DFS_ROLE_EMBEDDING },	/* DeiT */
	{ "fc", FIRST, DFS_ROLE_EMBEDDING },	/* ResNet */
	{ "score", WORD, DFS_ROLE_EMBEDDING },	/* sequence classification */
	{ "classifier", PART, DFS_ROLE_EMBEDDING },
	{ "qa_outputs", WORD, DFS_ROLE_EMBEDDING },
	{ "cls", WORD, DFS_ROLE_EMBEDDING },	/* BERT's prediction head */
	{ "predictions", PART, DFS_ROLE_EMBEDDING },	/* ALBERT's, ELECTRA's */
	{ "vocab_", PART, DFS_ROLE_EMBEDDING },	/* DistilBERT's */
	{ "lm_loss", WORD, DFS_ROLE_EMBEDDING },	/* XLNet's */
	{ "decoder.output_projection.", PART, DFS_ROLE_EMBEDDING },	/* fairseq's */
	{ "output_layer", WORD, DFS_ROLE_EMBEDDING },	/* ChatGLM's */
	{ "output", FIRST, DFS_ROLE_EMBEDDING },	/* InternLM2's; a BERT layer has an output too, but not at first */
	{ "language_model.output.", PART, DFS_ROLE_EMBEDDING },
	{ "transformer.ff_out.", PART, DFS_ROLE_EMBEDDING },	/* OLMo's */
	{ "proj_out", FIRST, DFS_ROLE_EMBEDDING },	/* Whisper's */
	{ "pooler", PART, DFS_ROLE_EMBEDDING },
	{ "text_projection", PART, DFS_ROLE_EMBEDDING },	/* CLIP: out of the transformer */
	{ "visual_projection", WORD, DFS_ROLE_EMBEDDING },
	{ "proj", LAST, DFS_ROLE_EMBEDDING },	/* open_clip visual.proj; a layer's is proj.weight */
	{ "gate", WORD, DFS_ROLE_OTHER },	/* which expert: not gate_proj */
	{ "router", PART, DFS_ROLE_OTHER },
	{ "conv", PART, DFS_ROLE_OTHER },
	{ "rotary", PART, DFS_ROLE_OTHER },
	{ "A_log", LAST, DFS_ROLE_OTHER },	/* Mamba: states' decay */
	{ "time_decay", LAST, DFS_ROLE_OTHER },	/* RWKV: the same; of each head */
	{ "time_faaaa", LAST, DFS_ROLE_OTHER },
	{ "emb", TAIL, DFS_ROLE_EMBEDDING },	/* RWKV's; Transformer-XL's word_emb; minGPT's tok_emb, pos_emb */
	{ "crit", WORD, DFS_ROLE_EMBEDDING },	/* Transformer-XL's output */
	{ "pred_layer", WORD, DFS_ROLE_EMBEDDING },	/* XLM's output */
	{ "logits", PARTS, DFS_ROLE_EMBEDDING },	/* to_logits: outputs of x-transformers, DALL-E */
	{ "codebook", PARTS, DFS_ROLE_EMBEDDING },	/* of vector quantisers */
	{ "codebooks", PARTS, DFS_ROLE_EMBEDDING },
	{ "token", END, DFS_ROLE_EMBEDDING },	/* learned inputs: cls_token; mlp_tokens.fc1.weight is a layer of MLP-Mixer */
	{ "tokens", END, DFS_ROLE_EMBEDDING },	/* BLIP-2's query_tokens */
	{ "iou_token", WORD, DFS_ROLE_EMBEDDING },	/* SAM's */
	{ "mask_tokens", WORD, DFS_ROLE_EMBEDDING },
	{ "soft_prompt", PARTS, DFS_ROLE_EMBEDDING },	/* of prompt tuning */
};

static bool starts_word(const char *at, const char *word)
{
	size_t len = strlen(word);

	return !strncasecmp(at, word, len) && (at[len] == '.' || !at[len]);
}

static bool has_word(const char *name, const char *word)
{
	for (const char *at = name; at; at = strchr(at, '.')) {
		at += *at == '.';
		if (starts_word(at, word))
			return true;
	}
	return false;
}

static bool ends(const char *name, const char *text)
{
	size_t len = strlen(text), all = strlen(name);

	return all >= len && !strcasecmp(name + all - len, text);
}

static bool is_between_parts(char c)
{
	return c == '.' || c == '_' || !c;
}

/* @tail: a dot must follow, or nothing */
static bool has_parts(const char *name, const char *text, bool tail)
{
	size_t len = strlen(text);

	for (const char *at = strcasestr(name, text); at; at = strcasestr(at + 1, text))
		if ((at == name || is_between_parts(at[-1])) && is_between_parts(at[len]) && !(tail && at[len] == '_'))
			return true;
	return false;
}

static bool fits(const char *name, unsigned i)
{
	const char *last = strrchr(name, '.'), *text = words[i].text;

	switch (words[i].where) {
	case PART:
		return strcasestr(name, text) != NULL;
	case WORD:
		return has_word(name, text);
	case FIRST:
		return starts_word(name, text);
	case LAST:
		return !strcasecmp(last ? last + 1 : name, text);
	case PARTS:
	case TAIL:
		return has_parts(name, text, words[i].where == TAIL);
	default:
		return ends(name, text);
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
