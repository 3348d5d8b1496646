/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_of: what the policies above a file (store/policy.h) make of it.
 *
 * WRITE: queue -> this -> task.
 */
#ifndef DFS_WRITE_POLICY_OF_H
#define DFS_WRITE_POLICY_OF_H

#include "store/policy.h"
#include "store/registry.h"
#include "write/reason.h"

/**
 * dfs_policy_refuses() - does it keep a file from being compressed unasked?
 * @rel: its path in the store
 * @ret_why: written if so
 */
bool dfs_policy_refuses(const struct dfs_policy *policy, const char *rel, struct dfs_reason *ret_why);

/* dfs_policy_keeps() - is the file at @rel to stay as it is, plain or compressed, by its policy or because that cannot be read? */
bool dfs_policy_keeps(const struct dfs_store *store, const char *rel);

/* dfs_policy_since() - since when its codec, or that it has none, holds: nanoseconds since 1970; INT64_MIN: ever; INT64_MAX: not known */
int64_t dfs_policy_since(const struct dfs_policy *policy);

/**
 * dfs_policy_kept_until() - how long the original of a file that gives up bits now is kept
 * @now_s: seconds since 1970
 * @ret_until_s: the same; or DFS_KEPT_MANUAL
 * Return: false: not at all.
 */
bool dfs_policy_kept_until(const struct dfs_policy *policy, int64_t now_s, int64_t *ret_until_s);

/* dfs_policy_keep() - the same, from now on, of the file at @rel. Return: 1: it is kept; 0; -errno with a sentence. */
int dfs_policy_keep(const struct dfs_store *store, const char *rel, int64_t *ret_until_s, struct dfs_err *err);

/* dfs_policy_codec() - the SPEC that it asks for, if this build can do it; else NULL */
const char *dfs_policy_codec(const struct dfs_policy *policy);

/* dfs_policy_base() - the one base that it names; NULL: the best is to be chosen. Borrowed from @policy. */
const char *dfs_policy_base(const struct dfs_policy *policy);

/**
 * dfs_policy_find_base() - by its ID, or by the path in the store of the model or of a file of it
 *
 * Compares text, and opens nothing: the words are anybody's, and who may read
 * the base is asked for each file. Return: NULL: no base, or several, are so called.
 */
const struct dfs_registered *dfs_policy_find_base(const struct dfs_registry *registry, const char *text);

#endif
