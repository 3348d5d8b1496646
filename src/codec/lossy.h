/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy: how the codecs that give up bits are made to write.
 *
 * Reading needs struct dfs_codec alone (codec.h). Writing needs more than one
 * look at a tensor, and at times at the whole model, so each such codec has a
 * row here as well. For each tensor the encoder runs
 *
 *	measure  every chunk in order, once for each pass; settle ends a pass
 *	plan     the records of all tensors together (whole_model)
 *	prepare  one tensor: its record -> shared table, and notes for encode
 *	encode   every chunk, any order, any thread
 *
 * Without a plan a tensor is prepared as soon as it is measured, and its record
 * let go.
 *
 * All work on the difference: the tensor's values less their prediction, both
 * as F32, subtracted in F32. A tensor is measured and prepared by one thread,
 * chunk after chunk, so that sums have one order.
 *
 * What the decoder makes of it is, value by value, dfs_add() of the prediction
 * and a decoded difference (add.h).
 */
#ifndef DFS_CODEC_LOSSY_H
#define DFS_CODEC_LOSSY_H

#include "codec/codec.h"
#include "tensor/norms.h"

/* The most that any codec's options take; each row says what it makes of it. */
#define DFS_LOSSY_OPTIONS_MAX 256

/* One tensor, as plan, prepare and encode see it. */
struct dfs_lossy_tensor {
	struct dfs_shape shape;		/* rows and cols are not 0; drop is */
	uint32_t chunk_rows;		/* as in the segment; 0: cut on the grid */
	uint32_t number;		/* of the lossy tensors of the model, from 0: tells random numbers apart */
	uint64_t values;		/* rows * cols */
	void *record;			/* codec's, record_size() */
};

/* How one option of a SPEC is read: a word of a list, or a number. */
struct dfs_option {
	const char *name;
	const char *const *words;	/* NULL-terminated: stored as its index (double); NULL: a number, or parse() */
	double min, max;		/* of a number */
	bool whole;			/* integers only */
	unsigned offset;		/* of a double in the options */
	/* parse() - for what is neither word nor number. Return: 0; -EINVAL with a sentence. */
	int (*parse)(const char *text, void *options, struct dfs_err *err);
};

struct dfs_lossy {
	const struct dfs_codec *codec;
	const struct dfs_option *options;	/* ends with a nameless one */
	void (*defaults)(void *options);	/* fills in DFS_LOSSY_OPTIONS_MAX bytes, zero before */
	/* check() - do they go together, all being read; may be NULL. Return: 0; -EINVAL with a sentence. */
	int (*check)(const void *options, struct dfs_err *err);
	bool whole_model;			/* plan() must see every tensor of every shard */

	/* passes() - over a tensor before plan and prepare */
	unsigned (*passes)(const void *options);

	/* chunk_rows() - rows of a chunk: as many whole patches as fit 256 KiB, at least one. NULL: cut on the grid. */
	uint32_t (*chunk_rows)(const void *options, struct dfs_shape shape);
	/* takes() - is the tensor large and even enough for these options; NULL: always */
	bool (*takes)(const void *options, struct dfs_shape shape);
	size_t (*record_size)(const void *options, struct dfs_shape shape);
	/* room() - bytes that a tensor takes from measure to prepare, its record included; NULL: the record is all that counts */
	size_t (*room)(const void *options, struct dfs_shape shape);

	/**
	 * measure() - add a chunk to the record (zero before the first pass)
	 * @delta: block->n differences, all finite; the codec may overwrite them
	 * Return: 0; -ENOMEM.
	 */
	int (*measure)(const void *options, unsigned pass, const struct dfs_block *block, float *delta,
		       const struct dfs_lossy_tensor *tensor, struct dfs_scratch *scratch);
	/* settle() - after the last chunk of a pass; may be NULL. Return: 0; -ENOMEM. */
	int (*settle)(const void *options, unsigned pass, const struct dfs_lossy_tensor *tensor);
	/* plan() - may be NULL; what it decides goes into the records. Return: 0; -ENOMEM; -ENOTSUP, -ERANGE: of a library. */
	int (*plan)(const void *options, const struct dfs_lossy_tensor *tensors, size_t n, struct dfs_err *err);
	/* planned() - what plan() decided for a tensor: planned_size bytes of its record, to be kept for another run over the model */
	void *(*planned)(const struct dfs_lossy_tensor *tensor);
	size_t planned_size;			/* 0: there is no plan() */
	/* compares() - do the options want the base's norm, and of which kind; may be NULL: never */
	bool (*compares)(const void *options, enum dfs_norm *ret_kind);
	/* compare() - here it is; where there is compares() */
	void (*compare)(void *options, double norm);
	/* norm() - after plan(): the model's own, of that kind; where there is compares() */
	double (*norm)(const struct dfs_lossy_tensor *tensor);
	/**
	 * prepare() - the tensor's table, as bytes for the container
	 * @notes: appended to: what only encode() needs; may stay empty
	 * Return: 0; -ERANGE: the codec declines this tensor, it is to be exact; -ENOMEM.
	 */
	int (*prepare)(const void *options, const struct dfs_lossy_tensor *tensor, struct dfs_buf *table,
		       struct dfs_buf *notes, struct dfs_err *err);
	/* table_grows() - does a table grow with the rows of its tensor; NULL: it does */
	bool (*table_grows)(const void *options);
	/**
	 * encode() - one chunk
	 * @delta: block->n differences, which the codec may overwrite; whatever they are if encodes_notes
	 * @table: opened from prepare()'s bytes, for encoding
	 * @payload: room for codec->bound()
	 * Return: 0; -ENOMEM.
	 */
	int (*encode)(const struct dfs_block *block, float *delta, const struct dfs_table *table,
		      struct dfs_span notes, uint8_t *payload, size_t *ret_len, struct dfs_scratch *scratch);
	bool encodes_notes;			/* encode() takes all from them, and nothing from the differences */
};

/* dfs_lossy_find() - the row of a codec by its on-disk id; NULL: it is exact, or there is none */
const struct dfs_lossy *dfs_lossy_find(unsigned id);

/**
 * dfs_lossy_parse() - the options behind the colon of a SPEC: "s=0.97,mask=stored"
 * @text: NULL or empty: defaults
 * @options: DFS_LOSSY_OPTIONS_MAX bytes
 * Return: 0; -EINVAL with a sentence that names the option and what it may be.
 */
int dfs_lossy_parse(const struct dfs_lossy *lossy, const char *text, void *options, struct dfs_err *err);

/**
 * dfs_delta() - data less its prediction, in F32
 * @dtype: BF16, F16 or F32
 * Return: false if a value is not finite, or larger than 2^11 (F16) or 2^120:
 * sums of what codecs make of such differences overflow easily.
 */
bool dfs_delta(unsigned dtype, const void *data, const void *pred, float *delta, size_t n);

/**
 * dfs_lossy_encode() - encode() of a chunk of values that dfs_delta() has taken
 * @data: the values
 * @delta: room for block->n differences
 * Return: 0; -ENOMEM.
 */
int dfs_lossy_encode(const struct dfs_lossy *lossy, const struct dfs_block *block, const void *data, float *delta,
		     const struct dfs_table *table, struct dfs_span notes, uint8_t *payload, size_t *ret_len,
		     struct dfs_scratch *scratch);

/* dfs_lossy_finite() - of BF16, F16 or F32: is none of them an infinity or a NaN */
bool dfs_lossy_finite(unsigned dtype, const void *values, size_t n);

#endif
