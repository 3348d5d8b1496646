/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/planned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/claim.h"
#include "util/clock.h"
#include "write/classify.h"
#include "write/elect.h"

void dfs_planned_release(struct dfs_planned *p)
{
	dfs_paths_release(&p->rels);
	free(p->stats);
	free(p->codec);
	dfs_plan_release(&p->plan);
	*p = (struct dfs_planned){ 0 };
}

static struct dfs_hash base_id(const struct dfs_encode_config *config)
{
	return config->base ? config->base->id : (struct dfs_hash){ { 0 } };
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       dfs_time_same(a->st_mtim, b->st_mtim);
}

/* Was this very file measured, for this codec over this base? */
static bool covers(const struct dfs_planned *p, const char *rel, const struct stat *st,
		   const struct dfs_encode_config *config)
{
	if (!p->codec || strcmp(p->codec, config->codec) || !dfs_hash_equal(p->base, base_id(config)))
		return false;
	for (size_t i = 0; i < p->rels.n; i++)
		if (!strcmp(p->rels.paths[i], rel))
			return is_same(&p->stats[i], st);
	return false;
}

/* Return: 0; -EEXIST: it is a container; -ENOENT; -errno. */
static int open_plain(struct dfs_plan_file *file, const char *rel, bool original, struct stat *ret_st,
		      dfs_planned_open_fn *open, void *open_arg, struct dfs_err *err)
{
	struct dfs_claim claim;
	int ret = open(open_arg, rel, original);

	if (ret == -ENOENT)
		return dfs_fail(err, ENOENT, "%s is not there", rel);
	if (ret < 0)
		return dfs_fail(err, -ret, "open %s: %s", rel, strerror(-ret));
	if (file->fd >= 0)
		close(file->fd);
	file->fd = ret;
	if (fstat(file->fd, ret_st) < 0)
		return dfs_fail_errno(err, "stat %s", rel);
	file->len = (uint64_t)ret_st->st_size;
	ret = dfs_claim_check(file->fd, file->len, &claim);
	if (ret < 0)
		return dfs_fail(err, -ret, "read %s: %s", rel, strerror(-ret));
	return claim.kind == DFS_PLAIN ? 0 : -EEXIST;
}

/* Return: 0; -EEXIST: it is a container, and its original is not kept; -errno. */
static int open_file(struct dfs_plan_file *file, const char *rel, struct stat *ret_st, dfs_planned_open_fn *open,
		     void *open_arg, struct dfs_err *err)
{
	int ret = open_plain(file, rel, false, ret_st, open, open_arg, err);

	if (ret == -EEXIST) {
		ret = open_plain(file, rel, true, ret_st, open, open_arg, err);
		ret = ret == -ENOENT ? -EEXIST : ret;
	}
	if (ret < 0)
		return ret;
	ret = dfs_classify(file->fd, &file->header, NULL, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", rel);
	return file->header ? 0 : dfs_fail(err, ENOENT, "%s is not whole", rel);
}

static int measure(struct dfs_planned *p, const struct dfs_encode_config *config, dfs_planned_open_fn *open,
		   void *open_arg, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_plan_file *files = calloc(p->rels.n + 1, sizeof(*files));
	size_t n = 0;
	int ret = 0;

	p->stats = calloc(p->rels.n + 1, sizeof(*p->stats));
	p->codec = strdup(config->codec);
	p->base = base_id(config);
	if (!files || !p->stats || !p->codec)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (; n < p->rels.n && ret == 0; n++) {
		files[n].fd = -1;
		ret = open_file(&files[n], p->rels.paths[n], &p->stats[n], open, open_arg, err);
	}
	if (ret == 0)
		ret = dfs_plan_make(files, n, config, &p->plan, err);
	for (size_t i = 0; i < n; i++) {
		dfs_header_free(files[i].header);
		if (files[i].fd >= 0)
			close(files[i].fd);
	}
	return ret;
}

int dfs_planned_get(struct dfs_planned *p, const char *rel, int fd, const struct dfs_encode_config *config,
		    dfs_planned_open_fn *open, void *open_arg, const struct dfs_plan **ret_plan, enum dfs_reason_id *ret_why,
		    struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths rels = { 0 };
	struct dfs_spec spec;
	struct stat st;
	int ret = dfs_spec_parse(config->codec, &spec, err);

	*ret_plan = NULL;
	*ret_why = DFS_REASON_NONE;
	if (ret < 0 || !spec.lossy || !spec.lossy->whole_model)
		return ret;
	if (dfs_elect_shards(rel, &rels) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (rels.n < 2)
		return 0;
	if (fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "stat %s", rel);
	if (!covers(p, rel, &st, config)) {
		dfs_planned_release(p);
		p->rels = rels;
		rels = (struct dfs_paths){ 0 };
		ret = measure(p, config, open, open_arg, err);
	}
	if (ret == 0)
		*ret_plan = &p->plan;
	else
		dfs_planned_release(p);
	if (ret == -EEXIST) {
		*ret_why = DFS_REASON_EXACT_SHARDS;
		ret = 0;
	}
	return ret;
}
