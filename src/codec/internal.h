/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal: what the files of this folder share and nobody else sees.
 */
#ifndef DFS_CODEC_INTERNAL_H
#define DFS_CODEC_INTERNAL_H

#include "codec/codec.h"
#include "codec/value.h"

/* The head of every opened table: one allocation, so closing it is free(). */
struct dfs_table {
	size_t size;
};

/* Who uses which buffer of a scratch; a codec may call another only if their slots differ. */
enum dfs_scratch_slot {
	DFS_SLOT_SPLIT,		/* diff: a block or a row, taken apart; delta-dct: a part of a strip; ultradelta: places in a chunk */
	DFS_SLOT_CLASSES,	/* diff: the class of each row; ultradelta: what was drawn */
	DFS_SLOT_WORDS,		/* diff, solo, ultradelta: what the coder wrote; delta-dct: patches, transformed */
	DFS_SLOT_TRIAL,		/* exact: the payload that is being tried */
	DFS_SLOT_SYMBOLS,	/* solo, ultradelta: one byte a value */
	DFS_SLOT_COUNTS,	/* diff: counts of a chunk */
	DFS_SLOT_FACTORS,	/* delta-come: both factors and what they make; ultradelta: a tensor's differences, all of them */
};

enum dfs_cpu dfs_scratch_cpu(const struct dfs_scratch *scratch);

/* Objects of other libraries that live as long as the scratch. */
enum dfs_scratch_object { DFS_OBJECT_ZSTD_ENCODE, DFS_OBJECT_ZSTD_DECODE, DFS_OBJECT_DCT, DFS_OBJECTS };

/* dfs_scratch_object() - where object @which is kept: NULL at first; @end frees it (not called for NULL) */
void **dfs_scratch_object(struct dfs_scratch *scratch, enum dfs_scratch_object which,
			  void (*end)(void *object));

/* dfs_table_alloc() - @size bytes on a 64-byte boundary, the first @zeros of them zero; counted in the head. NULL: out of memory. */
void *dfs_table_alloc(size_t size, size_t zeros);

struct dfs_lossy;

extern const struct dfs_codec dfs_codec_bitdelta;
extern const struct dfs_lossy dfs_lossy_bitdelta;
extern const struct dfs_codec dfs_codec_delta_come;
extern const struct dfs_lossy dfs_lossy_delta_come;
extern const struct dfs_codec dfs_codec_delta_dct;
extern const struct dfs_lossy dfs_lossy_delta_dct;
extern const struct dfs_codec dfs_codec_ultradelta;
extern const struct dfs_lossy dfs_lossy_ultradelta;
extern const struct dfs_codec dfs_codec_copy;
extern const struct dfs_codec dfs_codec_stored;
extern const struct dfs_codec dfs_codec_zstd;
extern const struct dfs_codec dfs_codec_diff;
extern const struct dfs_codec dfs_codec_sparse;
extern const struct dfs_codec dfs_codec_solo;

#endif
