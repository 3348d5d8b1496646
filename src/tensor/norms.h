/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * norms: what models that were fine-tuned from the same base are compared by:
 * the sum over tensors of the trace norms (sums of singular values) of their
 * differences from it. X. Wang et al.: UltraDelta, arXiv:2505.13563, TNGR.
 */
#ifndef DFS_TENSOR_NORMS_H
#define DFS_TENSOR_NORMS_H

/* Each kind is compared with its own. */
enum dfs_norm {
	DFS_NORM_ESTIMATE,	/* from deviations and shapes */
	DFS_NORM_EXACT,		/* of singular values */
	DFS_NORMS
};

struct dfs_norms {
	double of[DFS_NORMS];	/* 0: not known */
};

#endif
