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

static int try_model(const struct dfs_work_input *input, struct dfs_model *const *models, size_t i,
		     struct dfs_sample_size size, struct dfs_hand *hand, struct dfs_choice *choice,
		     struct dfs_err *err)
{
	struct dfs_work_input with = *input;
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
	return 0;
}

/* One round over the candidates. Return: how many were near enough to be sampled; -errno. */
static int try_all(const struct dfs_work_input *input, struct dfs_model *const *models, size_t n_models,
		   struct dfs_sample_size size, struct dfs_hand *hand, struct dfs_choice *choice,
		   struct dfs_err *err)
{
	int n = 0;

	for (size_t i = 0; i < n_models; i++) {
		bool near = false;
		int ret = models[i] ? covers(input, models[i], input->by_content, &near, err) : 0;

		if (ret == 0 && near) {
			n++;
			ret = try_model(input, models, i, size, hand, choice, err);
		}
		if (ret < 0)
			return ret;
	}
	return n;
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
	if (input->header)
		n = try_all(&with, models, n_models, size, hand, &choice, err);
	if (n == 0 && input->header && n_models) {
		with.by_content = true;
		n = try_all(&with, models, n_models, size, hand, &choice, err);
	}
	if (n < 0)
		return n;
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
