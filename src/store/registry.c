/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry: reading .deltafs/bases.
 */
#include "store/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "store/json.h"
#include "store/pins.h"
#include "store/places.h"
#include "store/registry_json.h"

static const char bases_path[] = DFS_STORE_DIR "/bases";

static int load(int dir, const char *name, struct dfs_registry *registry, struct dfs_err *err)
{
	DFS_AUTO(json) json_t *root = NULL;
	struct dfs_registered *more;
	int ret;

	ret = dfs_json_load(dir, name, DFS_REGISTERED_MAX, &root, err);
	if (ret < 0)
		return ret;
	more = realloc(registry->models, (registry->n + 1) * sizeof(*more));
	if (!more)
		return dfs_fail(err, ENOMEM, "out of memory");
	registry->models = more;
	ret = dfs_registered_from_json(root, &more[registry->n], err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", name);
	registry->n++;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return dfs_hash_compare(((const struct dfs_registered *)a)->id,
				((const struct dfs_registered *)b)->id);
}

/* All ID.json of @dir. Return: how many made no sense, or -errno. */
static int load_all(DIR *dir, struct dfs_registry *registry, struct dfs_err *err)
{
	const char *name;
	int damaged = 0, ret;

	while ((ret = dfs_dir_next(dir, &name)) > 0) {
		if (strlen(name) != 32 + 5 || strcmp(name + 32, ".json") != 0)
			continue;
		ret = load(dirfd(dir), name, registry, err);
		if (ret == -ENOMEM)
			return ret;
		if (ret < 0 && ret != -ENOENT)
			damaged++;
	}
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", bases_path, strerror(-ret));
	if (registry->n)
		qsort(registry->models, registry->n, sizeof(*registry->models), by_id);
	return damaged;
}

int dfs_registry_list(const struct dfs_store *store, struct dfs_registry *ret_registry,
		      struct dfs_err *err)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	DFS_AUTO(dir) DIR *dir = NULL;
	int ret = dfs_dir_open(store, bases_path, &dir);

	memset(ret_registry, 0, sizeof(*ret_registry));
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return dfs_fail(err, -ret, "%s/%s: %s", store->path, bases_path, strerror(-ret));
	ret = load_all(dir, &registry, err);
	if (ret < 0)
		return ret;
	*ret_registry = registry;
	registry = (struct dfs_registry){ 0 };
	return ret;
}

void dfs_registry_release(struct dfs_registry *registry)
{
	for (size_t i = 0; i < registry->n; i++)
		dfs_registered_release(&registry->models[i]);
	free(registry->models);
	*registry = (struct dfs_registry){ 0 };
}

const struct dfs_registered *dfs_registry_file(const struct dfs_registry *registry,
					       struct dfs_hash hash,
					       const struct dfs_registered_file **ret_file)
{
	for (size_t i = 0; i < registry->n; i++) {
		const struct dfs_registered *model = &registry->models[i];

		for (size_t k = 0; k < model->n_files; k++) {
			if (!dfs_hash_equal(model->files[k].hash, hash))
				continue;
			if (ret_file)
				*ret_file = &model->files[k];
			return model;
		}
	}
	return NULL;
}

static int by_bytes(const void *a, const void *b)
{
	return dfs_hash_compare(*(const struct dfs_hash *)a, *(const struct dfs_hash *)b);
}

struct dfs_hash dfs_model_id(struct dfs_hash *hashes, size_t n)
{
	_Static_assert(sizeof(struct dfs_hash) == 16, "hashes are joined without gaps");
	qsort(hashes, n, sizeof(*hashes), by_bytes);
	return dfs_hash128(hashes, n * sizeof(*hashes));
}

void dfs_registered_origin(const struct dfs_registered *model, char *ret_text, size_t size)
{
	snprintf(ret_text, size, "%s%s%s", model->repository, *model->commit ? "@" : "",
		 model->commit);
}

int dfs_registered_open(const struct dfs_store *store, const struct dfs_registered_file *file,
			int *ret_fd, struct dfs_err *err)
{
	char pin[DFS_PIN_PATH_SIZE], hex[DFS_HASH_HEX];
	struct dfs_place place = { DFS_PLACE_PIN, store->fd, dfs_pin_path(file->hash, pin) };
	struct stat st;

	for (size_t i = 0; i <= file->paths.n; i++) {
		DFS_AUTO(fd) int fd = -1;

		if (dfs_place_open(&place, O_RDONLY, &fd, &st) == 0 &&
		    (uint64_t)st.st_size == file->size) {
			*ret_fd = dfs_steal_fd(&fd);
			return 0;
		}
		if (i < file->paths.n)
			place = dfs_place_of(store, file->paths.paths[i]);
	}
	return dfs_fail(
		err, EIO,
		"base %s (%llu bytes, XXH3-128 %s): neither its pin nor a file where it was",
		file->name, (unsigned long long)file->size, dfs_hash_hex(file->hash, hex));
}
