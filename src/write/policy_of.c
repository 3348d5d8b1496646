/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/policy_of.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/kept.h"
#include "util/duration.h"
#include "util/tree.h"
#include "write/spec.h"

static bool refuse(struct dfs_reason *why, enum dfs_reason_id id, const char *detail)
{
	dfs_reason_set(why, id, 0, detail);
	return true;
}

bool dfs_policy_refuses(const struct dfs_policy *policy, const char *rel, struct dfs_reason *ret_why)
{
	const struct dfs_policy_setting *ingest = dfs_policy_get(policy, DFS_POLICY_INGEST);
	const struct dfs_policy_setting *exclude = dfs_policy_excludes(policy, rel);
	char where[sizeof(ret_why->detail)];

	if (ingest && strcmp(ingest->value, "off") == 0) {
		snprintf(where, sizeof(where), "/%s", ingest->from);
		return refuse(ret_why, DFS_REASON_INGEST_OFF, where);
	}
	return exclude ? refuse(ret_why, DFS_REASON_EXCLUDED, exclude->value) : false;
}

const char *dfs_policy_codec(const struct dfs_policy *policy)
{
	const struct dfs_policy_setting *codec = dfs_policy_get(policy, DFS_POLICY_CODEC);

	return codec && dfs_spec_check(codec->value, NULL) == 0 ? codec->value : NULL;
}

/*
 * The codec's own, or a later one further down: there a directory had a codec
 * of its own until then, and what came into it came under that. All are
 * directories above one file, so the longer path is further down.
 */
int64_t dfs_policy_since(const struct dfs_policy *policy)
{
	const struct dfs_policy_setting *codec = dfs_policy_get(policy, DFS_POLICY_CODEC);
	size_t from = codec ? strlen(codec->from) : 0;
	int64_t latest = INT64_MIN;
	bool told = !codec;

	for (size_t i = 0; i < policy->n; i++) {
		const struct dfs_policy_setting *setting = &policy->settings[i];
		size_t len = strlen(setting->from);
		int64_t since = atoll(setting->value);

		if (setting->key != DFS_POLICY_SINCE || len < from)
			continue;
		told |= len == from;
		latest = since > latest ? since : latest;
	}
	return told ? latest : INT64_MAX;
}

bool dfs_policy_kept_until(const struct dfs_policy *policy, int64_t now_s, int64_t *ret_until_s)
{
	const struct dfs_policy_setting *keep = dfs_policy_get(policy, DFS_POLICY_KEEP);
	int64_t seconds;

	if (!keep || strcmp(keep->value, "none") == 0)
		return false;
	*ret_until_s = DFS_KEPT_MANUAL;
	if (strcmp(keep->value, "manual") != 0 && dfs_duration_parse(keep->value, &seconds) == 0)
		*ret_until_s = now_s + seconds;
	return true;
}

const char *dfs_policy_base(const struct dfs_policy *policy)
{
	const struct dfs_policy_setting *base = dfs_policy_get(policy, DFS_POLICY_BASE);

	return base && strcmp(base->value, "auto") != 0 ? base->value : NULL;
}

static bool has_id(const struct dfs_registered *model, const char *text)
{
	char hex[DFS_HASH_HEX];
	size_t len = strlen(text);

	return len >= DFS_ID_PREFIX_MIN && strncasecmp(dfs_hash_hex(model->id, hex), text, len) == 0;
}

static bool is_below(const struct dfs_paths *paths, const char *text)
{
	for (size_t i = 0; i < paths->n; i++)
		if (dfs_tree_covers(text, paths->paths[i]))
			return true;
	return false;
}

static bool has_path(const struct dfs_registered *model, const char *text)
{
	if (is_below(&model->names, text))
		return true;
	for (size_t i = 0; i < model->n_files; i++)
		if (is_below(&model->files[i].paths, text))
			return true;
	return false;
}

const struct dfs_registered *dfs_policy_find_base(const struct dfs_registry *registry, const char *text)
{
	const struct dfs_registered *found = NULL;

	for (size_t i = 0; *text && i < registry->n; i++) {
		if (!has_id(&registry->models[i], text) && !has_path(&registry->models[i], text))
			continue;
		if (found)
			return NULL;
		found = &registry->models[i];
	}
	return found;
}

int dfs_policy_keep(const struct dfs_store *store, const char *rel, int64_t *ret_until_s, struct dfs_err *err)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	int ret = dfs_policy_load(store, rel, &policy);

	if (ret < 0)
		return dfs_fail(err, -ret, "%s: the policy of its directory: %s", rel, strerror(-ret));
	return dfs_policy_kept_until(&policy, time(NULL), ret_until_s);
}

bool dfs_policy_keeps(const struct dfs_store *store, const char *rel)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	struct dfs_reason why;

	return dfs_policy_load(store, rel, &policy) < 0 || dfs_policy_refuses(&policy, rel, &why);
}
