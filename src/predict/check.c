/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: is a prediction that was read from disk safe to follow.
 *
 * After this no predictor needs to fear an unknown dtype, a piece cut inside
 * a value, an offset that wraps, or pieces that do not tile their segment.
 */
#include <errno.h>

#include "predict/predict.h"
#include "tensor/convert.h"

static int check_piece(const struct dfs_prediction *p, uint32_t i, uint32_t n_files,
		       struct dfs_err *err)
{
	const struct dfs_piece *piece = &p->pieces[i];
	uint64_t unit = dfs_dtype_info(p->dtype)->size, base_len, end;

	if (piece->len == 0 || piece->len % unit != 0)
		return dfs_fail(err, EUCLEAN, "piece %u of %llu bytes", i,
				(unsigned long long)piece->len);
	if (!dfs_can_convert(piece->dtype, p->dtype))
		return dfs_fail(err, EUCLEAN, "piece %u: dtype %u does not predict %s", i,
				piece->dtype, dfs_dtype_info(p->dtype)->name);
	if (piece->file == DFS_NO_FILE)
		return 0;
	if (piece->file >= n_files)
		return dfs_fail(err, EUCLEAN, "piece %u: base file %u of %u", i, piece->file,
				n_files);
	if (__builtin_mul_overflow(piece->len / unit, dfs_dtype_info(piece->dtype)->size,
				   &base_len) ||
	    __builtin_add_overflow(piece->base_off, base_len, &end) || end > INT64_MAX)
		return dfs_fail(err, EUCLEAN, "piece %u ends beyond any file", i);
	return 0;
}

static int check_values(const struct dfs_prediction *p, uint64_t segment_len, struct dfs_err *err)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(p->dtype);

	if (!info)
		return dfs_fail(err, EUCLEAN, "unknown dtype %u", p->dtype);
	if (segment_len % info->size != 0)
		return dfs_fail(err, EUCLEAN, "segment of %llu bytes holds no whole %s values",
				(unsigned long long)segment_len, info->name);
	if (p->drop > 0 && p->drop >= info->mantissa)
		return dfs_fail(err, EUCLEAN, "%u low bits of %s values are zero", p->drop,
				info->name);
	return 0;
}

int dfs_prediction_check(const struct dfs_prediction *p, uint64_t segment_len, uint32_t n_files,
			 struct dfs_err *err)
{
	uint64_t pos = 0;
	int ret;

	ret = check_values(p, segment_len, err);
	if (ret < 0)
		return ret;
	if (p->predictor == DFS_PREDICT_NONE)
		return p->n_pieces == 0 ? 0 : dfs_fail(err, EUCLEAN, "pieces without a predictor");
	for (uint32_t i = 0; i < p->n_pieces; i++) {
		ret = check_piece(p, i, n_files, err);
		if (ret < 0)
			return ret;
		if (p->piece_starts[i] != pos || p->pieces[i].len > segment_len - pos)
			return dfs_fail(err, EUCLEAN, "piece %u does not fit its segment", i);
		pos += p->pieces[i].len;
	}
	if (pos != segment_len)
		return dfs_fail(err, EUCLEAN, "pieces end %llu bytes before their segment",
				(unsigned long long)(segment_len - pos));
	return 0;
}
