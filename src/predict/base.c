/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the values are those of base tensors.
 *
 * Both questions walk the same runs: the parts of pieces that overlap the
 * asked-for bytes, found by binary search in the pieces' starts. A run of a
 * piece is converted, then rounded to the values' grid unless conversion has
 * put it there already.
 */
#include <errno.h>
#include <string.h>

#include "predict/internal.h"
#include "tensor/convert.h"

/* The part of one piece that overlaps what was asked for. */
struct run {
	const struct dfs_piece *piece;
	uint64_t len;		/* of the segment */
	uint64_t base_off;
	uint64_t base_len;	/* 0: predicts zeros */
};

/* The last piece that starts at or before @off; 0 if there is none. */
static uint32_t piece_at(const struct dfs_prediction *p, uint64_t off)
{
	uint32_t low = 0, high = p->n_pieces;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (p->piece_starts[middle] <= off)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The run at @off, @len bytes at most; an empty one if the pieces do not reach there. */
static struct run run_at(const struct dfs_prediction *p, uint32_t i, uint64_t off, uint64_t len)
{
	const struct dfs_piece *piece = &p->pieces[i];
	uint64_t unit = dfs_dtype_info(p->dtype)->size;
	uint64_t skip = off - p->piece_starts[i];
	struct run run = { .piece = piece };

	if (skip >= piece->len)
		return run;
	run.len = len < piece->len - skip ? len : piece->len - skip;
	if (piece->file != DFS_NO_FILE) {
		uint64_t base_unit = dfs_dtype_info(piece->dtype)->size;

		run.base_off = piece->base_off + skip / unit * base_unit;
		run.base_len = run.len / unit * base_unit;
	}
	return run;
}

static int base_needs(const struct dfs_prediction *p, uint64_t off, uint64_t len,
		      struct dfs_need *needs, size_t max)
{
	size_t n = 0;

	for (uint32_t i = piece_at(p, off); len > 0 && i < p->n_pieces; i++) {
		struct run run = run_at(p, i, off, len);
		struct dfs_need *last = n > 0 ? &needs[n - 1] : NULL;

		off += run.len;
		len -= run.len;
		if (run.base_len == 0)
			continue;
		if (last && last->file == run.piece->file &&
		    last->off + last->len == run.base_off) {
			last->len += run.base_len;
			continue;
		}
		if (n == max)
			return -E2BIG;
		needs[n++] = (struct dfs_need){
			.off = run.base_off, .len = run.base_len, .file = run.piece->file
		};
	}
	return (int)n;
}

/* Does every value of @from, converted to @to, have its low @drop bits zero anyway? */
static bool is_on_grid(enum dfs_dtype from, enum dfs_dtype to, unsigned drop)
{
	const struct dfs_dtype_info *narrow = dfs_dtype_info(from), *wide = dfs_dtype_info(to);

	return from != to && narrow->exponent <= wide->exponent &&
	       narrow->mantissa + drop <= wide->mantissa;
}

static void predict_run(const struct dfs_prediction *p, const struct run *run, const void *bytes,
			void *out)
{
	size_t n = run->len / dfs_dtype_info(p->dtype)->size;

	if (run->base_len == 0) {
		memset(out, 0, run->len);
		return;
	}
	dfs_convert(run->piece->dtype, p->dtype, bytes, out, n);
	if (p->drop > 0 && !is_on_grid(run->piece->dtype, p->dtype, p->drop))
		dfs_round_low(p->dtype, p->drop, out, n);
}

static bool base_as_is(const struct dfs_prediction *p, uint64_t off, uint64_t len)
{
	for (uint32_t i = piece_at(p, off); len > 0; i++) {
		struct run run;

		if (i == p->n_pieces)
			return false;
		run = run_at(p, i, off, len);
		if (run.piece->dtype != p->dtype || run.base_len != run.len || p->drop > 0)
			return false;
		off += run.len;
		len -= run.len;
	}
	return true;
}

static int base_predict(const struct dfs_prediction *p, uint64_t off, uint64_t len,
			struct dfs_span bytes, void *out, struct dfs_err *err)
{
	uint8_t *to = out;

	for (uint32_t i = piece_at(p, off); len > 0 && i < p->n_pieces; i++) {
		struct run run = run_at(p, i, off, len);

		if (run.base_len > bytes.len)
			return dfs_fail(err, EUCLEAN, "base bytes end %llu short of a prediction",
					(unsigned long long)(run.base_len - bytes.len));
		predict_run(p, &run, bytes.data, to);
		bytes.data += run.base_len;
		bytes.len -= run.base_len;
		to += run.len;
		off += run.len;
		len -= run.len;
	}
	if (len > 0)
		return dfs_fail(err, EUCLEAN, "pieces end %llu bytes before their segment",
				(unsigned long long)len);
	if (bytes.len > 0)
		return dfs_fail(err, EUCLEAN, "%zu base bytes more than a prediction needs", bytes.len);
	return 0;
}

const struct dfs_predictor dfs_predictor_base = {
	.name = "base",
	.predicts = true,
	.needs = base_needs,
	.as_is = base_as_is,
	.predict = base_predict,
};
