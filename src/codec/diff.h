/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff: private to the files of this codec; see diff.c for what it is.
 */
#ifndef DFS_CODEC_DIFF_H
#define DFS_CODEC_DIFF_H

#include "codec/rans.h"

#define DFS_CONTEXTS 16		/* octaves of the prediction that are told apart */
#define DFS_CLASSES 16		/* of rows; class 0 is a row that equals its prediction */
#define DFS_DIFF_TABLES 30	/* with two of ours, 32 of 2^11 slots: 16 bits say where one begins */
#define DFS_DIFF_LOG_MAX 11
#define DFS_CLASS_COLS_MIN 16	/* so that 16 values touch at most two rows */

/*
 * What measuring counts, without knowing the tensor's scale yet: bins are
 * octaves of the prediction in absolute terms, scales are half octaves of a
 * row's mean difference modulo 31 (the range that a tensor uses is shorter).
 */
#define DFS_BINS 48
#define DFS_SCALES 32		/* scale 0: the row equals its prediction */

/* --- tokens: u < 16 is itself; else its top bit's place and the bit below, the rest plain */

#define DFS_TOKENS_MAX 136

DFS_INLINE unsigned dfs_tokens(const struct dfs_layout *l)
{
	return 2 * l->width + 8;
}

/* Without a branch: whether u is small is not to be predicted. */
DFS_INLINE unsigned dfs_token_of(uint64_t u)
{
	unsigned e = 63 - __builtin_clzll(u | 2);
	unsigned small = -(unsigned)(u < 16);
	unsigned large = 2 * e + 8 + (u >> (e - 1) & 1);

	return large ^ ((large ^ (unsigned)u) & small);
}

/* dfs_token_bits() - plain bits that follow a token */
DFS_INLINE unsigned dfs_token_bits(unsigned token)
{
	return token < 16 ? 0 : (token >> 1) - 5;
}

/* dfs_token_top() - what stands above the plain bits: u = top << bits | plain */
DFS_INLINE unsigned dfs_token_top(unsigned token)
{
	return token < 16 ? token : 2 + (token & 1);
}

/* --- taking a run of values apart (diff_split*.c) */

/*
 * What gets counted: the octave of the prediction, as a bin, and the token of
 * the difference; cell = bin * dfs_tokens() + token. What gets coded besides:
 * the folded difference, in u64 for values of 8 bytes, else in u32.
 */
struct dfs_split {
	uint16_t *cell;
	uint32_t *u32;
	uint64_t *u64;
};

/* dfs_bin_low() - exponent field of bin 0 (and of all below) */
DFS_INLINE unsigned dfs_bin_low(const struct dfs_layout *l)
{
	int bias = l->exponent ? (1 << (l->exponent - 1)) - 1 : 0;

	return bias > 38 ? bias - 38 : 0;
}

DFS_INLINE size_t dfs_cells(const struct dfs_layout *l)
{
	return (size_t)DFS_BINS * dfs_tokens(l);
}

/* dfs_context() - the context of an exponent field, or of a bin where @top is one */
DFS_INLINE unsigned dfs_context(unsigned top, unsigned exponent)
{
	unsigned below = exponent < top ? top - exponent : 0;

	return below < DFS_CONTEXTS ? below : DFS_CONTEXTS - 1;
}

/* @pred and @data as in the file. Arrays of the split have room for DFS_SPLIT_PAD more. */
#define DFS_SPLIT_PAD 64
typedef void dfs_split_fn(const struct dfs_layout *l, const uint8_t *pred, const uint8_t *data,
			  size_t n, struct dfs_split *split);
dfs_split_fn dfs_diff_split_1, dfs_diff_split_2, dfs_diff_split_4, dfs_diff_split_8;
dfs_split_fn dfs_diff_split_avx2_2;
dfs_split_fn dfs_diff_split_avx512_1, dfs_diff_split_avx512_2, dfs_diff_split_avx512_4;

/* dfs_diff_split_kernel() - the one for this CPU; integers and floats of any size */
dfs_split_fn *dfs_diff_split_kernel(enum dfs_cpu cpu, const struct dfs_layout *l);

