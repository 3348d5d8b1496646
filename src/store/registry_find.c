/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry_find: the model that a user means by an ID or a path.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "store/pins.h"
#include "store/places.h"
#include "store/registry.h"
#include "util/text.h"

static bool looks_like_id(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef");

	return n >= DFS_ID_PREFIX_MIN && n <= 32 && !text[n];
}

static const struct dfs_registered *find_id(const struct dfs_registry *registry, const char *text,
					    unsigned *ret_n)
{
	const struct dfs_registered *found = NULL;
	char hex[DFS_HASH_HEX];

	*ret_n = 0;
	for (size_t i = 0; i < registry->n; i++) {
		if (!dfs_text_begins(dfs_hash_hex(registry->models[i].id, hex), text))
			continue;
		found = &registry->models[i];
		++*ret_n;
	}
	return found;
}

/* Is @path, as stored (relative to the store or absolute), the absolute path @text? */
static bool is_path(const struct dfs_store *store, const char *path, const char *text)
{
	size_t n = strlen(store->path);

	if (path[0] == '/')
		return strcmp(path, text) == 0;
	return strncmp(text, store->path, n) == 0 && text[n] == '/' &&
	       strcmp(text + n + 1, path) == 0;
}

static bool has_path(const struct dfs_store *store, const struct dfs_paths *paths, const char *text)
{
	for (size_t i = 0; i < paths->n; i++) {
		if (is_path(store, paths->paths[i], text))
			return true;
	}
	return false;
}

static bool is_pin(const struct dfs_store *store, struct dfs_hash hash, const struct stat *st)
{
	char path[DFS_PIN_PATH_SIZE];
	struct stat pin;

	return fstatat(store->fd, dfs_pin_path(hash, path), &pin, AT_SYMLINK_NOFOLLOW) == 0 &&
	       pin.st_dev == st->st_dev && pin.st_ino == st->st_ino;
}

static bool has_file(const struct dfs_store *store, const struct dfs_registered *model,
		     const char *text, const struct stat *st)
{
	struct dfs_hash hash;
	bool known = dfs_hashes_find(store, st, &hash);

	for (size_t i = 0; i < model->n_files; i++) {
		const struct dfs_registered_file *file = &model->files[i];

		if (file->size != (uint64_t)st->st_size)
			continue;
		if (known ? dfs_hash_equal(hash, file->hash) :
			    has_path(store, &file->paths, text) || is_pin(store, file->hash, st))
			return true;
	}
	return false;
}

const struct dfs_registered *dfs_registry_holder(const struct dfs_registry *registry, const struct dfs_store *store,
						 const char *rel, const struct stat *st)
{
	DFS_AUTO(mem) char *whole = NULL;

	if (asprintf(&whole, "%s/%s", store->path, rel) < 0) {
		whole = NULL;
		return NULL;
	}
	for (size_t i = 0; i < registry->n; i++)
		if (has_file(store, &registry->models[i], whole, st))
			return &registry->models[i];
	return NULL;
}

static bool has_files(const struct dfs_store *store, const struct dfs_registered *model,
		      const struct dfs_paths *files)
{
	for (size_t i = 0; i < files->n; i++) {
		DFS_AUTO(mem) char *whole = realpath(files->paths[i], NULL);
		struct stat st;

		if (!whole || stat(whole, &st) < 0 || !has_file(store, model, whole, &st))
			return false;
	}
	return true;
}

static const struct dfs_registered *find_files(const struct dfs_registry *registry,
					       const struct dfs_store *store, const char *path)
{
	DFS_AUTO(paths) struct dfs_paths files = { 0 };
	const struct dfs_registered *found = NULL;

	if (dfs_paths_expand(path, &files, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < registry->n; i++) {
		const struct dfs_registered *model = &registry->models[i];

		if (!has_files(store, model, &files))
			continue;
		/* the model that is these files goes before one that also has them */
		if (!found || model->n_files == files.n)
			found = model;
	}
	return found;
}

/* The name under which it was added, though nothing may be there any more. */
static const struct dfs_registered *find_name(const struct dfs_registry *registry,
					      const struct dfs_store *store, const char *path)
{
	DFS_AUTO(mem) char *whole = dfs_resolve_parent(path);

	if (!whole)
		whole = dfs_absolute(path);
	for (size_t i = 0; whole && i < registry->n; i++) {
		const struct dfs_registered *model = &registry->models[i];

		if (has_path(store, &model->names, whole))
			return model;
		for (size_t k = 0; k < model->n_files; k++) {
			if (has_path(store, &model->files[k].paths, whole))
				return model;
		}
	}
	return NULL;
}

static const struct dfs_registered *none(const struct dfs_store *store, const char *text, struct dfs_err *err)
{
	dfs_fail(err, ENOENT, "%s: no base of %s (an ID has at least %d digits)", text, store->path, DFS_ID_PREFIX_MIN);
	return NULL;
}

const struct dfs_registered *dfs_registry_id(const struct dfs_registry *registry, const struct dfs_store *store,
					     const char *text, struct dfs_err *err)
{
	const struct dfs_registered *found = NULL;
	unsigned n = 0;

	if (looks_like_id(text))
		found = find_id(registry, text, &n);
	if (n == 1)
		return found;
	if (n == 0)
		return none(store, text, err);
	dfs_fail(err, EINVAL, "%s: %u bases have IDs that begin so", text, n);
	return NULL;
}

const struct dfs_registered *dfs_registry_find(const struct dfs_registry *registry,
					       const struct dfs_store *store, const char *text,
					       struct dfs_err *err)
{
	const struct dfs_registered *found = NULL;
	unsigned n = 0;

	if (looks_like_id(text))
		found = find_id(registry, text, &n);
	if (n > 1)
		return dfs_registry_id(registry, store, text, err);
	if (!found)
		found = find_files(registry, store, text);
	if (!found && access(text, F_OK) < 0)
		found = find_name(registry, store, text);
	return found ? found : none(store, text, err);
}

/* --- by inode */

static bool leads_to(const struct dfs_store *store, const char *path, int flags, const struct stat *file)
{
	struct stat st;

	return fstatat(dfs_store_fd(store), path, &st, flags) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

static bool is_read_from(const struct dfs_registered_file *base, const struct dfs_store *store, const struct stat *st)
{
	char pin[DFS_PIN_PATH_SIZE];

	if (leads_to(store, dfs_pin_path(base->hash, pin), AT_SYMLINK_NOFOLLOW, st))
		return true;
	for (size_t i = 0; !base->pinned && i < base->paths.n; i++)
		if (leads_to(store, base->paths.paths[i], 0, st))
			return true;
	return false;
}

bool dfs_registry_holds(const struct dfs_registry *registry, const struct dfs_store *store, const struct stat *st)
{
	for (size_t m = 0; m < registry->n; m++)
		for (size_t i = 0; i < registry->models[m].n_files; i++)
			if (is_read_from(&registry->models[m].files[i], store, st))
				return true;
	return false;
}
