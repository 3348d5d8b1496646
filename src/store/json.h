/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json: a JSON file, loaded with care; shared within this folder.
 */
#ifndef DFS_STORE_JSON_H
#define DFS_STORE_JSON_H

#include <jansson.h>

#include "util/auto.h"
#include "util/err.h"

DFS_AUTO_KIND(json, json_t *, if (*p) json_decref(*p));

/**
 * dfs_json_load() - parse a JSON object
 * @dir: where @path starts, or AT_FDCWD for a path of the user's
 * @max: longer files are -EFBIG
 *
 * From @dir nothing outside is reached and no symlink followed; a user's path
 * may be a symlink, but must lead to a regular file.
 * Return: 0; -EUCLEAN: no JSON object, or keys twice; errors of open and read.
 */
int dfs_json_load(int dir, const char *path, size_t max, json_t **ret_root, struct dfs_err *err);

/* dfs_json_text() - a string member, or NULL. Borrowed. */
const char *dfs_json_text(const json_t *object, const char *key);

#endif
