/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial_piece: the first rows of a tensor, coded as if they were one. Private to trial.
 */
#ifndef DFS_WRITE_TRIAL_PIECE_H
#define DFS_WRITE_TRIAL_PIECE_H

#include "write/expect.h"

/* All zero but scope is empty. */
struct dfs_trial_piece {
	uint32_t segment;
	enum dfs_scope scope;	/* DFS_SCOPE_LOSSY, until a value is not finite or the codec declines */
	struct dfs_lossy_tensor tensor;
	uint8_t *data, *pred;
	float *delta;
	struct dfs_buf table, notes;
	uint64_t fixed;		/* bytes that a tensor takes whatever its rows; not in stored */
	uint64_t stored;
	double seconds, exact_seconds;
};

/* dfs_trial_piece_read() - the first rows of a segment. Return: 1; 0: they are the base's, and say nothing; -EIO, -ENOMEM. */
int dfs_trial_piece_read(const struct dfs_work *w, struct dfs_hand *hand, uint32_t segment, struct dfs_trial_piece *p,
			 struct dfs_err *err);
void dfs_trial_piece_release(struct dfs_trial_piece *p);

/* dfs_trial_piece_measure() - all passes of w->spec's codec. Return: 0; -ENOMEM. */
int dfs_trial_piece_measure(const struct dfs_work *w, struct dfs_hand *hand, struct dfs_trial_piece *p);
/* dfs_trial_piece_code() - after the plan: what it takes. Return: 0; -ENOMEM, -ENOTSUP. */
int dfs_trial_piece_code(const struct dfs_work *w, struct dfs_hand *hand, struct dfs_trial_piece *p, struct dfs_err *err);
/* dfs_trial_piece_exact() - how long exact coding takes. Return: 0; -ENOMEM. */
int dfs_trial_piece_exact(struct dfs_hand *hand, struct dfs_trial_piece *p, struct dfs_err *err);

#endif
