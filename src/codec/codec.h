/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codec: how the difference between values and their prediction is written.
 *
 * A codec is one file in this folder and one row in a table indexed by its
 * on-disk id: pure functions, no I/O, no log, no locks. The encoder runs, for
 * each tensor (segment):
 *
 *	measure  every chunk, any order, any thread: adds to a record
 *	plan     all records of the model in, per-tensor parameters out
 *	prepare  one tensor: its record and parameters -> shared table (bytes)
 *	encode   every chunk, given that table (opened)
 *
 * and the reader opens a table once and decodes any chunk with it.
 *
 * Records of the same tensor add up, so that they can be taken in threads;
 * all arithmetic on them is integer, so the sum has no order.
 *
 * `exact` (codec/exact.h) is the policy that picks the smallest exact codec
 * for each chunk.
 */
#ifndef DFS_CODEC_CODEC_H
#define DFS_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/dtype.h"
#include "util/bytes.h"
#include "util/cpu.h"
#include "util/err.h"

/* On-disk ids, deltafs-format(5) "codecs". */
enum dfs_codec_id {
	DFS_CODEC_COPY = 0,
	DFS_CODEC_STORED = 1,
	DFS_CODEC_ZSTD = 2,
	DFS_CODEC_DIFF = 3,
	DFS_CODEC_SPARSE = 4,
	DFS_CODEC_SOLO = 5,
	DFS_CODEC_BITDELTA = 16,
	DFS_CODEC_DELTA_DCT = 17,
	DFS_CODEC_ULTRADELTA = 18,
	DFS_CODEC_DELTA_COME = 19,
	DFS_CODECS
};

/*
 * Bytes that must be readable (any content) after a payload given to decode():
 * kernels look for the end of the payload only once for each row of lanes.
 */
#define DFS_PAYLOAD_PAD 512
/* Room that must be writable after the n values given to decode() and predict(). */
#define DFS_VALUES_PAD 64

/* What the values of a segment have in common. */
struct dfs_shape {
	uint8_t dtype;	/* enum dfs_dtype; its info gives size, exponent, mantissa */
	uint8_t drop;	/* low bits of each value that are zero (a narrower float parked in a wider) */
	uint64_t cols;	/* values in a row; 0: no rows */
	uint64_t rows;	/* whole rows in the segment; 0: no rows */
};

/* One chunk: @n values from number @first of its segment on. */
struct dfs_block {
	struct dfs_shape shape;
	uint64_t first;
	size_t n;
	const void *pred;	/* n predicted values, multiples of 2^drop; NULL: none */
};

/* Buffers that encode and decode reuse from call to call; one a thread. */
struct dfs_scratch;
struct dfs_scratch *dfs_scratch_new(void);
void dfs_scratch_free(struct dfs_scratch *scratch);
/**
 * dfs_scratch_get() - at least @len bytes, 64-byte aligned, in slot @slot (0 .. DFS_SCRATCH_SLOTS - 1)
 * Valid until the next get of the same slot, which gives the same bytes again unless it wants more. Return: NULL if out of memory.
 */
#define DFS_SCRATCH_SLOTS 8
void *dfs_scratch_get(struct dfs_scratch *scratch, unsigned slot, size_t len);

/* A shared table ready for use: opaque, made by table_open(). Immutable, any thread. */
struct dfs_table;

struct dfs_codec {
	const char *name;
	bool exact;		/* decode(encode(x)) is x, bit for bit */
	bool needs_prediction;
	size_t record_size;	/* 0: measures nothing, has no shared table */

	/* accepts() - can this codec take values of this shape at all */
	bool (*accepts)(struct dfs_shape shape);

	/**
	 * measure() - add one chunk to a record (zeroed before the first)
	 * @data: block->n values
	 */
	int (*measure)(const struct dfs_block *block, const void *data, void *record,
		       struct dfs_scratch *scratch);
	/* merge() - add record @from to @into */
	void (*merge)(void *into, const void *from);

	/**
	 * plan() - decide for all tensors of a model together; NULL: nothing to decide
	 * @records: n records; @params: n spans' worth of parameters out
	 */
	int (*plan)(const void *const *records, size_t n, struct dfs_buf *params,
		    struct dfs_err *err);

	/**
	 * prepare() - the shared table of a tensor, as bytes for the container
	 * @params: this tensor's from plan(), or empty
	 * @table: appended to; nothing appended: the codec is of no use here
	 */
	int (*prepare)(struct dfs_shape shape, const void *record, struct dfs_span params,
		       struct dfs_buf *table, struct dfs_err *err);

	/**
	 * table_open() - make a table from its bytes, checking every one
	 * @encoding: also build what only encode() needs
	 * @ret_table: table_close() it; dfs_table_size() tells its memory
	 *
	 * Return: 0; -EUCLEAN; -ENOMEM. Codecs with record_size 0 have neither.
	 */
	int (*table_open)(struct dfs_shape shape, struct dfs_span bytes, bool encoding,
			  struct dfs_table **ret_table, struct dfs_err *err);

	/* bound() - payload bytes at most for @n values of this shape */
	size_t (*bound)(struct dfs_shape shape, size_t n);

	/**
	 * encode() - write the difference of @data from block->pred
	 * @payload: room for bound()
	 *
	 * Return: 0; -ERANGE if this codec declines the data; -ENOMEM.
	 */
	int (*encode)(const struct dfs_block *block, const void *data,
		      const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
		      struct dfs_scratch *scratch);
	/**
	 * decode() - the values again
	 * @payload: followed by DFS_PAYLOAD_PAD readable bytes
	 * @out: room for n values and DFS_VALUES_PAD bytes; may be block->pred itself
	 *
	 * Never reads or writes outside, whatever the payload holds. All of the
	 * payload must be used up. Return: 0; -EUCLEAN; -ENOMEM.
	 */
	int (*decode)(const struct dfs_block *block, struct dfs_span payload,
		      const struct dfs_table *table, void *out,
		      struct dfs_scratch *scratch, struct dfs_err *err);
};

/* dfs_codec_find() - the row; NULL and *ret_code -EUCLEAN (no such id) or -ENOTSUP (not in this build), with a sentence. */
const struct dfs_codec *dfs_codec_find(unsigned id, int *ret_code, struct dfs_err *err);
const char *dfs_codec_name(unsigned id);	/* "?" if unknown */
int dfs_codec_parse(const char *name);		/* id, or -EINVAL */

/* dfs_table_size() - bytes of memory that it holds */
size_t dfs_table_size(const struct dfs_table *table);
void dfs_table_close(struct dfs_table *table);	/* NULL is fine */

/**
 * dfs_scratch_set_cpu() - kernels that calls with this scratch use (default: dfs_cpu_best() at dfs_scratch_new())
 * Levels above what the CPU has are lowered.
 */
void dfs_scratch_set_cpu(struct dfs_scratch *scratch, enum dfs_cpu level);

#endif
