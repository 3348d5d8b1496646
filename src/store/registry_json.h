/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * registry_json: a registered model as JSON and back; shared within this folder.
 */
#ifndef DFS_STORE_REGISTRY_JSON_H
#define DFS_STORE_REGISTRY_JSON_H

#include <jansson.h>

#include "store/registry.h"

/* A model of 10,000 shards is about 3 MB. */
#define DFS_REGISTERED_MAX (16u << 20)

/* dfs_registered_to_json() - NULL: out of memory */
json_t *dfs_registered_to_json(const struct dfs_registered *model);

/**
 * dfs_registered_from_json() - every member checked, and the ID against the files
 * Return: 0; -EUCLEAN with a sentence; -ENOTSUP: a newer version; -ENOMEM.
 */
int dfs_registered_from_json(const json_t *root, struct dfs_registered *ret_model,
			     struct dfs_err *err);

/**
 * dfs_registered_write() - write a model's JSON, merged with what is known under its ID
 * @model: gets what was known
 * @ret_known: it was a base already
 * Durable. Return: 0; -ENOMEM; errors of I/O.
 */
int dfs_registered_write(struct dfs_store *store, struct dfs_registered *model, bool *ret_known, struct dfs_err *err);

void dfs_registered_release(struct dfs_registered *model);

DFS_AUTO_KIND(registered, struct dfs_registered, dfs_registered_release(p));

#endif
