/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan: what a codec that looks at whole models decided for each tensor, so
 * that the files of the model can be coded one by one.
 *
 * WRITE: choose base -> this -> encode, for models of several files.
 */
#ifndef DFS_WRITE_PLAN_H
#define DFS_WRITE_PLAN_H

#include "codec/lossy.h"
#include "util/auto.h"
#include "write/encode.h"
#include "write/model.h"

struct dfs_plan_entry {
	char *name;		/* of the tensor */
	uint32_t number;	/* of the tensor in the model */
	void *planned;		/* see struct dfs_lossy */
	bool smaller;		/* coded exactly, which it is to be; nothing else holds */
};

/* All zero is empty. */
struct dfs_plan {
	const struct dfs_lossy *lossy;
	struct dfs_plan_entry *entries;
	size_t n, room;
};

/* A file of the model; all borrowed. */
struct dfs_plan_file {
	int fd;			/* plain */
	uint64_t len;
	struct dfs_header *header;	/* NULL: no tensors */
};

/**
 * dfs_plan_make() - measure all files of a model
 * @files: n of them
 * @config: base, codec, threads, progress
 * @ret_plan: dfs_plan_release() it
 *
 * Each file is read once for each pass of the codec. Return: 0; -EINVAL,
 * -ENOTSUP: no such codec; -ECANCELED; -EIO, -ENOMEM.
 */
int dfs_plan_make(const struct dfs_plan_file *files, size_t n, const struct dfs_encode_config *config, struct dfs_plan *ret_plan,
		  struct dfs_err *err);
void dfs_plan_release(struct dfs_plan *plan);

/* dfs_plan_add() - note what is planned in a tensor's record; NULL: it is smaller coded exactly. Return: 0; -ENOMEM. */
int dfs_plan_add(struct dfs_plan *plan, const char *name, const struct dfs_lossy_tensor *tensor, struct dfs_err *err);

/* dfs_plan_find() - NULL: nothing was planned for it: it is declined, or came later, and is exact */
const struct dfs_plan_entry *dfs_plan_find(const struct dfs_plan *plan, const char *name);

DFS_AUTO_KIND(plan, struct dfs_plan, dfs_plan_release(p));

#endif
