/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct: what the files of this codec share; delta_dct.c says what it is.
 *
 *	dct.c			the transform back, the same bits on every machine
 *	dct_forward.c		the transform, by FFTW (writing only)
 *	delta_dct_options.c	p=, bits=, levels=, codes=
 *	delta_dct_levels.c	the levels that codes stand for
 *	delta_dct_table.c	the shared table
 *	delta_dct_read.c	a payload, part of a strip after part
 *	delta_dct_write.c	a chunk's differences to a payload
 *	delta_dct_sums.c	what measuring asks of values
 *	delta_dct_rank.c	which patches are important
 *	delta_dct.c		the row of functions
 */
#ifndef DFS_CODEC_DELTA_DCT_H
#define DFS_CODEC_DELTA_DCT_H

#include "codec/internal.h"
#include "codec/lossy.h"

#define DFS_DCT_CLASSES 8	/* in a table */
#define DFS_DCT_P_MAX 64
#define DFS_DCT_UNIT_MAX 0x1p80f	/* with these two no difference reaches 2^125: see read_patch() */
#define DFS_DCT_SCALE_MAX 0x1p16f

/* --- the transform: p is 8, 16, 32 or 64 */

/* dfs_dct_cosines() - the p * p values A[k][i] of deltafs-format(5), row after row */
void dfs_dct_cosines(unsigned p, float *out);

/**
 * dfs_dct_inverse() - p * p coefficients to p rows of p values
 * @cosines: of dfs_dct_cosines()
 * @out: not overlapping @in; rows are @stride values apart
 */
void dfs_dct_inverse(enum dfs_cpu cpu, unsigned p, const float *cosines, const float *in, float *out,
		     size_t stride);

/* Patches that dfs_dct_forward() takes at a time: 64 KiB of them. */
#define DFS_DCT_BATCH 16384
static inline unsigned dfs_dct_batch(unsigned p)
{
	return DFS_DCT_BATCH / (p * p);
}

/**
 * dfs_dct_forward() - two-dimensional DCT-II of @n <= dfs_dct_batch() patches: 2p times the orthonormal one
 * @in, @out: 64-byte aligned, room for a batch
 * Return: 0; -ENOMEM. The last bits depend on FFTW's plan.
 */
int dfs_dct_forward(struct dfs_scratch *scratch, unsigned p, float *in, float *out, size_t n);

/* --- options */

struct dfs_dct_options {
	double p, levels, codes;	/* indexes of words */
	uint32_t n_classes;
	struct dfs_dct_share {
		uint32_t bits;
		double share;		/* of the patches; the sum is 1 */
	} classes[DFS_DCT_CLASSES];	/* by falling bits */
};

extern const struct dfs_option dfs_dct_option_rows[];
void dfs_dct_defaults(void *options);
unsigned dfs_dct_option_p(const struct dfs_dct_options *options);

/* --- the shared table */

struct dfs_dct_params {
	uint32_t p;
	uint32_t number;	/* bytes of a gain, a bound or a mean: 1 or 2 */
	bool minmax;
	uint32_t n_classes;
	uint8_t bits[DFS_DCT_CLASSES];	/* falling */
	float gain_unit, mean_unit, scale;
};

/* dfs_dct_params_of() - units 0, scale 1 */
struct dfs_dct_params dfs_dct_params_of(const struct dfs_dct_options *options);

struct dfs_dct_table {
	struct dfs_table base;
	struct dfs_dct_params params;
	float gains[256], means[256];		/* what numbers of one byte stand for, scaled */
	uint32_t levels[DFS_DCT_CLASSES];	/* where in data: by byte of codes (1 or 2 bits), else by code */
	float data[];				/* cosines, then these */
};

/* dfs_dct_table_bytes() - of a struct dfs_dct_table */
size_t dfs_dct_table_bytes(const struct dfs_dct_params *params);
/* dfs_dct_table_init() - @t: zero, so many bytes */
void dfs_dct_table_init(struct dfs_dct_table *t, const struct dfs_dct_params *params);

int dfs_dct_table_put(const struct dfs_dct_params *params, struct dfs_buf *table, struct dfs_err *err);
int dfs_dct_table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding, struct dfs_table **ret_table,
		       struct dfs_err *err);

enum dfs_dct_number { DFS_DCT_GAIN, DFS_DCT_BOUND, DFS_DCT_MEAN };

/* dfs_dct_number_get() - the value at @at, scaled */
float dfs_dct_number_get(const struct dfs_dct_table *t, enum dfs_dct_number kind, const uint8_t *at);
/* dfs_dct_number_put() - @value, before scaling */
void dfs_dct_number_put(const struct dfs_dct_table *t, enum dfs_dct_number kind, double value, uint8_t *at);
/* dfs_dct_unit() - of numbers up to @largest; for @number bytes */
float dfs_dct_unit(unsigned number, bool mean, double largest);

