/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model: open, read headers, hash; no decision is taken here. */
#include "write/model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/claim.h"
#include "store/expand.h"
#include "store/hashes.h"
#include "store/origin.h"
#include "util/clock.h"
#include "write/classify.h"

static int open_plain(const char *path, int *ret_fd, uint64_t *ret_size, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct dfs_claim claim;
	struct stat st;
	int ret;

	if (fd < 0)
		return dfs_fail_errno(err, "open %s", path);
	if (fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return dfs_fail(err, EINVAL, "%s is no regular file", path);
	ret = dfs_claim_check(fd, (uint64_t)st.st_size, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "read %s: %s", path, strerror(-ret));
	if (claim.kind != DFS_PLAIN)
		return dfs_fail(err, EINVAL, "%s is compressed, and a base must be plain: `deltafsctl decode` it first", path);
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = dfs_steal_fd(&fd);
	return 0;
}

/* Takes the descriptor in file->fd. */
static int file_read(struct dfs_model_file *file, const char *path, struct dfs_err *err)
{
	struct dfs_err why = { "" };
	int ret = dfs_classify(file->fd, &file->header, &why, err);

	if (ret < 0)
		return dfs_err_at(err, ret, "%s", path);
	if (!file->header)
		return dfs_fail(err, EINVAL, "%s is no safetensors file: %s", path, why.text);
	file->path = strdup(path);
	return file->path ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

/* "MODEL/FILE", for people: the last two components of the path. */
static char *file_name(const char *path)
{
	DFS_AUTO(mem) char *full = strchr(path, '/') ? NULL : realpath(path, NULL);
	const char *at = full ? full : path, *slash = strrchr(at, '/');

	while (slash && slash > at && slash[-1] != '/')
		slash--;
	return strdup(slash ? slash : at);
}

static int file_open(struct dfs_model_file *file, const char *path, const char *origin,
		     struct dfs_err *err)
{
	int ret = open_plain(path, &file->fd, &file->size, err);

	if (ret == 0)
		ret = file_read(file, path, err);
	if (ret < 0)
		return ret;
	file->name = file_name(path);
	file->origin = strdup(origin);
	return file->name && file->origin ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

static struct dfs_model *model_new(size_t n_files)
{
	struct dfs_model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->files = calloc(n_files, sizeof(*model->files));
	if (!model->files) {
		free(model);
		return NULL;
	}
	model->n_files = n_files;
	for (size_t i = 0; i < n_files; i++)
		model->files[i].fd = -1;
	return model;
}

static void origin_text(const char *path, char *text, size_t size)
{
	struct dfs_origin origin;

	dfs_origin_find(path, &origin);
	snprintf(text, size, "%s%s%s", origin.repository, origin.commit[0] ? "@" : "", origin.commit);
}

int dfs_model_open_files(char *const *paths, size_t n, const char *origin,
			 struct dfs_model **ret_model, struct dfs_err *err)
{
	DFS_AUTO(model) struct dfs_model *model = model_new(n);

	if (!model)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		int ret = file_open(&model->files[i], paths[i], origin, err);

		if (ret < 0)
			return ret;
	}
	*ret_model = dfs_steal(&model);
	return 0;
}

int dfs_model_open(const char *path, struct dfs_model **ret_model, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths paths = { 0 };
	char origin[336];
	int ret = dfs_paths_expand(path, &paths, err);

	if (ret < 0)
		return ret;
	origin_text(path, origin, sizeof(origin));
	return dfs_model_open_files(paths.paths, paths.n, origin, ret_model, err);
}

static int registered_file_open(struct dfs_model_file *file, const struct dfs_store *store,
				const struct dfs_registered_file *from, const char *origin,
				struct dfs_err *err)
{
	int ret = dfs_registered_open(store, from, &file->fd, err);

	if (ret == 0)
		ret = file_read(file, from->name, err);
	if (ret < 0)
		return ret;
	file->size = from->size;
	file->hash = from->hash;
	file->name = strdup(from->name);
	file->origin = strdup(origin);
	return file->name && file->origin ? 0 : dfs_fail(err, ENOMEM, "out of memory");
}

int dfs_model_open_registered(const struct dfs_store *store, const struct dfs_registered *registered,
			      struct dfs_model **ret_model, struct dfs_err *err)
{
	DFS_AUTO(model) struct dfs_model *model = model_new(registered->n_files);
	char origin[336];

	if (!model)
		return dfs_fail(err, ENOMEM, "out of memory");
	model->id = registered->id;
	dfs_registered_origin(registered, origin, sizeof(origin));
	for (size_t i = 0; i < registered->n_files; i++) {
		int ret = registered_file_open(&model->files[i], store, &registered->files[i], origin, err);

		if (ret < 0)
			return ret;
	}
	*ret_model = dfs_steal(&model);
	return 0;
}

/* Hashing several files is one progress to whoever looks on. */
struct hashing {
	dfs_hash_progress_fn *progress;
	void *arg;
	uint64_t before, total;
};

static bool hashing_tell(void *arg, uint64_t done, uint64_t total)
{
	struct hashing *h = arg;

	(void)total;
	return !h->progress || h->progress(h->arg, h->before + done, h->total);
}

int dfs_model_identify(struct dfs_model *model, struct dfs_store *store,
		       dfs_hash_progress_fn *progress, void *arg, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_hash *hashes = calloc(model->n_files, sizeof(*hashes));
	struct hashing hashing = { progress, arg, 0, dfs_model_bytes(model) };

	if (!hashes)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < model->n_files; i++) {
		struct dfs_model_file *file = &model->files[i];
		int ret = 0;

		if (dfs_hash_is_zero(file->hash))
			ret = dfs_hashes_get(store, file->fd, hashing_tell, &hashing, &file->hash);
		if (ret == -ECANCELED)
			return dfs_fail(err, ECANCELED, "interrupted");
		if (ret < 0)
			return dfs_fail(err, -ret, "read %s: %s", file->path, strerror(-ret));
		hashes[i] = file->hash;
		hashing.before += file->size;
	}
	model->id = dfs_model_id(hashes, model->n_files);
	return 0;
}

uint64_t dfs_model_bytes(const struct dfs_model *model)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < model->n_files; i++)
		sum += model->files[i].size;
	return sum;
}

