/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * planned: the plan for the sharded model that was looked at last, kept while
 * its files are coded one after the other: the first that is coded takes its
 * original with it, and nobody could measure the whole model again, unless the
 * original is kept.
 */
#ifndef DFS_WRITE_PLANNED_H
#define DFS_WRITE_PLANNED_H

#include <sys/stat.h>

#include "store/expand.h"
#include "write/plan.h"
#include "write/reason.h"

/* All zero is empty. */
struct dfs_planned {
	struct dfs_paths rels;		/* of the model's files */
	struct stat *stats;		/* as they were measured */
	char *codec;
	struct dfs_hash base;
	struct dfs_plan plan;
};

/* How a file of the model is opened: read-only; @original: what is kept of it instead. Return: a descriptor; -ENOENT; -errno. */
typedef int dfs_planned_open_fn(void *arg, const char *rel, bool original);

/**
 * dfs_planned_get() - the plan for a file that is one of several
 * @rel: its path; its name tells which others there are (dfs_elect_shards())
 * @fd: of the file
 * @config: codec, base, threads, progress: what it is to be coded with
 * @ret_plan: NULL: the file is a model by itself, or the codec looks at no whole models; else borrowed until the next call
 * @ret_why: why it must be exact: bits were given up in other files of its model, by a plan that is not known any more; else DFS_REASON_NONE
 *
 * Return: 0; as dfs_plan_make(); -ENOENT: a file of the model is not there, or is no safetensors file yet.
 */
int dfs_planned_get(struct dfs_planned *planned, const char *rel, int fd, const struct dfs_encode_config *config,
		    dfs_planned_open_fn *open, void *open_arg, const struct dfs_plan **ret_plan, enum dfs_reason_id *ret_why,
		    struct dfs_err *err);
void dfs_planned_release(struct dfs_planned *planned);

#endif
