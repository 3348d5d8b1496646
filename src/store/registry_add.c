/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry_add: a model becomes a base of the store.
 *
 *	open and check every file -> hash -> pin -> ID -> merge -> write ID.json
 *
 * Pins come before the JSON that promises them; a crash in between leaves pins
 * that belong to nobody, which the next sweep frees.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/claim.h"
#include "store/internal.h"
#include "store/json.h"
#include "store/origin.h"
#include "store/pins.h"
#include "store/registry_json.h"
#include "tensor/safetensors.h"
#include "util/clock.h"

DFS_AUTO_KIND(header, struct dfs_header *, dfs_header_free(*p));

struct adding {
	struct dfs_store *store;
	const struct dfs_registry_add *add;
	struct dfs_registry_added *added;
	struct dfs_registered model;
	struct dfs_origin origin;
	uint64_t done_bytes;	/* of files before this one */
};

static bool progress(void *arg, uint64_t done_bytes, uint64_t total_bytes)
{
	struct adding *a = arg;

	(void)total_bytes;
	return !a->add->progress ||
	       a->add->progress(a->add->arg, a->done_bytes + done_bytes, a->added->bytes);
}

/* A base is read as plain bytes, so it must be plain, and by tensors, so it must be a model. */
static int check(int fd, const struct stat *st, struct dfs_err *err)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct dfs_claim claim;
	int ret;

	if (!S_ISREG(st->st_mode))
		return dfs_fail(err, EINVAL, "not a regular file");
	ret = dfs_claim_check(fd, (uint64_t)st->st_size, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s", strerror(-ret));
	if (claim.kind != DFS_PLAIN)
		return dfs_fail(err, ENOTSUP,
				"is itself compressed; decode it first (a base is a plain file)");
	ret = dfs_header_load(fd, &header, err);
	return ret < 0 ? dfs_err_at(err, ret, "not a safetensors file") : 0;
}

