/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_come: the difference as a sum of outer products, few of them fine and
 * many of them coarse.
 *
 * B. Ping et al.: Delta-CoMe: Training-Free Delta-Compression with
 * Mixed-Precision for Large Language Models. NeurIPS 2024. A matrix of
 * differences D (rows x cols) is near U diag(S) V^T with far fewer columns than
 * D has; the first of them are kept at 8 bits a value, more at 3, the rest at 2.
 *
 * Ours is what a file needs and the paper, which calibrates with data, does not
 * say: steps instead of minimum and maximum, 8 bits for the step of a group,
 * and factors fitted to each other after rounding (delta_come_fit.c).
 *
 * Rows of U (one for each row of D) and of V (one for each column) are written
 * alike, each on its own; those of V are the table, those of U the payloads:
 *
 *	a scale for each group of columns at 3 and at 2 bits, one byte each
 *	the codes, lowest bit first, zeros up to a whole byte
 */
#ifndef DFS_CODEC_DELTA_COME_H
#define DFS_CODEC_DELTA_COME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/codec.h"

/* Columns come in three classes, in this order. */
enum { DFS_COME_FINE, DFS_COME_MIDDLE, DFS_COME_COARSE, DFS_COME_CLASSES };

/* dfs_come_bits - of a code, by class */
extern const uint8_t dfs_come_bits[DFS_COME_CLASSES];

struct dfs_come_layout {
	uint32_t cols[DFS_COME_CLASSES];
	uint32_t group;		/* columns of the last two classes that share a scale */
	/* what follows from these: */
	uint32_t rank;		/* columns of all classes */
	uint32_t scales;	/* of a row */
	uint32_t spare;		/* bits of a row's last byte that are zero */
	size_t row_bytes;	/* 0 if there are no columns */
};

/* dfs_come_layout_init() - from cols and group, which is not 0 */
void dfs_come_layout_init(struct dfs_come_layout *layout);

/* A run of columns that share a scale; those of the first class are one run, without. */
struct dfs_come_run {
	uint32_t from, to;
	uint32_t bits;
	bool scaled;
};

/* dfs_come_next() - the run that begins at column run->to; false: there is none. Begin with all zero. */
bool dfs_come_next(const struct dfs_come_layout *layout, struct dfs_come_run *run);

/* dfs_come_scale() - what a scale byte stands for */
float dfs_come_scale(uint8_t code);

/**
 * dfs_come_unpack() - a row
 * @row: layout->row_bytes, and no byte more is read
 * @levels, @scales: rank and layout->scales of them, at least one
 */
void dfs_come_unpack(const struct dfs_come_layout *layout, const uint8_t *row, int8_t *levels, float *scales);

/* dfs_come_row_clean() - are the spare bits of a row zero */
bool dfs_come_row_clean(const struct dfs_come_layout *layout, const uint8_t *row);

/**
 * dfs_come_pack() - round a row, with the scales that lose least
 * @values: rank of them; become what the row stands for
 * @steps: of the columns of the first class; 0: the column is zero
 */
void dfs_come_pack(const struct dfs_come_layout *layout, float *values, const float *steps, uint8_t *row);

/* --- kernels: sums of products, in the order of the columns, each product and sum rounded */

#define DFS_COME_ROWS 4		/* of U that are multiplied at a time */
#define DFS_COME_TILE 64	/* of V */

/**
 * dfs_come_multiply() - out[i][j] = sum over k of a[k][i] * b[k][j]
 * @a: rank x DFS_COME_ROWS
 * @b: rank x DFS_COME_TILE, on a 64-byte boundary
 * @out: DFS_COME_ROWS rows of DFS_COME_TILE, @stride floats (a multiple of 16) apart, on such a boundary
 */
typedef void dfs_come_multiply_fn(const float *a, const float *b, size_t rank, float *out, size_t stride);
extern dfs_come_multiply_fn *const dfs_come_multiply[DFS_CPU_LEVELS];

/**
 * dfs_come_expand() - DFS_COME_TILE values of @n columns: levels times scales
 * @scales: DFS_COME_TILE
 */
typedef void dfs_come_expand_fn(const int8_t *restrict levels, const float *restrict scales, size_t n,
				float *restrict out);
extern dfs_come_expand_fn *const dfs_come_expand[DFS_CPU_LEVELS];

/* --- writing */

struct dfs_come_budget {
	double bits;		/* of codes, for each value of D */
	uint32_t group;
};

/* dfs_come_plan() - columns of each class that the budget has for a matrix, at most @rank of them; none: false */
bool dfs_come_plan(struct dfs_come_budget budget, uint64_t rows, uint64_t cols, uint64_t rank,
		   struct dfs_come_layout *ret_layout);

/* What becomes of a matrix. */
struct dfs_come_fit {
	struct dfs_come_layout layout;
	float *s;	/* rank */
	uint8_t *u, *v;	/* rows and cols packed rows */
};

/**
 * dfs_come_fit() - factors of a matrix
 * @d: rows * cols values, all finite; scaled by a power of two on return
 * @rounds: times that both factors are fitted anew to the other's rounding
 * @ret: dfs_come_fit_release() it, also after a failure
 *
 * Return: 0; -ERANGE: differences too large; -ENOTSUP: no OpenBLAS; -ENOMEM.
 */
int dfs_come_fit(float *d, uint64_t rows, uint64_t cols, struct dfs_come_budget budget, unsigned rounds,
		 struct dfs_come_fit *ret, struct dfs_err *err);
void dfs_come_fit_release(struct dfs_come_fit *fit);

/* dfs_come_encode() - struct dfs_lossy's: it alone needs to know what a table looks like */
int dfs_come_encode(const struct dfs_block *block, float *delta, const struct dfs_table *table, struct dfs_span notes,
		    uint8_t *payload, size_t *ret_len, struct dfs_scratch *scratch);

/* Values of S are below this, so that no sum of products overflows: 2^18 columns of 2^14 times S. */
#define DFS_COME_S_LIMIT 0x1p90f

#endif