/* dfs_split_alloc() - room in the scratch for @n values taken apart; false: out of memory */
bool dfs_split_alloc(struct dfs_split *split, const struct dfs_layout *l, size_t n,
		     struct dfs_scratch *scratch);

/* dfs_row_scale() - 1 + half octaves of the mean difference, modulo 31; 0: all u are 0 */
unsigned dfs_row_scale(const struct dfs_layout *l, const struct dfs_split *split, size_t n);

/* dfs_rows_usable() - may rows of this shape have classes */
bool dfs_rows_usable(struct dfs_shape shape, const struct dfs_layout *l);

/* A walk over the (parts of) rows that a block touches. */
struct dfs_row_walk {
	uint64_t cols;
	size_t at, len;		/* this part, in values of the block */
	size_t n;
};

DFS_INLINE size_t dfs_rows_touched(const struct dfs_block *b)
{
	uint64_t cols = b->shape.cols;

	return b->n ? (b->first + b->n - 1) / cols - b->first / cols + 1 : 0;
}

DFS_INLINE void dfs_row_first(struct dfs_row_walk *w, const struct dfs_block *b)
{
	uint64_t left = b->shape.cols - b->first % b->shape.cols;

	*w = (struct dfs_row_walk){ b->shape.cols, 0, left < b->n ? left : b->n, b->n };
}

DFS_INLINE void dfs_row_next(struct dfs_row_walk *w)
{
	w->at += w->len;
	w->len = w->n - w->at < w->cols ? w->n - w->at : w->cols;
}

/* --- what a tensor's measuring found (diff_measure.c) */

struct dfs_diff_record {
	uint64_t values;
	uint64_t rows[DFS_SCALES];
	uint8_t dtype, drop;
	bool has_rows;		/* counts has DFS_SCALES parts, else one */
	bool started;
	/* [scale][bin][token]; as many as the shape needs */
	uint32_t counts[];
};

size_t dfs_diff_record_size(struct dfs_shape shape);
#define DFS_DIFF_RECORD_MAX (sizeof(struct dfs_diff_record) + \
			     4ul * DFS_SCALES * DFS_BINS * (2 * 32 + 8))

int dfs_diff_measure(const struct dfs_block *block, const void *data,
		     struct dfs_diff_record *record, struct dfs_scratch *scratch);
void dfs_diff_merge(struct dfs_diff_record *into, const struct dfs_diff_record *from);

/* dfs_diff_bits() - estimated bits of all that was measured */
uint64_t dfs_diff_bits(struct dfs_shape shape, const struct dfs_diff_record *record);

/* --- which counts share a table (diff_cells.c) */

#define DFS_CELLS_MAX (DFS_CLASSES * DFS_CONTEXTS)

struct dfs_cell {
	uint64_t counts[DFS_TOKENS_MAX];
	uint64_t total;		/* > 0 */
};

/**
 * dfs_cells_share() - put cells together where that saves bits, or to at most @most
 * @cells: in: n of them; out: the first *ret_tables hold the counts of each table
 * @table_of: out: the table of each of the @n cells
 *
 * Return: bits that all of them take, tables included.
 */
uint64_t dfs_cells_share(struct dfs_cell *cells, unsigned n, unsigned n_tokens, unsigned most,
			 uint8_t *table_of, unsigned *ret_tables);

/* --- the table of a tensor (diff_model.c decides, diff_table.c writes and reads) */

struct dfs_diff_model {
	struct dfs_layout layout;
	unsigned log;
	unsigned precision;
	unsigned top;		/* exponent field of context 0 */
	unsigned n_classes;	/* 1: rows have no classes */
	unsigned n_tables;
	uint8_t from[DFS_CLASSES];		/* scale where each class from 1 on begins, going round */
	uint8_t map[DFS_CLASSES][DFS_CONTEXTS];	/* table of a class and context */
	struct dfs_freq freqs[DFS_DIFF_TABLES];
	struct dfs_freq class_freq;
};

