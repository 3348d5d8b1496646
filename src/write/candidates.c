/* SPDX-License-Identifier: GPL-2.0-or-later */
/* candidates: see candidates.h. */
#include "write/candidates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/access.h"
#include "store/claim.h"
#include "store/registry.h"
#include "util/auto.h"
#include "util/clock.h"

/* A directory that changed so lately may change again without showing it: file systems keep time in ticks, some in seconds. */
#define TICK_S 2

/* What of .deltafs the models depend on: who they are, and which files are read for them. */
static const char *const directories[] = { DFS_STORE_DIR "/bases", DFS_STORE_DIR "/pins" };
#define N_DIRECTORIES (sizeof(directories) / sizeof(*directories))

struct dfs_candidates {
	struct dfs_store *store;
	struct dfs_bases *bases;
	struct dfs_registry registry;
	struct dfs_model **models;	/* registry.n; NULL: cannot be opened */
	struct stat seen[N_DIRECTORIES];	/* before they were opened */
	bool fresh;
};

struct dfs_candidates *dfs_candidates_new(struct dfs_store *store, struct dfs_bases *bases)
{
	struct dfs_candidates *c = calloc(1, sizeof(*c));

	if (c) {
		c->store = store;
		c->bases = bases;
	}
	return c;
}

void dfs_candidates_drop(struct dfs_candidates *c)
{
	for (size_t i = 0; c->models && i < c->registry.n; i++)
		dfs_model_free(c->models[i]);
	free(c->models);
	c->models = NULL;
	dfs_registry_release(&c->registry);
	c->fresh = false;
}

void dfs_candidates_free(struct dfs_candidates *c)
{
	if (!c)
		return;
	dfs_candidates_drop(c);
	free(c);
}

/* --- opening */

/* Return: whether a later change is sure to show. */
static bool look(const struct dfs_candidates *c, struct stat seen[N_DIRECTORIES])
{
	bool sure = true;

	for (size_t i = 0; i < N_DIRECTORIES; i++) {
		seen[i] = (struct stat){ 0 };
		if (fstatat(dfs_store_fd(c->store), directories[i], &seen[i], AT_SYMLINK_NOFOLLOW) < 0)
			sure = false;
		else if (seen[i].st_mtim.tv_sec + TICK_S > time(NULL))
			sure = false;
	}
	return sure;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && dfs_time_same(a->st_mtim, b->st_mtim);
}

static bool is_fresh(const struct dfs_candidates *c)
{
	struct stat now[N_DIRECTORIES];

	if (!c->fresh)
		return false;
	look(c, now);
	for (size_t i = 0; i < N_DIRECTORIES; i++)
		if (!is_same(&now[i], &c->seen[i]))
			return false;
	return true;
}

int dfs_candidates_refresh(struct dfs_candidates *c, struct dfs_err *err)
{
	struct dfs_err why;
	bool sure;
	int ret;

	if (is_fresh(c))
		return 0;
	dfs_candidates_drop(c);
	sure = look(c, c->seen);
	ret = dfs_registry_list(c->store, &c->registry, NULL);
	if (ret < 0)
		return dfs_fail(err, -ret, "the bases cannot be listed: %s", strerror(-ret));
	c->models = calloc(c->registry.n + 1, sizeof(struct dfs_model *));
	if (!c->models)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < c->registry.n; i++)
		dfs_model_open_registered(c->store, &c->registry.models[i], &c->models[i], &why);
	c->fresh = sure;
	return 0;
}

const struct dfs_registry *dfs_candidates_registry(const struct dfs_candidates *c)
{
	return &c->registry;
}

const struct dfs_model *dfs_candidates_model(const struct dfs_candidates *c, struct dfs_hash id)
{
	for (size_t i = 0; i < c->registry.n; i++)
		if (c->models[i] && dfs_hash_equal(c->models[i]->id, id))
			return c->models[i];
	return NULL;
}

/* --- choosing */

static int may_read(const struct dfs_candidates *c, const struct stat *file, const struct dfs_model_file *of,
		    struct dfs_hash model, struct dfs_err *err)
{
	const struct dfs_base_file want = {
		.hash = of->hash, .size = of->size, .model = model, .name = of->name, .origin = of->origin,
	};
	struct dfs_base *base;
	int ret = dfs_bases_get(c->bases, &want, &base, err);

