/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * linear: which tensors are the matrices of a transformer's linear layers.
 *
 * Papers on compressed fine-tunes compress these alone. A file says nothing of
 * what a tensor is for; names and shapes do, by the habits of the libraries
 * that write them.
 */
#ifndef DFS_TENSOR_LINEAR_H
#define DFS_TENSOR_LINEAR_H

#include "tensor/safetensors.h"

/* What a tensor is, as far as its name and shape tell. */
enum dfs_role {
	DFS_ROLE_LINEAR,	/* a matrix of a linear layer, or a stack of experts' */
	DFS_ROLE_EMBEDDING,	/* embeddings and output heads: rows stand for tokens or classes */
	DFS_ROLE_NORM,		/* norms, biases, everything of one dimension */
	DFS_ROLE_OTHER,		/* convolutions, routers, small or odd shapes, integers */
	DFS_ROLES
};

/* Rows and columns of a matrix at least: below, tables would cost more than is saved. */
#define DFS_LINEAR_MIN 64

/* dfs_tensor_is_matrix() - two dimensions, or a stack of such, of at least DFS_LINEAR_MIN */
bool dfs_tensor_is_matrix(const struct dfs_tensor *tensor);

/* dfs_tensor_role() - by the table of names in linear.c, and by shape */
enum dfs_role dfs_tensor_role(const struct dfs_tensor *tensor);

const char *dfs_role_name(enum dfs_role role);	/* "linear", "embedding", "norm", "other" */

#endif
