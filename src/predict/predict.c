/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * predict: the table of predictors, indexed by their on-disk ids.
 *
 * Every id the format knows has a name; one without a row is valid, but not
 * in this build.
 */
#include "predict/predict.h"

#include <errno.h>

#include "predict/internal.h"

static const struct dfs_predictor *const rows[DFS_PREDICTORS] = {
	[DFS_PREDICT_NONE] = &dfs_predictor_none,
	[DFS_PREDICT_BASE] = &dfs_predictor_base,
};

static const char *const names[DFS_PREDICTORS] = {
	[DFS_PREDICT_NONE] = "none",
	[DFS_PREDICT_BASE] = "base",
	[DFS_PREDICT_ROW_GAIN] = "row-gain",
	[DFS_PREDICT_LOW_RANK] = "low-rank",
	[DFS_PREDICT_MERGE] = "merge",
	[DFS_PREDICT_QUANTISED] = "quantised",
};

const struct dfs_predictor *dfs_predictor_find(unsigned id, int *ret_code, struct dfs_err *err)
{
	if (id >= DFS_PREDICTORS) {
		*ret_code = dfs_fail(err, EUCLEAN, "unknown predictor %u", id);
		return NULL;
	}
	if (!rows[id]) {
		*ret_code = dfs_fail(err, ENOTSUP, "predictor %s is not in this build", names[id]);
		return NULL;
	}
	*ret_code = 0;
	return rows[id];
}

const char *dfs_predictor_name(unsigned id)
{
	return id < DFS_PREDICTORS ? names[id] : "?";
}
