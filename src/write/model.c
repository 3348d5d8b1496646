/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model: open, read headers, hash; no decision is taken here. */
#include "write/model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/claim.h"
#include "store/expand.h"
#include "store/hashes.h"
#include "write/classify.h"
#include "write/provenance.h"

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

static int file_open(struct dfs_model_file *file, const char *path, struct dfs_err *err)
{
	struct dfs_err why = { "" };
	int ret = open_plain(path, &file->fd, &file->size, err);

	if (ret < 0)
		return ret;
	ret = dfs_classify(file->fd, &file->header, &why, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", path);
	if (!file->header)
		return dfs_fail(err, EINVAL, "%s is no safetensors file: %s", path, why.text);
	file->path = strdup(path);
	file->name = dfs_provenance_name(path);
	file->origin = dfs_provenance_origin(path);
	if (!file->path || !file->name || !file->origin)
		return dfs_fail(err, ENOMEM, "out of memory");
	return 0;
}

int dfs_model_open(const char *path, struct dfs_model **ret_model, struct dfs_err *err)
{
	DFS_AUTO(model) struct dfs_model *model = NULL;
	DFS_AUTO(paths) struct dfs_paths paths = { 0 };
	int ret = dfs_paths_expand(path, &paths, err);

	if (ret < 0)
		return ret;
	model = calloc(1, sizeof(*model));
	if (model)
		model->files = calloc(paths.n, sizeof(*model->files));
	if (!model || !model->files)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < paths.n; i++)
		model->files[i].fd = -1;
	model->n_files = paths.n;
	for (size_t i = 0; i < paths.n; i++) {
		ret = file_open(&model->files[i], paths.paths[i], err);
		if (ret < 0)
			return ret;
	}
	*ret_model = dfs_steal(&model);
	return 0;
}

static int by_hash(const void *a, const void *b)
{
	return dfs_hash_compare(*(const struct dfs_hash *)a, *(const struct dfs_hash *)b);
}

int dfs_model_identify(struct dfs_model *model, struct dfs_store *store, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_hash *hashes = calloc(model->n_files, sizeof(*hashes));

	if (!hashes)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < model->n_files; i++) {
		struct dfs_model_file *file = &model->files[i];
		int ret = 0;

		if (dfs_hash_is_zero(file->hash))
			ret = dfs_hashes_get(store, file->fd, NULL, NULL, &file->hash);
		if (ret < 0)
			return dfs_fail(err, -ret, "read %s: %s", file->path, strerror(-ret));
		hashes[i] = file->hash;
	}
	qsort(hashes, model->n_files, sizeof(*hashes), by_hash);
	model->id = dfs_hash128(hashes, model->n_files * sizeof(*hashes));
	return 0;
}

uint64_t dfs_model_bytes(const struct dfs_model *model)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < model->n_files; i++)
		sum += model->files[i].size;
	return sum;
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
