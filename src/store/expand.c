/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expand: a file, an index of shards or a directory, as a list of files.
 */
#include "store/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/internal.h"
#include "store/json.h"
#include "util/text.h"

/* An index of 100,000 tensors is about 10 MB. */
#define INDEX_MAX (64u << 20)

int dfs_paths_add(struct dfs_paths *paths, const char *path)
{
	char **more = realloc(paths->paths, (paths->n + 1) * sizeof(*more));
	char *copy = strdup(path);

	if (more)
		paths->paths = more;
	if (!more || !copy) {
		free(copy);
		return -ENOMEM;
	}
	more[paths->n++] = copy;
	return 0;
}

void dfs_paths_release(struct dfs_paths *paths)
{
	for (size_t i = 0; i < paths->n; i++)
		free(paths->paths[i]);
	free(paths->paths);
	*paths = (struct dfs_paths){ 0 };
}

static int add_beside(struct dfs_paths *paths, const char *dir, const char *name)
{
	DFS_AUTO(mem) char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	return dfs_paths_add(paths, path);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_unique(struct dfs_paths *paths)
{
	size_t kept = 0;

	if (!paths->n)
		return;
	qsort(paths->paths, paths->n, sizeof(*paths->paths), by_text);
	for (size_t i = 1; i < paths->n; i++) {
		if (strcmp(paths->paths[kept], paths->paths[i]) == 0)
			free(paths->paths[i]);
		else
			paths->paths[++kept] = paths->paths[i];
	}
	paths->n = kept + 1;
}

static int add_shards(struct dfs_paths *paths, const char *dir, const char *index, json_t *map,
		      struct dfs_err *err)
{
	const char *last = "";
	const char *key;
	json_t *value;

	json_object_foreach(map, key, value) {
		const char *name = json_string_value(value);

		if (!name || !*name || strchr(name, '/') || strcmp(name, "..") == 0)
			return dfs_fail(
				err, EUCLEAN,
				"%s: the shard of tensor \"%s\" is not the name of a file beside it",
				index, key);
		/* neighbours mostly share a shard: 100,000 tensors need not be 100,000 strings */
		if (strcmp(name, last) != 0 && add_beside(paths, dir, name) < 0)
			return dfs_fail(err, ENOMEM, "out of memory");
		last = name;
	}
	if (!paths->n)
		return dfs_fail(err, EUCLEAN, "%s: names no shards", index);
	return 0;
}

static int expand_index(const char *dir, const char *index, struct dfs_paths *paths,
			struct dfs_err *err)
{
	DFS_AUTO(json) json_t *root = NULL;
	int ret = dfs_json_load(AT_FDCWD, index, INDEX_MAX, &root, err);
	json_t *map;

	if (ret < 0)
		return ret;
	map = json_object_get(root, "weight_map");
	if (!json_is_object(map))
		return dfs_fail(err, EUCLEAN, "%s: has no \"weight_map\"", index);
	return add_shards(paths, dir, index, map, err);
}

/* All files of @dir whose name ends with @end. */
static int list(const char *dir, const char *end, struct dfs_paths *paths, struct dfs_err *err)
{
	DFS_AUTO(dir) DIR *entries = opendir(dir);
	const char *name;
	int ret;

	if (!entries)
		return dfs_fail_errno(err, "%s", dir);
	while ((ret = dfs_dir_next(entries, &name)) > 0) {
		if (name[0] == '.' || !dfs_text_ends(name, end))
			continue;
		if (add_beside(paths, dir, name) < 0)
			return dfs_fail(err, ENOMEM, "out of memory");
	}
	return ret < 0 ? dfs_fail(err, -ret, "%s: %s", dir, strerror(-ret)) : 0;
}

static int expand_directory(const char *dir, struct dfs_paths *paths, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths indices = { 0 };
	DFS_AUTO(mem) char *usual = NULL;
	int ret;

	if (asprintf(&usual, "%s/model.safetensors.index.json", dir) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (access(usual, F_OK) == 0)
		return expand_index(dir, usual, paths, err);
	ret = list(dir, ".index.json", &indices, err);
	if (ret < 0)
		return ret;
	if (indices.n == 1)
		return expand_index(dir, indices.paths[0], paths, err);
	ret = list(dir, ".safetensors", paths, err);
	if (ret == 0 && !paths->n)
		return dfs_fail(err, ENOENT, "%s: no .safetensors file in this directory", dir);
	return ret;
}

int dfs_paths_expand(const char *path, struct dfs_paths *ret_paths, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths paths = { 0 };
	DFS_AUTO(mem) char *dir = NULL;
	struct stat st;
	const char *slash = strrchr(path, '/');
	int ret;

	if (stat(path, &st) < 0)
		return dfs_fail_errno(err, "%s", path);
	dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!dir)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (S_ISDIR(st.st_mode))
		ret = expand_directory(path, &paths, err);
	else if (dfs_text_ends(path, ".index.json"))
		ret = expand_index(dir, path, &paths, err);
	else if (dfs_paths_add(&paths, path) < 0)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	else
		ret = 0;
	if (ret < 0)
		return ret;
	sort_unique(&paths);
	*ret_paths = paths;
	paths = (struct dfs_paths){ 0 };
	return 0;
}