int dfs_model_stat(const struct dfs_model *model, struct stat *ret_stats, struct dfs_err *err)
{
	for (size_t i = 0; i < model->n_files; i++)
		if (fstat(model->files[i].fd, &ret_stats[i]) < 0)
			return dfs_fail_errno(err, "stat %s", model->files[i].name);
	return 0;
}

/* A name that comes or goes moves the ctime, and says nothing about the content: a checkpoint is removed while the next is coded against its pin. */
static bool is_unchanged(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == before->st_size && dfs_time_same(now.st_mtim, before->st_mtim) &&
	       (dfs_time_same(now.st_ctim, before->st_ctim) || now.st_nlink != before->st_nlink);
}

int dfs_model_check(const struct dfs_model *model, const struct stat *stats, struct dfs_store *store,
		    dfs_hash_progress_fn *progress, void *arg, struct dfs_err *err)
{
	struct hashing hashing = { progress, arg, 0, dfs_model_bytes(model) };

	for (size_t i = 0; i < model->n_files; i++) {
		const struct dfs_model_file *file = &model->files[i];
		struct dfs_hash hash;
		int ret = dfs_hashes_get(store, file->fd, hashing_tell, &hashing, &hash);

		if (ret < 0)
			return dfs_fail(err, -ret, "read base %s: %s", file->name, strerror(-ret));
		if (!dfs_hash_equal(hash, file->hash) || !is_unchanged(file->fd, &stats[i]))
			return dfs_fail(err, ESTALE, "base %s was changed", file->name);
		hashing.before += file->size;
	}
	return 0;
}

void dfs_model_free(struct dfs_model *model)
{
	if (!model)
		return;
	for (size_t i = 0; i < model->n_files; i++) {
		struct dfs_model_file *file = &model->files[i];

		if (file->fd >= 0)
			close(file->fd);
		dfs_header_free(file->header);
		free(file->path);
		free(file->name);
		free(file->origin);
	}
	free(model->files);
	free(model);
}
