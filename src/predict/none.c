/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * none: nothing is expected; the codec stands alone.
 */
#include <errno.h>
#include <string.h>

#include "predict/internal.h"

static int none_needs(const struct dfs_prediction *p, uint64_t off, uint64_t len,
		      struct dfs_need *needs, size_t max)
{
	(void)p;
	(void)off;
	(void)len;
	(void)needs;
	(void)max;
	return 0;
}

/* Nobody should ask, since it does not predict; whoever does gets zeros, not what was there before. */
static int none_predict(const struct dfs_prediction *p, uint64_t off, uint64_t len,
			struct dfs_span bytes, void *out, struct dfs_err *err)
{
	(void)p;
	(void)off;
	if (bytes.len != 0)
		return dfs_fail(err, EUCLEAN, "predictor none is given %zu bytes", bytes.len);
	memset(out, 0, len);
	return 0;
}

const struct dfs_predictor dfs_predictor_none = {
	.name = "none",
	.predicts = false,
	.needs = none_needs,
	.predict = none_predict,
};
