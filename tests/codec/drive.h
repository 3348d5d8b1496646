/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drive: a lossy codec as an encoder uses it: measure passes, plan, prepare,
 * table, chunks; and all chunks back again.
 */
#ifndef DFS_TESTS_CODEC_DRIVE_H
#define DFS_TESTS_CODEC_DRIVE_H

#include "codec/lossy.h"

struct drive {
	const struct dfs_lossy *lossy;
	uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	struct dfs_lossy_tensor tensor;
	size_t unit;			/* bytes of a value */
	uint8_t *pred, *data;		/* the tensor's */
	struct dfs_buf table, notes;
	size_t chunks;
	uint8_t **payloads;		/* each of its length and DFS_PAYLOAD_PAD */
	size_t *lens;
	struct dfs_err err;		/* what was said last */
};

/*
 * drive_new() - a tensor of random predictions (around 0.02), data the same
 * Takes the chunk_rows of the codec, or @chunk_rows if not 0. Never fails (the program ends).
 */
struct drive *drive_new(unsigned codec, const char *options, unsigned dtype, uint64_t rows, uint64_t cols,
			uint32_t chunk_rows);
void drive_free(struct drive *d);

/* drive_set() - data = predictions + differences, rounded to the dtype */
void drive_set(struct drive *d, const float *differences);
/* drive_delta() - the differences that the codec sees; free() them */
float *drive_delta(const struct drive *d);

/* drive_encode() - all of it. Return: 0, or what prepare() returned. */
int drive_encode(struct drive *d);

struct dfs_block drive_block(const struct drive *d, size_t chunk);

/* drive_decode() - every chunk, the last one first, to @out. Return: the first failure. */
int drive_decode(struct drive *d, enum dfs_cpu level, uint8_t *out);

/* drive_bytes() - payloads and table, 32 bytes a chunk and 220 a tensor for a container's records */
size_t drive_bytes(const struct drive *d);

/* drive_floats() - values as F32; free() them */
float *drive_floats(const struct drive *d, const uint8_t *values);

#endif
