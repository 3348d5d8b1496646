/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driven: one tensor and a lossy codec, driven through its interfaces as an
 * encoder and a reader would.
 */
#ifndef DFS_TESTS_CODEC_DRIVEN_H
#define DFS_TESTS_CODEC_DRIVEN_H

#include "codec/lossy.h"

/* A tensor: values and what predicts them; followed by DFS_VALUES_PAD bytes. */
struct matrix {
	struct dfs_shape shape;
	size_t values, bytes;
	uint8_t *pred, *data;
};

/*
 * matrix_make() - predictions of size 0.02, differences from @draw(@state, row, col)
 * Both are rounded to the dtype. Never fails (the program ends).
 */
struct matrix matrix_make(unsigned dtype, uint64_t rows, uint64_t cols,
			  double (*draw)(uint64_t *state, uint64_t row, uint64_t col), uint64_t seed);
void matrix_free(struct matrix *m);

/* One number after the other, the same on every machine: normal, mean 0, variance 1. */
double draw_normal(uint64_t *state);
uint64_t draw_bits(uint64_t *state);

/* A tensor, coded. */
struct driven {
	const struct dfs_lossy *lossy;
	uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	struct dfs_lossy_tensor tensor;
	size_t chunk_values, n_chunks;
	struct dfs_buf table, notes;
	uint8_t **payloads;		/* each followed by DFS_PAYLOAD_PAD bytes, and no more */
	size_t *lens;
};

/*
 * driven_encode() - all steps; 128 KiB chunks if the codec does not say how many rows
 * @last_first: encode the chunks from the last to the first
 * Return: 0; -EINVAL options; -ERANGE declined.
 */
int driven_encode(unsigned codec, const char *options, const struct matrix *m, enum dfs_cpu cpu, bool last_first,
		  struct driven *ret_driven);
void driven_free(struct driven *d);

/* driven_block() - chunk @i, predictions from @pred */
struct dfs_block driven_block(const struct driven *d, size_t i, const uint8_t *pred);

/*
 * driven_decode() - all chunks to @out, m->bytes and DFS_VALUES_PAD, from the last to the first
 * Return: 0, or what failed.
 */
int driven_decode(const struct driven *d, const struct matrix *m, enum dfs_cpu cpu, uint8_t *out);

/* driven_bytes() - payloads and table, 32 bytes for each chunk's record and 220 for the tensor's */
size_t driven_bytes(const struct driven *d);

#endif