	if (ret < 0)
		return ret;
	ret = dfs_access_check(c->store, file, false, &want, base, err);
	dfs_base_put(c->bases, base);
	return ret;
}

/* Every file of it; one that cannot be opened now is none to depend on. Return: 1, 0, -ENOMEM. */
static int may_read_all(const struct dfs_candidates *c, const struct stat *file, const struct dfs_model *model,
			struct dfs_err *err)
{
	for (size_t i = 0; i < model->n_files; i++) {
		int ret = may_read(c, file, &model->files[i], model->id, err);

		if (ret < 0)
			return ret == -ENOMEM ? ret : 0;
	}
	return 1;
}

/* @only: of this model; NULL: of all */
static int choose_of(const struct dfs_candidates *c, const struct dfs_work_input *input, const struct dfs_hash *only,
		     struct dfs_hand *hand, struct dfs_candidate_choice *ret_choice, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_model **models = calloc(c->registry.n + 1, sizeof(struct dfs_model *));
	struct dfs_candidate_choice choice = { 0 };
	struct stat st;
	int ret;

	if (!models)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (fstat(input->fd, &st) < 0)
		return dfs_fail_errno(err, "fstat");
	for (size_t i = 0; i < c->registry.n; i++)
		if (!only || dfs_hash_equal(c->registry.models[i].id, *only))
			models[i] = c->models[i];
	for (;;) {
		ret = dfs_choose(input, models, c->registry.n, DFS_SAMPLE_CHOOSE, hand, &choice.choice, err);
		if (ret < 0 || choice.choice.model == DFS_CHOSE_NONE)
			break;
		choice.model = models[choice.choice.model];
		ret = may_read_all(c, &st, choice.model, err);
		if (ret != 0)
			break;
		choice.is_private = true;
		choice.model = NULL;
		models[choice.choice.model] = NULL;
	}
	if (ret >= 0)
		*ret_choice = choice;
	return ret < 0 ? ret : 0;
}

int dfs_candidates_choose(const struct dfs_candidates *c, const struct dfs_work_input *input, struct dfs_hand *hand,
			  struct dfs_candidate_choice *ret_choice, struct dfs_err *err)
{
	return choose_of(c, input, NULL, hand, ret_choice, err);
}

int dfs_candidates_try(const struct dfs_candidates *c, const struct dfs_work_input *input, struct dfs_hash id,
		       struct dfs_hand *hand, struct dfs_candidate_choice *ret_choice, struct dfs_err *err)
{
	return choose_of(c, input, &id, hand, ret_choice, err);
}

static size_t place_of(const struct dfs_candidates *c, struct dfs_hash id)
{
	size_t i = 0;

	while (i < c->registry.n && !(c->models[i] && dfs_hash_equal(c->models[i]->id, id)))
		i++;
	return i;
}

int dfs_candidates_take(const struct dfs_candidates *c, struct dfs_hash id, uid_t user, const struct dfs_work_input *input,
			struct dfs_hand *hand, struct dfs_candidate_choice *ret_choice, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_model **models = calloc(c->registry.n + 1, sizeof(struct dfs_model *));
	const struct stat as_if = { .st_uid = user };
	struct dfs_candidate_choice choice = { 0 };
	size_t at = place_of(c, id);
	char hex[DFS_HASH_HEX];
	struct stat st;
	int ret;

	if (!models)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (at == c->registry.n)
		return dfs_fail(err, ENOENT, "the base %.8s that was asked for is not to be had", dfs_hash_hex(id, hex));
	models[at] = c->models[at];
	/* for its estimates */
	ret = dfs_choose(input, models, c->registry.n, DFS_SAMPLE_CHOOSE, hand, &choice.choice, err);
	if (ret == 0)
		ret = may_read_all(c, &as_if, models[at], err);
	/* Where marks are not trusted, its owner's rights decide who reads the container. */
	if (ret == 1 && !dfs_claim_trusted())
		ret = fstat(input->fd, &st) < 0 ? dfs_fail_errno(err, "fstat") : may_read_all(c, &st, models[at], err);
	if (ret < 0)
		return ret;
	choice.is_private = ret == 0;
	choice.model = ret ? models[at] : NULL;
	*ret_choice = choice;
	return 0;
}
