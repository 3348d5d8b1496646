/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * give_up: what is done for codecs that give up bits before anything is
 * encoded: which segments they get, and the passes over these.
 *
 * WRITE: layout -> this -> encode.
 */
#ifndef DFS_WRITE_GIVE_UP_H
#define DFS_WRITE_GIVE_UP_H

#include "write/encode.h"
#include "write/work.h"

/* dfs_give_up_mark() - find the segments that w->spec's codec gets, and say how it wants them cut. Return: 0; -ENOMEM. */
int dfs_give_up_mark(struct dfs_work *w, const struct dfs_header *header, struct dfs_err *err);

/* dfs_give_up_scope() - why that is so, as far as names, shapes and the base tell; w->spec is not exact */
enum dfs_scope dfs_give_up_scope(const struct dfs_work *w, const struct dfs_header *header, const struct dfs_tensor *tensor);

/*
 * An open table may take several times its bytes, so a segment has one only
 * while its chunks are encoded: open, from its first chunk on, and done, when
 * they all are and its table's bytes are where they belong. One thread opens
 * and ends; any may encode in between.
 */

/* dfs_give_up_open() - a segment's table, to encode with; of one that is exact, nothing. Return: 0; -ENOMEM. */
int dfs_give_up_open(const struct dfs_work *w, uint32_t segment, struct dfs_err *err);

void dfs_give_up_close(struct dfs_work_lossy *lossy);	/* what open() made; the bytes are left */
void dfs_give_up_done(struct dfs_work_lossy *lossy);	/* the table's bytes and the notes too; NULL is fine */
void dfs_give_up_free(struct dfs_work_lossy *lossy);	/* NULL is fine */

struct dfs_plan;

/**
 * dfs_give_up_prepare() - measure all marked segments, plan, and make their tables
 *
 * A segment with a difference that is not finite, or that the codec declines,
 * or without any difference, or that takes no more bytes coded exactly, is
 * marked exact again. Each is read once for each pass of the codec, and where
 * exact coding comes near, to code it both ways. With config->plan that is followed, instead of one for
 * this file alone. Return: 0; -ECANCELED; -EIO, -ENOMEM.
 */
int dfs_give_up_prepare(struct dfs_work *w, const struct dfs_encode_config *config, struct dfs_err *err);

/**
 * dfs_give_up_plan() - measure the files of one model, and plan for all of them together
 * @works: n (at least one) with the same spec and base; of no use afterwards but to be released
 * @plan: what was decided is added to it
 * Return: as above.
 */
int dfs_give_up_plan(struct dfs_work *works, size_t n, const struct dfs_encode_config *config, struct dfs_plan *plan,
		     struct dfs_err *err);

#endif
