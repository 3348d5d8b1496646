/* SPDX-License-Identifier: GPL-2.0-or-later */
/* choose: by names first, which costs nothing; then by bits. */
#include "write/choose.h"

#include <errno.h>
#include <stdlib.h>

#include "write/match.h"

/* A candidate must cover so much of the file: 1 part in this. Less saves too little to depend on it. */
#define SHARE_MIN 10
/* It must save more than 1 part in this of what the file takes alone. */
#define GAIN_MIN 50
/* Looked at more closely: whoever was at most 1 part in this behind the best at first. Smaller: more of them. */
#define BEHIND_MAX 4

static int covers(const struct dfs_work_input *input, const struct dfs_model *model, bool by_content,
		  bool *ret_covers, struct dfs_err *err)
{
	struct dfs_work_input with = *input;
	uint64_t covered = 0;
	struct dfs_work w;
	int ret;

	with.base = model;
	with.by_content = by_content;
	ret = dfs_work_init(&w, &with, err);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < w.c.n_segments; i++)
		if (w.c.segments[i].predictor != DFS_PREDICT_NONE)
			covered += w.c.segments[i].len;
	dfs_work_release(&w);
	*ret_covers = covered > 0 && covered >= input->len / SHARE_MIN;
	return 0;
}

/* A candidate's bits in the first look; UINT64_MAX: not near, or looked at a second time already. */
#define PASSED UINT64_MAX

/*
 * The first look, at a quarter of the places: it leaves few for the second.
 * Return: how many are near; -errno.
 */
static int look_at_all(const struct dfs_work_input *input, struct dfs_model *const *models, size_t n_models,
		       struct dfs_sample_size size, struct dfs_hand *hand, uint64_t *ret_bits,
		       struct dfs_err *err)
{
	struct dfs_work_input with = *input;
	int n = 0;

	size.places = size.places / 4 + 1;
	for (size_t i = 0; i < n_models; i++) {
		struct dfs_sample sample;
		bool near = false;
		int ret = models[i] ? covers(input, models[i], input->by_content, &near, err) : 0;

		ret_bits[i] = PASSED;
		with.base = models[i];
		if (ret == 0 && near)
			ret = dfs_sample(&with, size, hand, &sample, err);
		if (ret < 0)
			return ret;
		if (near) {
			ret_bits[i] = sample.bits;
			n++;
		}
	}
	return n;
}

static size_t smallest(const uint64_t *bits, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (bits[i] < bits[best])
			best = i;
	return best;
}

/* The second look, at those that were not far behind the best. */
static int look_closer(const struct dfs_work_input *input, struct dfs_model *const *models, size_t n_models,
		       struct dfs_sample_size size, struct dfs_hand *hand, uint64_t *bits,
		       struct dfs_choice *choice, struct dfs_err *err)
{
	struct dfs_work_input with = *input;
	uint64_t limit = bits[smallest(bits, n_models)];

	limit += limit / BEHIND_MAX;
	for (size_t i = smallest(bits, n_models); bits[i] <= limit && bits[i] != PASSED; i = smallest(bits, n_models)) {
		struct dfs_sample sample;
		int ret;

		with.base = models[i];
		ret = dfs_sample(&with, size, hand, &sample, err);
		if (ret < 0)
			return ret;
		if (sample.bits < choice->best.bits) {
			choice->best = sample;
			choice->model = i;
		}
		bits[i] = PASSED;
	}
	return 0;
}

/* By names; if those lead to nobody, by content. Return: how many candidates were near; -errno. */
static int look(struct dfs_work_input *input, struct dfs_model *const *models, size_t n_models,
		struct dfs_sample_size size, struct dfs_hand *hand, struct dfs_choice *choice,
		struct dfs_err *err)
{
	DFS_AUTO(mem) uint64_t *bits = calloc(n_models, sizeof(*bits));
	int n, ret = 0;

	if (!bits)
		return dfs_fail(err, ENOMEM, "out of memory");
	n = look_at_all(input, models, n_models, size, hand, bits, err);
	if (n == 0) {
		input->by_content = true;
		n = look_at_all(input, models, n_models, size, hand, bits, err);
	}
	if (n > 0)
		ret = look_closer(input, models, n_models, size, hand, bits, choice, err);
	return ret < 0 ? ret : n;
}

int dfs_choose(const struct dfs_work_input *input, struct dfs_model *const *models, size_t n_models,
	       struct dfs_sample_size size, struct dfs_hand *hand, struct dfs_choice *ret_choice,
	       struct dfs_err *err)
{
	struct dfs_choice choice = { .model = DFS_CHOSE_NONE };
	struct dfs_work_input with = *input;
	int n = 0, ret;

	with.base = NULL;
	with.by_content = false;
	ret = dfs_sample(&with, size, hand, &choice.alone, err);
	if (ret < 0)
		return ret;
	choice.best = choice.alone;
	if (input->header && n_models)
		n = look(&with, models, n_models, size, hand, &choice, err);
	if (n < 0)
		return n;
	choice.n_near = (unsigned)n;
	if (choice.alone.bits - choice.best.bits <= choice.alone.bits / GAIN_MIN) {
		choice.model = DFS_CHOSE_NONE;
		choice.best = choice.alone;
	}
	if (choice.model == DFS_CHOSE_NONE)
		choice.why_none = !input->header ? "no safetensors file" : n_models == 0 ? "there is none" :
				  n == 0 ? "none has its tensors" : "none makes it smaller";
	*ret_choice = choice;
	return 0;
}
