/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * internal: the rows of the table, one a file.
 */
#ifndef DFS_PREDICT_INTERNAL_H
#define DFS_PREDICT_INTERNAL_H

#include "predict/predict.h"

extern const struct dfs_predictor dfs_predictor_none;
extern const struct dfs_predictor dfs_predictor_base;

#endif
