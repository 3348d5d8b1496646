/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * given_models: models as bases of a store, for the tests of the registry.
 */
#ifndef DFS_TESTS_STORE_GIVEN_MODELS_H
#define DFS_TESTS_STORE_GIVEN_MODELS_H

#include "given.h"
#include "store/pins.h"
#include "store/registry.h"

static inline struct dfs_registry_added add(struct dfs_store *store, const char *path,
					    bool by_reference)
{
	const struct dfs_registry_add request = { .path = path, .by_reference = by_reference };
	struct dfs_registry_added added;
	struct dfs_err err = { "" };

	CHECK_OK(dfs_registry_add(store, &request, &added, &err), err);
	return added;
}

static inline void pin_of(const char *model, char *ret_path)
{
	dfs_pin_path(hash_of(model), ret_path);
}

/* A model of three shards with its index. */
static inline void given_shards(const char *dir, unsigned seed)
{
	char path[256];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/s-%u.safetensors", dir, i);
		put_model(path, seed + i, 100);
	}
	snprintf(path, sizeof(path), "%s/model.safetensors.index.json", dir);
	put_text(
		path,
		"{\"weight_map\":{\"a\":\"s-0.safetensors\",\"b\":\"s-1.safetensors\",\"c\":\"s-2.safetensors\"}}");
}

#endif
