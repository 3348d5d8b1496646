/* SPDX-License-Identifier: GPL-2.0-or-later */
/* retire: see retire.h. */
#include "write/retire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/dependants.h"
#include "store/pins.h"
#include "store/walk.h"
#include "util/auto.h"
#include "write/policy_of.h"
#include "write/room.h"

/*
 * A name that is moved while the store is walked may be missed. Who moves one
 * says so just after; so long is waited for him to have done so.
 */
#define SETTLE_MS 200

struct retiring {
	const struct dfs_retire_config *config;
	struct dfs_registry registry;
	struct dfs_pin *pins;
	size_t n_pins;
	struct dfs_dependants *dependants;
	uint64_t changes;		/* of the queue, before the walk */
	bool put_off;
};

static void retiring_release(struct retiring *r)
{
	dfs_registry_release(&r->registry);
	free(r->pins);
	dfs_dependants_free(r->dependants);
}

static bool goes_on(void *arg, uint64_t done, uint64_t total)
{
	const struct retiring *r = arg;

	(void)done;
	(void)total;
	return !dfs_queue_stopping(r->config->queue);
}

/* --- what there is */

static uint64_t held(const struct retiring *r)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < r->n_pins; i++)
		bytes += r->pins[i].alone ? r->pins[i].stored : 0;
	return bytes;
}

static bool is_worth_a_walk(const struct retiring *r)
{
	for (size_t i = 0; i < r->n_pins; i++)
		if (r->pins[i].alone || !dfs_registry_file(&r->registry, r->pins[i].hash, NULL))
			return true;
	return false;
}

/* Return: 0: nobody moved anything that the walk may have missed; -EAGAIN; -ECANCELED; -errno. */
static int walk(struct retiring *r, struct dfs_err *err)
{
	const struct timespec settle = { 0, SETTLE_MS * 1000000 };
	int ret;

	r->changes = dfs_queue_changes(r->config->queue);
	ret = dfs_dependants_count(r->config->store, &r->dependants, err);
	if (ret < 0)
		return ret;
	nanosleep(&settle, NULL);
	if (dfs_queue_stopping(r->config->queue))
		return dfs_fail(err, ECANCELED, "stopped");
	return dfs_queue_changes(r->config->queue) == r->changes ? 0 : -EAGAIN;
}

/* --- models */

static const struct dfs_pin *pin_of(const struct retiring *r, struct dfs_hash hash)
{
	for (size_t i = 0; i < r->n_pins; i++)
		if (dfs_hash_equal(r->pins[i].hash, hash))
			return &r->pins[i];
	return NULL;
}

/* @ret_held: by its pins alone. Return: whether its own files are all gone. */
static bool lives_in_pins(const struct retiring *r, const struct dfs_registered *model, uint64_t *ret_held)
{
	*ret_held = 0;
	for (size_t i = 0; i < model->n_files; i++) {
		const struct dfs_pin *pin = pin_of(r, model->files[i].hash);

		if (pin && !pin->alone)
			return false;
		*ret_held += pin ? pin->stored : 0;
	}
	return true;
}

static struct dfs_hash *hashes_of(const struct dfs_registered *model)
{
	struct dfs_hash *hashes = calloc(model->n_files, sizeof(*hashes));

	for (size_t i = 0; hashes && i < model->n_files; i++)
		hashes[i] = model->files[i].hash;
	return hashes;
}

/* --- its dependants, to be coded anew */

struct gathering {
	const struct dfs_registered *model;
	struct dfs_paths rels;
};

static bool has_file(const struct dfs_registered *model, struct dfs_hash hash)
{
	const struct dfs_registry only = { (struct dfs_registered *)model, 1 };

	return dfs_registry_file(&only, hash, NULL);
}

static int note_file(void *arg, const struct dfs_walk_file *file)
{
	struct gathering *g = arg;
	DFS_AUTO(container) struct dfs_container *c = NULL;

	if (file->claim.kind != DFS_CONTAINER || dfs_container_load(file->fd, &file->claim.sb, &c, NULL) < 0)
		return 0;
	for (uint32_t i = 0; i < c->n_bases; i++)
		if (has_file(g->model, c->bases[i].hash))
			return dfs_paths_add(&g->rels, file->path);
	return 0;
}

