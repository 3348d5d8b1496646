/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy_model: a few tensors, and what a lossy codec makes of them when it is
 * driven as the encoder does.
 *
 *	model = lossy_model_new(DFS_CODEC_X, "option=value");
 *	lossy_model_add(model, shape, ...);	one or more
 *	lossy_model_code(model);
 *	lossy_model_decode(model, 0, DFS_CPU_PORTABLE, out);
 *	lossy_model_free(model);
 */
#ifndef DFS_TESTS_CODEC_LOSSY_MODEL_H
#define DFS_TESTS_CODEC_LOSSY_MODEL_H

#include "codec/lossy.h"

struct lossy_chunk {
	uint64_t first;
	size_t n;
	uint8_t *payload;	/* with DFS_PAYLOAD_PAD bytes more */
	size_t len;
};

struct lossy_tensor {
	struct dfs_lossy_tensor as;
	size_t unit, bytes;
	uint8_t *pred, *data;	/* each with DFS_VALUES_PAD bytes more */
	struct dfs_buf table, notes;
	struct dfs_table *writing, *reading;
	struct lossy_chunk *chunks;
	size_t n_chunks;
	int prepared;		/* what prepare() returned */
};

struct lossy_model {
	const struct dfs_lossy *lossy;
	uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	size_t chunk_bytes;	/* 128 KiB; smaller ones may be set before lossy_model_add() */
	size_t first_bytes;	/* of the first chunk; 0: as the others */
	bool backwards;		/* encode the last chunk first */
	enum dfs_cpu cpu;	/* for encoding */
	struct lossy_tensor tensors[16];
	size_t n;
};

/* ALONE: Gaussian, over a base of zeros; HALF: the positive ones of it, and zeros */
enum delta_kind { GAUSSIAN, LAPLACE, ZERO, ONE_VALUE, LARGE, ALONE, HALF, POSITIVE, FEW_MOVED };

/* lossy_model_new() - the program ends if @spec is not understood, as it does when memory is short */
struct lossy_model *lossy_model_new(unsigned codec, const char *spec);
void lossy_model_free(struct lossy_model *model);

/* lossy_model_add() - a tensor: base N(0, 0.02), differences of some kind and size; all random from @seed */
struct lossy_tensor *lossy_model_add(struct lossy_model *model, unsigned dtype, uint64_t rows, uint64_t cols,
				     enum delta_kind kind, double size, uint64_t seed);

/* lossy_model_code() - measure, plan, prepare, encode. Tensors that are declined have prepared < 0. */
void lossy_model_code(struct lossy_model *model);

/* lossy_model_block() - chunk @i as the interfaces want it */
struct dfs_block lossy_model_block(const struct lossy_tensor *tensor, size_t i);

/* lossy_model_decode() - a whole tensor; @out: bytes + DFS_VALUES_PAD. Return: the first failure, or 0. */
int lossy_model_decode(const struct lossy_tensor *tensor, const struct dfs_codec *codec, enum dfs_cpu cpu, uint8_t *out);

/* lossy_model_delta() - value @i less its prediction; lossy_model_value(): any value of the dtype as a number */
double lossy_model_delta(const struct lossy_tensor *tensor, size_t i);
double lossy_model_value(const struct lossy_tensor *tensor, const uint8_t *values, size_t i);

/* lossy_model_bits() - a value: payloads, tables, and 32 bytes a chunk and 220 a tensor for a container's records */
double lossy_model_bits(const struct lossy_model *model);

#endif
