/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * samples: values with a prediction, of every dtype and many kinds, and what a
 * codec made of them.
 */
#ifndef DFS_TESTS_CODEC_SAMPLES_H
#define DFS_TESTS_CODEC_SAMPLES_H

#include "codec/codec.h"
#include "random.h"

enum sample_kind {
	SAME,		/* all as predicted */
	FEW,		/* one in 500 changed by a step or two */
	NEAR,		/* every value some steps off, more where the prediction is small */
	ROWS,		/* whole rows as predicted, others off by very different amounts */
	FAR,		/* unrelated to the prediction */
	SPECIAL,	/* NaN, infinities, zeros of both signs, subnormals, extremes */
	CONSTANT,	/* one value, one prediction */
	KINDS
};

struct sample {
	struct dfs_block block;
	size_t bytes;
	uint8_t *pred, *data;	/* each with DFS_VALUES_PAD bytes more */
};

/*
 * sample_make() - @n values; @shape.cols > 0 makes rows, from column @first % cols on
 * Never fails (the program ends).
 */
struct sample sample_make(struct dfs_shape shape, uint64_t first, size_t n, enum sample_kind kind,
			  uint64_t seed);
void sample_free(struct sample *sample);

/* What a codec made of a sample. */
struct coded {
	struct dfs_buf table;		/* its bytes; empty: none */
	struct dfs_table *opened;	/* for decoding; NULL: none */
	uint8_t *payload;		/* with DFS_PAYLOAD_PAD bytes more */
	size_t len;
};

/* sample_code() - measure, prepare, open, encode. Return: 0, or -ERANGE if the codec declines. */
int sample_code(const struct sample *sample, unsigned codec, struct coded *ret_coded);
void coded_free(struct coded *coded);

/*
 * sample_decode() - decode @payload on the kernels of @level to @out (bytes + DFS_VALUES_PAD)
 * The payload is copied to memory that ends right after its padding.
 */
int sample_decode(const struct sample *sample, unsigned codec, struct dfs_span payload,
		  const struct dfs_table *table, enum dfs_cpu level, uint8_t *out);

#endif
