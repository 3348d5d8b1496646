/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * predict: how a segment's values are guessed from base bytes.
 *
 * A predictor is one file in this folder and one row in the table. It answers
 * two questions about a run of a segment, in exact arithmetic, without I/O:
 * which bytes of which base files it needs, and what they predict.
 *
 * `base` (the one that every later predictor extends) walks a list of pieces
 * that tile the segment; each takes the next values of the file from a run of
 * one base tensor, converted to the file's dtype by tensor/convert.h, then
 * rounded to the narrower float that the file's values are parked from.
 */
#ifndef DFS_PREDICT_PREDICT_H
#define DFS_PREDICT_PREDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/dtype.h"
#include "util/bytes.h"
#include "util/err.h"

/* On-disk ids, deltafs-format(5) "predictors". Those without a row are named, for -ENOTSUP. */
enum dfs_predictor_id {
	DFS_PREDICT_NONE = 0,
	DFS_PREDICT_BASE = 1,
	DFS_PREDICT_ROW_GAIN = 2,
	DFS_PREDICT_LOW_RANK = 3,
	DFS_PREDICT_MERGE = 4,
	DFS_PREDICT_QUANTISED = 5,
	DFS_PREDICTORS
};

#define DFS_NO_FILE UINT32_MAX

/* One run of a segment and where its prediction lies. Pieces tile their segment in order. */
struct dfs_piece {
	uint64_t len;		/* bytes of the segment, a multiple of its dtype's size */
	uint64_t base_off;	/* in the base file; first byte of the run */
	uint32_t file;		/* index into the container's base files; DFS_NO_FILE: predicts zero bytes */
	uint8_t dtype;		/* of the base's values; size may differ from the segment's */
};

/* What a predictor knows of a segment. All borrowed. */
struct dfs_prediction {
	uint8_t predictor;		/* enum dfs_predictor_id */
	uint8_t dtype;			/* of the segment's values */
	uint8_t drop;			/* low bits of every value that are zero: predictions are rounded there */
	const struct dfs_piece *pieces;
	const uint64_t *piece_starts;	/* n_pieces offsets in the segment, ascending from 0 */
	uint32_t n_pieces;
	struct dfs_span params;		/* of later predictors (factors, gains) */
};

/* Bytes of a base file that are needed. */
struct dfs_need {
	uint64_t off;
	uint64_t len;
	uint32_t file;
};

struct dfs_predictor {
	const char *name;
	bool predicts;	/* false: codecs are given no prediction at all (block->pred NULL) */
	/**
	 * needs() - which base bytes predict [off, off + len) of the segment
	 * @off, @len: bytes of the segment, multiples of its dtype's size
	 * @needs: room for @max; neighbouring runs of one file are merged only
	 *	if they touch
	 *
	 * Return: how many; -E2BIG if more than @max (callers split: a run
	 * needs at most one per piece it touches).
	 */
	int (*needs)(const struct dfs_prediction *p, uint64_t off, uint64_t len,
		     struct dfs_need *needs, size_t max);
	/* as_is() - are the needed bytes the prediction, in order; NULL: never */
	bool (*as_is)(const struct dfs_prediction *p, uint64_t off, uint64_t len);
	/**
	 * predict() - the values expected at [off, off + len)
	 * @bytes: the needed bytes, one need after the other in order
	 * @out: room for @len bytes, as the file would hold them
	 *
	 * Return: 0; -EUCLEAN if @bytes has another length than needs() says.
	 */
	int (*predict)(const struct dfs_prediction *p, uint64_t off, uint64_t len,
		       struct dfs_span bytes, void *out, struct dfs_err *err);
};

/* dfs_predictor_find() - the row; NULL with a sentence: -EUCLEAN unknown id, -ENOTSUP known but not in this build. */
const struct dfs_predictor *dfs_predictor_find(unsigned id, int *ret_code, struct dfs_err *err);
const char *dfs_predictor_name(unsigned id); /* "?" if unknown */

/**
 * dfs_prediction_check() - are the pieces of a segment sane
 * @segment_len: bytes the pieces must tile
 * @n_files: base files of the container
 *
 * For prediction read from disk. Checks dtypes, sizes, convertibility, tiling,
 * overflow of base_off + bytes. Return: 0 or -EUCLEAN.
 */
int dfs_prediction_check(const struct dfs_prediction *p, uint64_t segment_len,
			 uint32_t n_files, struct dfs_err *err);

#endif
