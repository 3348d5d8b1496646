/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * origin: where a model seems to come from, by its path and its papers.
 *
 * Hints for people and for ordering candidates, never identity: identity is
 * the hash of the content.
 */
#ifndef DFS_STORE_ORIGIN_H
#define DFS_STORE_ORIGIN_H

#include "util/auto.h"

/* Each "" if unknown. */
struct dfs_origin {
	char repository[256];	/* "org/name", of this model */
	char commit[64];
	char made_from[256];	/* "org/name" or a path, of the model it says it was tuned from */
};

/**
 * dfs_origin_find() - what can be told of the model at @path
 * @path: a model file, an index or a directory, as the user wrote it
 *
 * repository and commit: from "models--ORG--NAME/snapshots/COMMIT" in @path.
 * made_from: "base_model" in the front matter of README.md beside it, else
 * "base_model_name_or_path" or "_name_or_path" of adapter_config.json or
 * config.json. Reads three small files at most; never fails.
 */
void dfs_origin_find(const char *path, struct dfs_origin *ret_origin);

#endif
