/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry_json: a registered model as JSON and back.
 */
#include "store/registry_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/json.h"

static const char damaged[] = "member \"%s\" is missing or makes no sense";

static json_t *paths_to_json(const struct dfs_paths *paths)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < paths->n; i++) {
		/* a name that is no UTF-8 cannot be written down; the file is then found by its pin alone */
		json_t *text = json_string(paths->paths[i]);

		if (text)
			json_array_append_new(array, text);
	}
	return array;
}

static json_t *text_to_json(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : json_string("");
}

static json_t *file_to_json(const struct dfs_registered_file *file)
{
	char hex[DFS_HASH_HEX];

	return json_pack("{s:s, s:I, s:o, s:b, s:o}", "hash", dfs_hash_hex(file->hash, hex), "size",
			 (json_int_t)file->size, "name", text_to_json(file->name), "pinned",
			 file->pinned, "paths", paths_to_json(&file->paths));
}

static const char *const norm_names[DFS_NORMS] = { [DFS_NORM_ESTIMATE] = "estimate", [DFS_NORM_EXACT] = "exact" };

/* NULL: none. */
static json_t *norms_to_json(const struct dfs_norms *norms)
{
	json_t *object = NULL;

	for (size_t i = 0; i < DFS_NORMS; i++) {
		if (!(norms->of[i] > 0))
			continue;
		object = object ? object : json_object();
		json_object_set_new(object, norm_names[i], json_real(norms->of[i]));
	}
	return object;
}

/* What is not there or makes no sense is not known: the next fine-tune says it anew. */
static void norms_from_json(const json_t *object, struct dfs_norms *norms)
{
	for (size_t i = 0; i < DFS_NORMS; i++) {
		double value = json_number_value(json_object_get(object, norm_names[i]));

		norms->of[i] = value > 0 ? value : 0;
	}
}

json_t *dfs_registered_to_json(const struct dfs_registered *model)
{
	char hex[DFS_HASH_HEX];
	json_t *files = json_array();

	for (size_t i = 0; files && i < model->n_files; i++) {
		if (json_array_append_new(files, file_to_json(&model->files[i])) < 0) {
			json_decref(files);
			return NULL;
		}
	}
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:b, s:o*, s:o}", "version", 1, "id",
			 dfs_hash_hex(model->id, hex), "repository",
			 text_to_json(model->repository), "commit", text_to_json(model->commit),
			 "names", paths_to_json(&model->names), "automatic", model->automatic,
			 "norms", norms_to_json(&model->norms), "files", files);
}

static int hash_from_json(const json_t *object, const char *key, struct dfs_hash *ret_hash,
			  struct dfs_err *err)
{
	const char *text = dfs_json_text(object, key);

	if (!text || dfs_hash_parse(text, ret_hash) < 0)
		return dfs_fail(err, EUCLEAN, damaged, key);
	return 0;
}

static int text_from_json(const json_t *object, const char *key, char **ret_text,
			  struct dfs_err *err)
{
	const char *text = dfs_json_text(object, key);

	if (!text)
		return dfs_fail(err, EUCLEAN, damaged, key);
	*ret_text = strdup(text);
	return *ret_text ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

static int paths_from_json(const json_t *object, const char *key, struct dfs_paths *paths,
			   struct dfs_err *err)
{
	const json_t *array = json_object_get(object, key);
	const json_t *item;
	size_t i;

	if (!json_is_array(array))
		return dfs_fail(err, EUCLEAN, damaged, key);
	json_array_foreach(array, i, item) {
		const char *text = json_string_value(item);

		if (!text || !*text)
			return dfs_fail(err, EUCLEAN, damaged, key);
		if (dfs_paths_add(paths, text) < 0)
			return dfs_fail(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int file_from_json(const json_t *object, struct dfs_registered_file *file,
			  struct dfs_err *err)
{
	const json_t *size = json_object_get(object, "size");
	const json_t *pinned = json_object_get(object, "pinned");
	int ret;

	ret = hash_from_json(object, "hash", &file->hash, err);
	if (ret == 0 && (!json_is_integer(size) || json_integer_value(size) < 0))
		ret = dfs_fail(err, EUCLEAN, damaged, "size");
	if (ret == 0 && !json_is_boolean(pinned))
		ret = dfs_fail(err, EUCLEAN, damaged, "pinned");
	if (ret == 0)
		ret = text_from_json(object, "name", &file->name, err);
	if (ret == 0)
		ret = paths_from_json(object, "paths", &file->paths, err);
	if (ret == 0) {
		file->size = (uint64_t)json_integer_value(size);
		file->pinned = json_is_true(pinned);
	}
	return ret;
}

static int files_from_json(const json_t *root, struct dfs_registered *model, struct dfs_err *err)
{
	const json_t *array = json_object_get(root, "files");
	size_t n = json_array_size(array);

	if (!n)
		return dfs_fail(err, EUCLEAN, damaged, "files");
	model->files = calloc(n, sizeof(*model->files));
	if (!model->files)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		int ret;

		model->n_files++; /* counted first: what is half-made is released too */
		ret = file_from_json(json_array_get(array, i), &model->files[i], err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int id_check(const struct dfs_registered *model, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_hash *hashes = calloc(model->n_files, sizeof(*hashes));

	if (!hashes)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < model->n_files; i++)
		hashes[i] = model->files[i].hash;
	if (!dfs_hash_equal(dfs_model_id(hashes, model->n_files), model->id))
		return dfs_fail(err, EUCLEAN, "the hashes of its files do not give its ID");
	return 0;
}

int dfs_registered_from_json(const json_t *root, struct dfs_registered *ret_model,
			     struct dfs_err *err)
{
	DFS_AUTO(registered) struct dfs_registered model = { 0 };
	const json_t *version = json_object_get(root, "version");
	int ret;

	if (json_integer_value(version) > 1)
		return dfs_fail(err, ENOTSUP, "version %lld is newer than this deltafs",
				json_integer_value(version));
	if (json_integer_value(version) != 1)
		return dfs_fail(err, EUCLEAN, damaged, "version");
	ret = hash_from_json(root, "id", &model.id, err);
	if (ret == 0)
		ret = text_from_json(root, "repository", &model.repository, err);
	if (ret == 0)
		ret = text_from_json(root, "commit", &model.commit, err);
	if (ret == 0)
		ret = paths_from_json(root, "names", &model.names, err);
	if (ret == 0)
		ret = files_from_json(root, &model, err);
	if (ret == 0)
		ret = id_check(&model, err);
	if (ret < 0)
		return ret;
	model.automatic = json_is_true(json_object_get(root, "automatic")); /* stores made before have none */
	norms_from_json(json_object_get(root, "norms"), &model.norms);
	*ret_model = model;
	model = (struct dfs_registered){ 0 };
	return 0;
}

void dfs_registered_release(struct dfs_registered *model)
{
	for (size_t i = 0; i < model->n_files; i++) {
		free(model->files[i].name);
		dfs_paths_release(&model->files[i].paths);
	}
	free(model->files);
	free(model->repository);
	free(model->commit);
	dfs_paths_release(&model->names);
	*model = (struct dfs_registered){ 0 };
}
