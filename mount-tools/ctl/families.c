/* SPDX-License-Identifier: GPL-2.0-or-later */
/* families: see families.h. */
#include "families.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "progress.h"
#include "store/claim.h"
#include "write/classify.h"
#include "write/family.h"

void ctl_families_release(struct ctl_families *f)
{
	for (size_t i = 0; i < f->n_models; i++) {
		for (size_t k = 0; k < f->models[i].n_paths; k++)
			free(f->models[i].paths[k]);
		free(f->models[i].paths);
		free(f->models[i].shown);
	}
	free(f->models);
	free(f->files);
	*f = (struct ctl_families){ 0 };
}

/* "-00001-of-00002.safetensors" at the end: its length, else 0. A # stands for a digit. */
static size_t shard_tail(const char *path)
{
	static const char pattern[] = "-#####-of-#####.safetensors";
	size_t len = strlen(path), tail = strlen(pattern);

	if (len <= tail)
		return 0;
	for (size_t i = 0; i < tail; i++) {
		unsigned char c = (unsigned char)path[len - tail + i];

		if (pattern[i] == '#' ? !isdigit(c) : c != (unsigned char)pattern[i])
			return 0;
	}
	return tail;
}

static bool same_model(const struct ctl_planned_model *model, const char *path, size_t tail)
{
	const char *first = model->paths[0];
	size_t stem = strlen(path) - tail;

	return tail && shard_tail(first) == tail && strlen(first) - tail == stem && !strncmp(first, path, stem);
}

