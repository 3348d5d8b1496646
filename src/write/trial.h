/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial: about what a codec that gives up bits would make of a file.
 *
 * The first rows of a few tensors are coded as if they were tensors of their
 * own. How many bits a value takes depends little on what the values are.
 * What exact coding makes of each tensor is told by a few places of it
 * (seen.h). Tensors that are the base's, such as the codec cannot take, and
 * such as are smaller exactly count with the rest.
 */
#ifndef DFS_WRITE_TRIAL_H
#define DFS_WRITE_TRIAL_H

#include "write/seen.h"

struct dfs_trial {
	uint64_t values, bytes;	/* of all tensors that the codec would take, and of these in the file */
	uint64_t stored;	/* what they would take in a container */
	uint64_t exact_stored;	/* the same, coded exactly */
	uint64_t rest;		/* bytes of the file that it would not take */
	uint64_t rest_stored;	/* what they would take, coded exactly */
	double seconds, exact_seconds;	/* of one thread, to code them; exactly: 0 if nobody asked */
};

/**
 * dfs_trial() - try input->spec's codec over input->base
 * @input: its header is @seen's
 * @hand: scratch of this thread
 * @exact: how long coding the same exactly takes is wanted as well
 * @ret_trial: values is 0 if the codec would take nothing, or what it would take has nothing to give up
 * @ret_scopes: of each tensor of the header; NULL: nobody asks
 * Return: 0; -EIO, -ENOMEM.
 */
int dfs_trial(const struct dfs_work_input *input, struct dfs_seen *seen, struct dfs_hand *hand, bool exact,
	      struct dfs_trial *ret_trial, enum dfs_scope *ret_scopes, struct dfs_err *err);

#endif
