/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry_remove: let go of a model.
 *
 *	find -> count dependants -> unlink ID.json -> free pins
 *
 * A model whose files all belong to other models too may go although
 * containers need them: the others keep the pins.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "store/pins.h"
#include "store/registry.h"

/* Hashes of @model's files that no other model has. */
static size_t own_hashes(const struct dfs_registry *registry, const struct dfs_registered *model,
			 struct dfs_hash *hashes)
{
	size_t n = 0;

	for (size_t i = 0; i < model->n_files; i++) {
		bool shared = false;

		for (size_t k = 0; k < registry->n && !shared; k++) {
			const struct dfs_registry other = { &registry->models[k], 1 };

			shared = &registry->models[k] != model &&
				 dfs_registry_file(&other, model->files[i].hash, NULL);
		}
		if (!shared)
			hashes[n++] = model->files[i].hash;
	}
	return n;
}

static int refuse_if_needed(const struct dfs_registry *registry, const struct dfs_registered *model,
			    const struct dfs_dependants *dependants,
			    struct dfs_registry_removed *removed, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_hash *hashes = calloc(model->n_files, sizeof(*hashes));
	struct dfs_dependants_sum sum;

	if (!hashes)
		return dfs_fail(err, ENOMEM, "out of memory");
	sum = dfs_dependants_of(dependants, hashes, own_hashes(registry, model, hashes));
	removed->dependants = sum.n;
	removed->original_bytes = sum.original_bytes;
	if (!sum.n)
		return 0;
	return dfs_fail(
		err, EBUSY,
		"%llu file%s (%llu bytes) depend%s on this base: decode them or code them against another first",
		(unsigned long long)sum.n, sum.n == 1 ? "" : "s",
		(unsigned long long)sum.original_bytes, sum.n == 1 ? "s" : "");
}

int dfs_registry_remove(struct dfs_store *store, const char *id_or_path, const struct dfs_registry_watch *watch,
			struct dfs_registry_removed *ret_removed, struct dfs_err *err)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	DFS_AUTO(dependants) struct dfs_dependants *dependants = NULL;
	const struct dfs_registered *model;
	int ret;

	memset(ret_removed, 0, sizeof(*ret_removed));
	if (store->lock_fd < 0)
		return dfs_fail(err, ENOLCK, "removing a base needs the store's lock");
	ret = dfs_registry_list(store, &registry, err);
	if (ret < 0)
		return ret;
	model = dfs_registry_find(&registry, store, id_or_path, err);
	if (!model)
		return -ENOENT;
	ret_removed->id = model->id;
	ret = dfs_dependants_count(store, &dependants, err);
	if (ret == 0)
		ret = refuse_if_needed(&registry, model, dependants, ret_removed, err);
	if (ret == 0 && watch)
		ret = watch->still(watch->arg, model, err);
	if (ret == 0)
		ret = dfs_registry_forget(store, model->id, err);
	if (ret < 0)
		return ret;
	ret_removed->pins_kept = dfs_dependants_unreadable(dependants) > 0;
	return dfs_pins_sweep(store, dependants, &ret_removed->bytes_freed, err);
}