struct dfs_diff_table {
	struct dfs_table head;
	struct dfs_layout layout;
	unsigned log;
	unsigned top;
	unsigned n_classes;
	unsigned n_tables;
	unsigned class_table;	/* the table that classes are coded with */
	uint8_t map[DFS_CLASSES][DFS_CONTEXTS];
	uint8_t scale_class[DFS_SCALES];	/* for the writer */
	/* where in entries a class and context begins */
	uint32_t offset[DFS_CLASSES][DFS_CONTEXTS] __attribute__((aligned(64)));
	const uint32_t *by_head;	/* the same by [class][first bits of the prediction] */
	const struct dfs_rans_symbol *symbols;	/* [class][cell]; NULL: not for writing */
	const struct dfs_rans_symbol *class_symbols;
	uint32_t entries[] __attribute__((aligned(64)));
};

/* The first bits of a value: sign, exponent, and what else there is up to a shift that is known to the compiler. */
DFS_INLINE unsigned dfs_head_shift(unsigned size)
{
	return size == 8 ? 52 : size == 4 ? 23 : size == 2 ? 7 : 0;
}

DFS_INLINE unsigned dfs_heads(unsigned size)
{
	return 1u << (8 * size - dfs_head_shift(size));
}

/*
 * An entry says all about one slot:
 *	bits 0-3	top, as dfs_token_top()
 *	bits 4-9	plain bits
 *	bits 10-20	frequency - 1
 *	bits 21-31	slot - first slot of the symbol
 */
#define DFS_ENTRY_BITS_AT 4
#define DFS_ENTRY_FREQ_AT 10
#define DFS_ENTRY_BIAS_AT 21

/* dfs_diff_model_build() - 0 or -ENOMEM */
int dfs_diff_model_build(struct dfs_diff_model *m, struct dfs_shape shape,
			  const struct dfs_diff_record *record);
int dfs_diff_model_pack(const struct dfs_diff_model *m, struct dfs_buf *table);
int dfs_diff_table_open(struct dfs_shape shape, struct dfs_span bytes, bool encoding,
			struct dfs_table **ret_table, struct dfs_err *err);

/* --- one chunk (diff_encode.c, diff_decode*.c) */

int dfs_diff_encode(const struct dfs_block *block, const void *data,
		    const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
		    struct dfs_scratch *scratch);
int dfs_diff_decode(const struct dfs_block *block, struct dfs_span payload,
		    const struct dfs_table *table, void *out, struct dfs_scratch *scratch,
		    struct dfs_err *err);

/* Values taken apart, to be written backwards; cell says which symbol, class included. */
struct dfs_put_job {
	const struct dfs_rans_symbol *symbols;
	struct dfs_split split;
	struct dfs_rans_writer rans;
	unsigned log;
	unsigned width;
	bool declined;		/* out: a symbol was never counted */
};

/* Writes values [0, @n) of the split, the first of which is on lane 0. */
typedef void dfs_put_fn(struct dfs_put_job *job, size_t n);
dfs_put_fn dfs_diff_put_32, dfs_diff_put_64;	/* by the width of folded differences */
dfs_put_fn dfs_diff_put_avx2_32;	/* widths of up to 17 */
dfs_put_fn dfs_diff_put_avx512_32;

/* A chunk on its way; kernels take whole rows of lanes from @at on. */
struct dfs_diff_job {
	const struct dfs_diff_table *table;
	struct dfs_rans_reader rans;
	const uint8_t *pred;
	uint8_t *out;
	size_t n;
	size_t at;		/* values done */
	const uint8_t *classes;	/* of the row at @at and after; NULL: class 0 of 1 */
	uint64_t cols;
	uint64_t left;		/* values from @at to the end of its row; UINT64_MAX without classes */
};

/* Decodes while whole rows of lanes are left and words last; by bytes a value. Vector units have DFS_LANES. */
typedef void dfs_diff_rows_fn(struct dfs_diff_job *job);
dfs_diff_rows_fn dfs_diff_rows_1, dfs_diff_rows_2, dfs_diff_rows_4, dfs_diff_rows_8;
/* Decodes what is left, less than a row. */
dfs_diff_rows_fn dfs_diff_last_1, dfs_diff_last_2, dfs_diff_last_4, dfs_diff_last_8;
dfs_diff_rows_fn dfs_diff_rows_avx2_1, dfs_diff_rows_avx2_2, dfs_diff_rows_avx2_4;
dfs_diff_rows_fn dfs_diff_rows_avx512_1, dfs_diff_rows_avx512_2, dfs_diff_rows_avx512_4;

#endif
