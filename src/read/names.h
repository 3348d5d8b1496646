/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: what a failed chunk belongs to, for its sentence.
 *
 * A container needs no tensor names to be read, so it holds them only in the
 * file's own header bytes; they are decoded and parsed when something failed.
 * One parsed header is kept, since failures come in runs.
 */
#ifndef DFS_READ_NAMES_H
#define DFS_READ_NAMES_H

#include <pthread.h>

#include "util/err.h"

struct dfs_header;
struct dfs_extent;
struct dfs_view;
struct dfs_worker;

struct dfs_names {
	pthread_mutex_t lock;
	/* under lock */
	const struct dfs_view *view;	/* whose header it is */
	struct dfs_header *header;	/* NULL: that file has none that can be told */
};

void dfs_names_init(struct dfs_names *names);
void dfs_names_release(struct dfs_names *names);

/* dfs_names_explain() - put 'tensor "x": chunk 3' (or what else lies there) in front of @err */
void dfs_names_explain(struct dfs_view *view, const struct dfs_extent *extent,
		       struct dfs_worker *worker, struct dfs_err *err);

/* dfs_names_forget() - a view ends */
void dfs_names_forget(struct dfs_names *names, const struct dfs_view *view);

#endif
