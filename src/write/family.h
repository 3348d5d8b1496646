/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * family: which models of a kind should be the bases of the others.
 *
 * Members share the names of their tensors (dfs_family_alike()). Each pair is
 * sampled: what would the one take over the other? Then, as long as it saves
 * anything, the member that saves most as a base becomes one: it stays plain,
 * which costs what coding it alone would have saved, and the others that gain
 * by it are its dependants. Depth is 1: a dependant is nobody's base.
 */
#ifndef DFS_WRITE_FAMILY_H
#define DFS_WRITE_FAMILY_H

#include <stdbool.h>

#include "write/encode.h"
#include "write/sample.h"

#define DFS_NO_BASE SIZE_MAX

struct dfs_member {
	struct dfs_model *model;
	size_t base;		/* out: index of its base, itself if it is one, or DFS_NO_BASE: alone */
	uint64_t alone;		/* out: bytes it takes without a base; estimated */
	uint64_t stored;	/* out: bytes it takes as planned; of a base: all */
};

/* Candidates tried in each round; a larger family is tried by a sample of its members. */
#define DFS_FAMILY_CANDIDATES 8

/* dfs_family_alike() - do two models have the better half of their bytes in tensors of the same names and shapes. Return: 1, 0, -ENOMEM. */
int dfs_family_alike(const struct dfs_model *a, const struct dfs_model *b, struct dfs_err *err);

/**
 * dfs_family_plan() - choose bases among @members and dependants for each
 * @progress: may be NULL
 * Return: 0; -ECANCELED, -EIO, -ENOMEM.
 */
int dfs_family_plan(struct dfs_member *members, size_t n, struct dfs_hand *hand,
		    dfs_progress_fn *progress, void *arg, struct dfs_err *err);

/* dfs_model_sample() - what all files of @model take over @base (NULL: alone). Return: 0; -EIO, -ENOMEM. */
int dfs_model_sample(const struct dfs_model *model, const struct dfs_model *base,
		     struct dfs_sample_size size, struct dfs_hand *hand, uint64_t *ret_stored,
		     struct dfs_err *err);

#endif
