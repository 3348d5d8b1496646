/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * svd: the linear algebra of encoders, by OpenBLAS.
 *
 * The library is loaded when the first of these is called, not when a program
 * starts: reading needs none of it, and it starts threads and takes address
 * space by the number of CPUs. From then on it uses one thread a call, in the
 * whole process: callers are threads themselves, and sums keep one order.
 * Results are the same in each run on a machine, not on each machine.
 *
 * All matrices are row after row, without gaps. Any thread.
 */
#ifndef DFS_CODEC_SVD_H
#define DFS_CODEC_SVD_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

/* Rows and columns are at most this. */
#define DFS_LINEAR_MAX INT32_MAX

/* dfs_linear_load() - to be called before the others. Return: 0; -ENOTSUP with a sentence. */
int dfs_linear_load(struct dfs_err *err);

/**
 * dfs_linear_top() - the singular vectors of the largest singular values
 * @d: rows x cols
 * @rank: how many; at most the smaller of @rows and @cols
 * @vectors: those of the shorter side, the left ones if it has fewer rows than columns; side x rank, largest first
 * @energies: rank squares of singular values
 *
 * They are eigenvectors of the smaller Gram matrix in F32: squares below 1e-6 of
 * the largest have no meaning.
 *
 * Return: 0; -ENOMEM; -ERANGE if LAPACK does not converge.
 */
int dfs_linear_top(const float *d, uint64_t rows, uint64_t cols, uint64_t rank, float *vectors, float *energies,
		   struct dfs_err *err);

/**
 * dfs_linear_fit() - the other factor of a matrix that is about ret factor^T (transposed: factor ret^T)
 * @factor: cols x rank (transposed: rows x rank)
 * @noise: by column, above 1e-5: variance that the result will get, as a share of its own, when it is rounded
 * @ret: rows x rank (cols x rank): least squared error, that of the noise included
 * Return: 0; -ENOMEM; -ERANGE if LAPACK cannot solve it.
 */
int dfs_linear_fit(const float *d, uint64_t rows, uint64_t cols, bool transposed, const float *factor,
		   const float *noise, uint64_t rank, float *ret, struct dfs_err *err);

/**
 * dfs_linear_trace() - the sum of a matrix's singular values
 *
 * Roots of the eigenvalues of the smaller Gram matrix, all in F64: what is below
 * 1e-8 of the largest has no meaning. Takes 8 bytes for each value of that matrix.
 *
 * Return: 0; -ENOMEM; -ERANGE if LAPACK does not converge.
 */
int dfs_linear_trace(const float *d, uint64_t rows, uint64_t cols, double *ret_sum, struct dfs_err *err);

#endif