/* One that cannot be thawed stays as it is: its pin stays with it. */
static int code_anew(struct retiring *r, const struct dfs_registered *model, struct dfs_err *err)
{
	static const struct dfs_walk_ops ops = { note_file, NULL };
	const struct dfs_ingest_config thaw = {
		.reader = r->config->reader, .watch = r->config->watch, .verify_progress = goes_on, .verify_arg = r,
	};
	struct gathering g = { .model = model };
	int ret = dfs_walk(dfs_store_fd(r->config->store), "", &ops, &g, err);

	for (size_t i = 0; ret == 0 && i < g.rels.n; i++) {
		struct dfs_ingest_result result;
		struct dfs_err why;

		if (dfs_policy_keeps(r->config->store, g.rels.paths[i]))
			continue;
		dfs_queue_add(r->config->queue, g.rels.paths[i], 0);
		if (dfs_thaw(r->config->store, g.rels.paths[i], &thaw, &result, &why) == -ECANCELED)
			ret = dfs_fail(err, ECANCELED, "stopped");
	}
	dfs_paths_release(&g.rels);
	return ret;
}

static int retire(struct retiring *r, const struct dfs_registered *model, uint64_t bytes, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_hash *hashes = hashes_of(model);
	struct dfs_dependants_sum sum;
	uint64_t needs;
	int ret;

	if (!hashes)
		return dfs_fail(err, ENOMEM, "out of memory");
	sum = dfs_dependants_of(r->dependants, hashes, model->n_files);
	if (sum.n && bytes + sum.stored_bytes <= sum.original_bytes)
		return 0;
	if (sum.n && !r->config->calm) {
		r->put_off = true;
		return 0;
	}
	if (sum.n && dfs_room_check(r->config->store, sum.original_bytes, &needs) < 0)
		return 0;
	ret = dfs_registry_forget(r->config->store, model->id, err);
	if (ret < 0)
		return ret;
	dfs_log_line(r->config->log, DFS_LOG_INFO, "%s: no base any more: it is gone, and %llu bytes of it serve %llu files",
		     model->files[0].name, (unsigned long long)bytes, (unsigned long long)sum.n);
	return sum.n ? code_anew(r, model, err) : 0;
}

static int retire_models(struct retiring *r, struct dfs_err *err)
{
	for (size_t i = 0; i < r->registry.n; i++) {
		const struct dfs_registered *model = &r->registry.models[i];
		uint64_t bytes;
		int ret;

		if (!model->automatic || !lives_in_pins(r, model, &bytes))
			continue;
		ret = retire(r, model, bytes, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* --- pins */

/* Somebody may still read what has no name any more, or has copied it to where the walk had been. */
static bool is_in_use(const struct retiring *r)
{
	for (size_t i = 0; r->config->shown && i < r->n_pins; i++)
		if (!dfs_dependants_of(r->dependants, &r->pins[i].hash, 1).n &&
		    dfs_reader_uses(r->config->shown, &r->pins[i].hash, 1))
			return true;
	return dfs_queue_changes(r->config->queue) != r->changes;
}

static int look(struct retiring *r, uint64_t *ret_held, struct dfs_err *err)
{
	uint64_t freed;
	int ret = dfs_pins_list(r->config->store, &r->pins, &r->n_pins);

	if (ret < 0)
		return dfs_fail(err, -ret, "the pins cannot be listed: %s", strerror(-ret));
	*ret_held = held(r);
	ret = dfs_registry_list(r->config->store, &r->registry, err);
	if (ret != 0) /* a model that cannot be read may need any of them */
		return ret < 0 ? ret : 0;
	if (!is_worth_a_walk(r))
		return 0;
	ret = walk(r, err);
	if (ret < 0 || dfs_dependants_unreadable(r->dependants))
		return ret;
	if (is_in_use(r))
		return -EAGAIN;
	ret = retire_models(r, err);
	if (ret == 0)
		ret = dfs_pins_sweep(r->config->store, r->dependants, &freed, err);
	if (ret < 0)
		return ret;
	*ret_held -= freed < *ret_held ? freed : *ret_held;
	return r->put_off ? -EAGAIN : 0;
}

int dfs_retire(const struct dfs_retire_config *config, uint64_t *ret_held, struct dfs_err *err)
{
	struct retiring r = { .config = config };
	int ret;

	*ret_held = 0;
	ret = look(&r, ret_held, err);
	retiring_release(&r);
	return ret;
}