/* Relative to the store if it lies in it. */
static const char *store_path(const struct dfs_store *store, const char *path)
{
	size_t n = strcmp(store->path, "/") == 0 ? 0 : strlen(store->path);

	return strncmp(path, store->path, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1 :
										     path;
}

static int open_path(const struct dfs_store *store, const char *path, int *ret_fd)
{
	DFS_AUTO(mem) char *whole = realpath(path, NULL);
	const char *rel;

	if (!whole)
		return -errno;
	rel = store_path(store, whole);
	if (rel != whole)
		return dfs_store_openat(store, rel, O_RDONLY, ret_fd);
	*ret_fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

static int open_file(const struct dfs_store *store, const char *path, int *ret_fd, struct stat *ret_st, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	int ret = open_path(store, path, &fd);

	if (ret == 0 && fstat(fd, ret_st) < 0)
		ret = -errno;
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", path, strerror(-ret));
	ret = check(fd, ret_st, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", path);
	*ret_fd = dfs_steal_fd(&fd);
	return 0;
}

/* What containers will call the file: its path in the store, else "MODEL/FILE". */
static char *file_name(const struct adding *a, const char *path, const char *whole)
{
	const char *rel = store_path(a->store, whole);
	const char *base = strrchr(path, '/');
	const char *repo = strrchr(a->origin.repository, '/');
	char *name;
	const char *up;

	if (rel != whole)
		return strdup(rel);
	base = base ? base + 1 : path;
	if (*a->origin.repository)
		return asprintf(&name, "%s/%s", repo ? repo + 1 : a->origin.repository, base) < 0 ?
			       NULL :
			       name;
	for (up = strrchr(whole, '/'); up > whole && up[-1] != '/';)
		up--;
	return strdup(up);
}

static int describe(const struct adding *a, const char *path, struct dfs_registered_file *file)
{
	DFS_AUTO(mem) char *whole = realpath(path, NULL);

	if (!whole)
		return -errno;
	file->name = file_name(a, path, whole);
	return file->name ? dfs_paths_add(&file->paths, store_path(a->store, whole)) : -ENOMEM;
}

static void count(struct dfs_registry_added *added, enum dfs_pin_how how, uint64_t size)
{
	if (how == DFS_PIN_LINKED)
		added->bytes_linked += size;
	else if (how == DFS_PIN_CLONED)
		added->bytes_cloned += size;
	else if (how == DFS_PIN_COPIED)
		added->bytes_copied += size;
}

static bool same_content(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && dfs_time_same(a->st_mtim, b->st_mtim);
}

/*
 * Linking gave the inode a new ctime, so its hash would not be found again:
 * note it once more. If what was linked or cloned is no longer what was
 * hashed, it is no pin of that hash.
 */
static int recheck(struct adding *a, int fd, const struct stat *before,
		   const struct dfs_registered_file *file, enum dfs_pin_how how,
		   struct dfs_err *err)
{
	char path[DFS_PIN_PATH_SIZE];
	struct stat now;
	bool certain = dfs_hash_times_settle(fd, &now);

	if (!same_content(&now, before)) {
		if (how != DFS_PIN_THERE)
			unlinkat(a->store->fd, dfs_pin_path(file->hash, path), 0);
		return dfs_fail(err, ESTALE, "changed while it was added");
	}
	if (certain)
		dfs_hashes_remember(a->store, &now, file->hash);
	return 0;
}

/* @before: the file as it was before it was hashed */
static int pin(struct adding *a, int fd, const struct stat *before,
	       struct dfs_registered_file *file, struct dfs_err *err)
{
	const struct dfs_pin_add add = { .fd = fd, .hash = file->hash, .watch = a->add->watch, .progress = progress, .arg = a };
	enum dfs_pin_how how;
	int ret;

	ret = dfs_pin_add(a->store, &add, &how, &a->added->why_copied, err);
	if (ret == 0)
		ret = recheck(a, fd, before, file, how, err);
	if (ret < 0)
		return ret;
	count(a->added, how, file->size);
	file->pinned = true;
	return 0;
}

static int add_file(struct adding *a, const char *path, struct dfs_registered_file *file,
		    struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	struct stat st;
	int ret;

	ret = open_file(a->store, path, &fd, &st, err);
	if (ret < 0)
		return ret;
	file->size = (uint64_t)st.st_size;
	ret = describe(a, path, file);
	if (ret == 0)
		ret = dfs_hashes_get(a->store, fd, progress, a, &file->hash);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", path,
				ret == -ESTALE ? "changed while it was read" : strerror(-ret));
	if (!a->add->by_reference)
		ret = pin(a, fd, &st, file, err);
	a->done_bytes += file->size;
	return ret < 0 ? dfs_err_at(err, ret, "%s", path) : 0;
}

/* All is checked and its size known before anything is hashed or linked. */
static int survey(struct adding *a, const struct dfs_paths *files, struct dfs_err *err)
{
	for (size_t i = 0; i < files->n; i++) {
		DFS_AUTO(fd) int fd = -1;
		struct stat st;
		int ret = open_file(a->store, files->paths[i], &fd, &st, err);

		if (ret < 0)
			return ret;
		a->added->bytes += (uint64_t)st.st_size;
	}
	a->added->n_files = files->n;
	a->model.files = calloc(files->n, sizeof(*a->model.files));
	return a->model.files ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

static int by_hash(const void *a, const void *b)
{
	return dfs_hash_compare(((const struct dfs_registered_file *)a)->hash,
				((const struct dfs_registered_file *)b)->hash);
}

static int identify(struct adding *a, struct dfs_err *err)
{
	struct dfs_registered *model = &a->model;
	DFS_AUTO(mem) struct dfs_hash *hashes = calloc(model->n_files, sizeof(*hashes));
	DFS_AUTO(mem) char *name = dfs_resolve_parent(a->add->path);

	model->repository = strdup(a->origin.repository);
	model->commit = strdup(a->origin.commit);
	if (!hashes || !name || !model->repository || !model->commit ||
	    dfs_paths_add(&model->names, store_path(a->store, name)) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < model->n_files; i++)
		hashes[i] = model->files[i].hash;
	model->id = dfs_model_id(hashes, model->n_files);
	qsort(model->files, model->n_files, sizeof(*model->files), by_hash);
	return 0;
}

int dfs_registry_add(struct dfs_store *store, const struct dfs_registry_add *add,
		     struct dfs_registry_added *ret_added, struct dfs_err *err)
{
	struct adding a = { .store = store, .add = add, .added = ret_added };
	DFS_AUTO(paths) struct dfs_paths files = { 0 };
	int ret;

	memset(ret_added, 0, sizeof(*ret_added));
	if (store->lock_fd < 0)
		return dfs_fail(err, ENOLCK, "adding a base needs the store's lock");
	ret = dfs_paths_expand(add->path, &files, err);
	if (ret < 0)
		return ret;
	dfs_origin_find(add->path, &a.origin);
	ret = survey(&a, &files, err);
	for (size_t i = 0; ret == 0 && i < files.n; i++) {
		a.model.n_files++; /* counted first: what is half-made is released too */
		ret = add_file(&a, files.paths[i], &a.model.files[i], err);
	}
	if (ret == 0)
		ret = identify(&a, err);
	if (ret == 0)
		ret = dfs_registered_write(store, &a.model, &ret_added->known, err);
	if (ret == 0)
		ret_added->id = a.model.id;
	dfs_registered_release(&a.model);
	return ret;
}