/* dfs_dct_level() - what code @code of @bits stands for, before it is multiplied and moved */
float dfs_dct_level(bool minmax, unsigned bits, unsigned code);

/* --- a payload */

/* Where the parts of a chunk's payload lie. */
struct dfs_dct_layout {
	size_t rows, cols;		/* of the chunk */
	size_t across, patches;		/* across: in a strip */
	unsigned map_bits;		/* for each patch */
	size_t numbers[DFS_DCT_CLASSES];
	size_t codes[DFS_DCT_CLASSES];
	size_t len;
};

/* dfs_dct_patches() - across, of @cols; down, of @rows */
static inline uint64_t dfs_dct_patches(uint64_t values, unsigned p)
{
	return values / p + (values % p != 0);
}

/**
 * dfs_dct_layout() - of @rows rows of which @counts[i] patches are of class i
 * @counts: NULL: only what does not depend on it
 */
struct dfs_dct_layout dfs_dct_layout(const struct dfs_dct_params *params, size_t rows, size_t cols,
				     const size_t *counts);
/* dfs_dct_layout_step() - past a patch of class @c */
void dfs_dct_layout_step(const struct dfs_dct_params *params, struct dfs_dct_layout *l, unsigned c);

/* A payload that is being read. */
struct dfs_dct_reader {
	const struct dfs_dct_table *t;
	const uint8_t *payload;
	struct dfs_dct_layout l;	/* numbers and codes: those of the next patch */
	size_t patch, row, col;		/* the next ones */
	enum dfs_cpu cpu;
	float *room;
};

/* What comes next: differences, in rows that are @stride values apart. */
struct dfs_dct_part {
	size_t row, col, rows, cols;
	size_t stride;
	const float *values;
};

/* dfs_dct_read_open() - check all of a payload. Return: 0; -EUCLEAN; -ENOMEM. */
int dfs_dct_read_open(struct dfs_dct_reader *r, const struct dfs_dct_table *t, struct dfs_shape shape, size_t n,
		      struct dfs_span payload, struct dfs_scratch *scratch, struct dfs_err *err);
/* dfs_dct_read() - false: there is no more; @ret_part is valid until the next call */
bool dfs_dct_read(struct dfs_dct_reader *r, struct dfs_dct_part *ret_part);

/* What the first pass found out of each patch. */
struct dfs_dct_known {
	const uint8_t *classes;
	const float *norms;	/* roots of the sums of squares */
	const float *means;
};

/**
 * dfs_dct_write() - the payload of a chunk
 * @t: its scale is 1
 * @known: of the chunk's patches
 * @payload: room for dfs_dct_layout()'s len
 * Return: 0; -ENOMEM.
 */
int dfs_dct_write(const struct dfs_dct_table *t, const struct dfs_dct_layout *layout,
		  const struct dfs_dct_known *known, const float *delta, uint8_t *payload, struct dfs_scratch *scratch);

/* --- sums, and which patches are important */

struct dfs_dct_sums {
	double square[8], sum[8], magnitude[8];	/* the first of each counts */
} __attribute__((aligned(64)));

/* dfs_dct_sums() - over @rows runs of @cols values that begin @stride apart */
struct dfs_dct_sums dfs_dct_sums(enum dfs_cpu cpu, const float *values, size_t stride, size_t rows, size_t cols);

/* dfs_dct_magnitude() - the last of the three, alone: the same number */
double dfs_dct_magnitude(enum dfs_cpu cpu, const float *values, size_t stride, size_t rows, size_t cols);

/* dfs_dct_drops_chance() - do so many patches of a matrix have bits that a mean by chance of others is none */
bool dfs_dct_drops_chance(const struct dfs_dct_options *options, uint64_t rows, uint64_t cols);

/* dfs_dct_mean() - of @n values; 0 if chance alone may have made it, and @drops_chance */
double dfs_dct_mean(const struct dfs_dct_sums *sums, size_t n, bool drops_chance);

/**
 * dfs_dct_counts() - how many patches of a matrix are of each class
 *
 * A class has its share of as many as the values would fill, the last one the
 * rest: patches that reach beyond the edges are more. Of narrow matrices, which
 * are mostly edges, of all. Return: of how many.
 */
size_t dfs_dct_counts(const struct dfs_dct_options *options, uint64_t rows, uint64_t cols, size_t *ret_counts);

/**
 * dfs_dct_rank() - classes by falling norm, as dfs_dct_counts(); of equals the first is first
 * @norms, @classes: of each patch of a matrix; norms are not negative
 * Return: 0; -ENOMEM.
 */
int dfs_dct_rank(const struct dfs_dct_options *options, uint64_t rows, uint64_t cols, const float *norms,
		 uint8_t *classes);

#endif
