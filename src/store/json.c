/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json: a JSON file, loaded with care.
 */
#include "store/json.h"

#include <fcntl.h>
#include <string.h>

#include "store/internal.h"

int dfs_json_load(int dir, const char *path, size_t max, json_t **ret_root, struct dfs_err *err)
{
	struct dfs_buf text = { 0 };
	json_error_t why;
	json_t *root;
	int ret;

	ret = dfs_read_small(dir, path, max, &text);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", path, strerror(-ret));
	root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &why);
	dfs_buf_release(&text);
	if (!root)
		return dfs_fail(err, EUCLEAN, "%s: line %d: %s", path, why.line, why.text);
	if (!json_is_object(root)) {
		json_decref(root);
		return dfs_fail(err, EUCLEAN, "%s: not a JSON object", path);
	}
	*ret_root = root;
	return 0;
}

const char *dfs_json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}
