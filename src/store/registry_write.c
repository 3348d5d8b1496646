/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry_write: a model's ID.json, merged with the one that was there, or
 * with what is new of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "store/json.h"
#include "store/registry_json.h"

static int paths_merge(struct dfs_paths *to, const struct dfs_paths *from)
{
	for (size_t i = 0; i < from->n; i++) {
		size_t k = 0;

		while (k < to->n && strcmp(to->paths[k], from->paths[i]) != 0)
			k++;
		if (k == to->n && dfs_paths_add(to, from->paths[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What was known under the same ID stays known: names, paths, origin, pins. */
static int merge(struct dfs_registered *model, const struct dfs_registered *old)
{
	int ret = paths_merge(&model->names, &old->names);

	model->automatic &= old->automatic;
	model->norms = old->norms;
	/* the same ID is the same list of hashes, in the same order */
	for (size_t i = 0; ret == 0 && i < model->n_files && i < old->n_files; i++) {
		model->files[i].pinned |= old->files[i].pinned;
		ret = paths_merge(&model->files[i].paths, &old->files[i].paths);
	}
	if (ret == 0 && !*model->repository && *old->repository) {
		char *repository = strdup(old->repository), *commit = strdup(old->commit);

		if (!repository || !commit) {
			free(repository);
			free(commit);
			return -ENOMEM;
		}
		free(model->repository);
		free(model->commit);
		model->repository = repository;
		model->commit = commit;
	}
	return ret;
}

static void path_of(struct dfs_hash id, char *path, size_t room)
{
	char hex[DFS_HASH_HEX];

	snprintf(path, room, DFS_STORE_DIR "/bases/%s.json", dfs_hash_hex(id, hex));
}

static int write_json(struct dfs_store *store, const struct dfs_registered *model, struct dfs_err *err)
{
	DFS_AUTO(json) json_t *root = dfs_registered_to_json(model);
	DFS_AUTO(mem) char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	char path[sizeof(DFS_STORE_DIR "/bases/.json") + DFS_HASH_HEX];

	if (!text)
		return dfs_fail(err, ENOMEM, "out of memory");
	path_of(model->id, path, sizeof(path));
	return dfs_write_durable(store, path, text, strlen(text), err);
}

static struct dfs_registered *find_model(const struct dfs_registry *registry, struct dfs_hash id)
{
	for (size_t i = 0; i < registry->n; i++)
		if (dfs_hash_equal(registry->models[i].id, id))
			return &registry->models[i];
	return NULL;
}

int dfs_registered_write(struct dfs_store *store, struct dfs_registered *model, bool *ret_known, struct dfs_err *err)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	int ret = dfs_registry_list(store, &registry, err);
	const struct dfs_registered *old = ret < 0 ? NULL : find_model(&registry, model->id);

	*ret_known = old != NULL;
	if (old)
		ret = merge(model, old);
	if (ret < 0)
		return ret == -ENOMEM ? dfs_fail(err, ENOMEM, "out of memory") : ret;
	return write_json(store, model, err);
}

/* --- norms */

static bool are_none(const struct dfs_norms *norms)
{
	for (size_t i = 0; i < DFS_NORMS; i++)
		if (norms->of[i] != 0)
			return false;
	return true;
}

struct dfs_norms dfs_registry_norms(const struct dfs_store *store, struct dfs_hash id)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	const struct dfs_registered *model;

	if (dfs_registry_list(store, &registry, NULL) < 0)
		return (struct dfs_norms){ { 0 } };
	model = find_model(&registry, id);
	return model ? model->norms : (struct dfs_norms){ { 0 } };
}

int dfs_registry_set_norms(struct dfs_store *store, struct dfs_hash id, const struct dfs_norms *norms, bool replace,
			   struct dfs_err *err)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	struct dfs_registered *model;
	bool changed = false;
	char hex[DFS_HASH_HEX];
	int ret;

	if (are_none(norms))
		return 0;
	if (store->lock_fd < 0)
		return dfs_fail(err, ENOLCK, "changing a base needs the store's lock");
	ret = dfs_registry_list(store, &registry, err);
	if (ret < 0)
		return ret;
	model = find_model(&registry, id);
	if (!model)
		return replace ? dfs_fail(err, ENOENT, "%s is no base of this store", dfs_hash_hex(id, hex)) : 0;
	for (size_t i = 0; i < DFS_NORMS; i++) {
		double now = norms->of[i] > 0 ? norms->of[i] : 0;

		if (norms->of[i] == 0 || now == model->norms.of[i] || (model->norms.of[i] > 0 && !replace))
			continue;
		model->norms.of[i] = now;
		changed = true;
	}
	return changed ? write_json(store, model, err) : 0;
}

static int by_hash(const void *a, const void *b)
{
	return dfs_hash_compare(((const struct dfs_registered_file *)a)->hash,
				((const struct dfs_registered_file *)b)->hash);
}

static int describe(struct dfs_registered *model, const struct dfs_pinned_file *files, size_t n)
{
	model->files = calloc(n, sizeof(*model->files));
	model->repository = strdup("");
	model->commit = strdup("");
	if (!model->files || !model->repository || !model->commit || dfs_paths_add(&model->names, files[0].rel) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct dfs_registered_file *file = &model->files[model->n_files++];

		file->hash = files[i].hash;
		file->size = files[i].size;
		file->pinned = true;
		file->name = strdup(files[i].rel);
		if (!file->name || dfs_paths_add(&file->paths, files[i].rel) < 0)
			return -ENOMEM;
	}
	qsort(model->files, n, sizeof(*model->files), by_hash);
	return 0;
}

int dfs_registry_add_pinned(struct dfs_store *store, const struct dfs_pinned_file *files, size_t n_files,
			    struct dfs_hash *ret_id, struct dfs_err *err)
{
	DFS_AUTO(registered) struct dfs_registered model = { .automatic = true };
	DFS_AUTO(mem) struct dfs_hash *hashes = calloc(n_files, sizeof(*hashes));
	bool known;
	int ret;

	if (store->lock_fd < 0)
		return dfs_fail(err, ENOLCK, "adding a base needs the store's lock");
	if (!hashes || describe(&model, files, n_files) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n_files; i++)
		hashes[i] = files[i].hash;
	model.id = dfs_model_id(hashes, n_files);
	ret = dfs_registered_write(store, &model, &known, err);
	*ret_id = model.id;
	return ret;
}

int dfs_registry_forget(struct dfs_store *store, struct dfs_hash id, struct dfs_err *err)
{
	char path[sizeof(DFS_STORE_DIR "/bases/.json") + DFS_HASH_HEX];
	int ret = 0;

	if (store->lock_fd < 0)
		return dfs_fail(err, ENOLCK, "removing a base needs the store's lock");
	path_of(id, path, sizeof(path));
	if (unlinkat(store->fd, path, 0) < 0)
		ret = -errno;
	else
		ret = dfs_sync_dir(store, DFS_STORE_DIR "/bases");
	return ret < 0 ? dfs_fail(err, -ret, "%s/%s: %s", store->path, path, strerror(-ret)) : 0;
}
