/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * choose: which of several bases makes a file smallest.
 *
 * WRITE: classify -> this -> match -> layout -> encode. Candidates must share
 * names and shapes of tensors with the file (or, if none does, content); among
 * those a sample decides, the same places of the file for each. What a model
 * says about its origin plays no part.
 */
#ifndef DFS_WRITE_CHOOSE_H
#define DFS_WRITE_CHOOSE_H

#include "write/sample.h"

#define DFS_CHOSE_NONE SIZE_MAX

struct dfs_choice {
	size_t model;		/* index into the candidates; DFS_CHOSE_NONE: alone */
	struct dfs_sample alone;
	struct dfs_sample best;	/* with that model; or as alone */
	unsigned n_near;	/* candidates that have its tensors */
	const char *why_none;	/* a reason for people; NULL if there is a model */
};

/**
 * dfs_choose() - pick a base
 * @input: base and by_content are ignored
 * @models: candidates; NULL entries are passed over
 *
 * Ties go to the first. Return: 0; -EIO, -ENOMEM.
 */
int dfs_choose(const struct dfs_work_input *input, struct dfs_model *const *models, size_t n_models,
	       struct dfs_sample_size size, struct dfs_hand *hand, struct dfs_choice *ret_choice,
	       struct dfs_err *err);

#endif