static int model_add_path(struct ctl_planned_model *model, const char *path)
{
	char **more = reallocarray(model->paths, model->n_paths + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	model->paths = more;
	more[model->n_paths] = strdup(path);
	return more[model->n_paths++] ? 0 : -ENOMEM;
}

static int model_new(struct ctl_families *f, const char *path, size_t tail)
{
	struct ctl_planned_model *more = reallocarray(f->models, f->n_models + 1, sizeof(*more));
	const char *slash = strrchr(path, '/');

	if (!more)
		return -ENOMEM;
	f->models = more;
	more[f->n_models] = (struct ctl_planned_model){
		.base = CTL_NO_MODEL,
		.shown = tail && slash ? strndup(path, (size_t)(slash - path)) : strdup(path),
	};
	return more[f->n_models++].shown ? 0 : -ENOMEM;
}

/* Shards of a model follow each other in the walk. */
static int place_file(struct ctl_families *f, size_t i, const char *path)
{
	size_t tail = shard_tail(path);
	int ret = 0;

	if (f->n_models == 0 || !same_model(&f->models[f->n_models - 1], path, tail))
		ret = model_new(f, path, tail);
	if (ret < 0)
		return ret;
	f->files[i].model = f->n_models - 1;
	f->models[f->n_models - 1].bytes += f->files[i].bytes;
	return model_add_path(&f->models[f->n_models - 1], path);
}

/* Return: 0; -errno with a sentence: the file cannot be read. */
static int look_at(struct ctl_planned_file *file, const char *path, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	DFS_AUTO(header) struct dfs_header *header = NULL;
	const char *slash = strrchr(path, '/');
	struct dfs_claim claim;
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "%s", path);
	ret = dfs_claim_check(fd, (uint64_t)st.st_size, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", path, strerror(-ret));
	file->bytes = claim.original_size;
	file->stored = (uint64_t)st.st_size;
	file->plain = claim.kind == DFS_PLAIN;
	if (!file->plain) {
		file->why = "compressed already";
		return 0;
	}
	if (dfs_classify_name(slash ? slash + 1 : path)) {
		file->why = "not finished, by its name";
		return 0;
	}
	ret = dfs_classify(fd, &header, NULL, err);
	if (ret == 0 && !header)
		file->why = "no safetensors file";
	return ret;
}

static int look_at_all(struct ctl *ctl, const struct ctl_files *files, struct ctl_families *f)
{
	for (size_t i = 0; i < files->n; i++) {
		struct ctl_planned_file *file = &f->files[i];
		struct dfs_err err;
		int ret;

		file->model = CTL_NO_MODEL;
		if (ctl_interrupted())
			return -ECANCELED;
		ret = look_at(file, files->files[i].path, &err);
		if (ret < 0) {
			ctl_warn("%s", err.text);
			ctl->failures++;
			file->why = "cannot be read";
		}
		ret = file->why ? 0 : place_file(f, i, files->files[i].path);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int model_open(const struct ctl_planned_model *model, struct dfs_model **ret_model, struct dfs_err *err)
{
	return dfs_model_open_files(model->paths, model->n_paths, "", ret_model, err);
}

/* Put each model into the first family whose first member is like it. */
static int group(struct ctl_families *f, size_t *ret_n, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_model **firsts = calloc(f->n_models + 1, sizeof(*firsts));
	size_t n = 0, k;
	int ret = firsts ? 0 : -ENOMEM;

	for (size_t i = 0; i < f->n_models && ret >= 0; i++) {
		struct dfs_model *model;

		ret = model_open(&f->models[i], &model, err);
		for (k = 0; k < n && ret == 0; k++) {
			ret = dfs_family_alike(model, firsts[k], err);
			if (ret > 0)
				break;
		}
		if (ret < 0)
			break;
		f->models[i].family = k;
		if (k == n)
			firsts[n++] = model;
		else
			dfs_model_free(model);
	}
	for (k = 0; k < n; k++)
		dfs_model_free(firsts[k]);
	*ret_n = n;
	return ret < 0 ? ret : 0;
}

static void take_plan(struct ctl_families *f, const struct dfs_member *members, const size_t *index, size_t n)
{
	for (size_t m = 0; m < n; m++) {
		struct ctl_planned_model *model = &f->models[index[m]];

		model->alone = members[m].alone;
		model->stored = members[m].stored;
		model->base = members[m].base == DFS_NO_BASE ? CTL_NO_MODEL : index[members[m].base];
		model->lonely = n == 1;
	}
}

static int plan_family(struct ctl_families *f, size_t family, struct dfs_hand *hand,
		       struct ctl_progress *progress, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_member *members = calloc(f->n_models, sizeof(*members));
	DFS_AUTO(mem) size_t *index = calloc(f->n_models, sizeof(*index));
	size_t n = 0;
	int ret = 0;

	if (!members || !index)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < f->n_models && ret == 0; i++) {
		if (f->models[i].family != family)
			continue;
		index[n] = i;
		ret = model_open(&f->models[i], &members[n].model, err);
		n += ret == 0;
	}
	if (ret == 0)
		ret = dfs_family_plan(members, n, hand, ctl_progress_tell, progress, err);
	if (ret == 0)
		take_plan(f, members, index, n);
	for (size_t m = 0; m < n; m++)
		dfs_model_free(members[m].model);
	return ret;
}

int ctl_families_make(struct ctl *ctl, const struct ctl_files *files, struct ctl_families *ret_families,
		      struct dfs_err *err)
{
	struct ctl_families f = { .files = calloc(files->n + 1, sizeof(*f.files)), .n_files = files->n };
	struct dfs_hand *hand = dfs_hand_new();
	struct ctl_progress progress;
	size_t n_families = 0;
	int ret = f.files && hand ? 0 : dfs_fail(err, ENOMEM, "out of memory");

	ctl_progress_start(&progress, "comparing", "models");
	progress.counts = true;
	if (ret == 0)
		ret = look_at_all(ctl, files, &f);
	if (ret == 0)
		ret = group(&f, &n_families, err);
	for (size_t k = 0; k < n_families && ret == 0; k++)
		ret = plan_family(&f, k, hand, &progress, err);
	ctl_progress_end(&progress);
	dfs_hand_free(hand);
	if (ret < 0) {
		ctl_families_release(&f);
		return ret;
	}
	*ret_families = f;
	return 0;
}

char *ctl_families_path(const struct ctl_planned_model *model)
{
	const char *first = model->paths[0];
	char *index;

	if (model->n_paths == 1)
		return strdup(first);
	if (asprintf(&index, "%.*s.safetensors.index.json", (int)(strlen(first) - shard_tail(first)), first) < 0)
		return NULL;
	if (access(index, R_OK) == 0)
		return index;
	free(index);
	return strdup(model->shown);
}
