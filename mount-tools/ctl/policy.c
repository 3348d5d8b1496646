/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy: what becomes of the files below a directory, as its owner wants it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "policy_place.h"
#include "text.h"
#include "write/spec.h"

static const struct ctl_option options[] = {
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

/* --- showing it */

/* Of a key that has one value, the nearest holds. */
static bool holds(const struct dfs_policy *policy, const struct dfs_policy_setting *setting)
{
	if (setting->key == DFS_POLICY_SINCE)
		return false;
	return setting->key == DFS_POLICY_EXCLUDE || dfs_policy_get(policy, setting->key) == setting;
}

static void say_setting(struct ctl *ctl, const struct ctl_place *place, const struct dfs_policy_setting *setting)
{
	bool own = !strcmp(setting->from, place->path);

	ctl_say(ctl, "%s=%s%s%s", dfs_policy_word(setting->key), setting->value, own ? "" : "   of ", own ? "" : setting->from);
	if (ctl->report)
		json_array_append_new(json_object_get(ctl->report, "policy"),
			json_pack("{s:s, s:o, s:o, s:b}", "key", dfs_policy_word(setting->key), "value", ctl_string(setting->value),
				  "from", ctl_string(setting->from), "own", own));
}

static int say_odd_lines(struct ctl *ctl, const struct ctl_place *place, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	int ret = ctl_place_read(place, &lines, err);

	for (size_t i = 0; i < lines.n; i++) {
		struct dfs_err why = { "" };

		if (dfs_policy_check(lines.paths[i], NULL, NULL, &why) < 0)
			ctl_warn("%s: a line of its policy is passed over: %s", place->path, why.text);
	}
	if (ctl->report && ret == 0)
		json_object_set_new(ctl->report, "path", ctl_string(place->path));
	return ret;
}

static int show(struct ctl *ctl, const struct ctl_place *place, struct dfs_err *err)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	int ret = say_odd_lines(ctl, place, err);

	if (ret == 0)
		ret = ctl_place_policy(place, &policy, err);
	if (ret < 0)
		return ret;
	if (ctl->report)
		json_object_set_new(ctl->report, "policy", json_array());
	if (!policy.n)
		ctl_say(ctl, "%s: no policy: all is as the mount has it", place->path);
	for (size_t i = 0; i < policy.n; i++)
		if (holds(&policy, &policy.settings[i]))
			say_setting(ctl, place, &policy.settings[i]);
	return 0;
}

static int run_show(struct ctl *ctl)
{
	DFS_AUTO(place) struct ctl_place place = { .fd = -1 };
	struct dfs_err err = { "" };
	int ret = ctl_place_open(ctl->args[0], false, &place, &err);

	if (ret == 0)
		ret = show(ctl, &place, &err);
	return ret < 0 ? ctl_fail(ctl, &err) : CTL_DONE;
}

/* --- changing it */

static int put_base(const struct ctl_place *place, struct dfs_paths *lines, const char *value, struct dfs_err *err)
{
	DFS_AUTO(mem) char *base = NULL;
	DFS_AUTO(mem) char *line = NULL;
	int ret = ctl_place_base(place, value, &base, err);

	if (ret < 0)
		return ret;
	if (asprintf(&line, "base=%s", base) < 0) {
		line = NULL;
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	ret = dfs_policy_check(line, NULL, NULL, err);
	return ret < 0 ? ret : dfs_policy_put(lines, line);
}

static int put(const struct ctl_place *place, struct dfs_paths *lines, const char *line, struct dfs_err *err)
{
	enum dfs_policy_key key;
	const char *value;
	int ret = dfs_policy_check(line, &key, &value, err);

	if (ret < 0)
		return ret;
	if (key == DFS_POLICY_BASE && strcmp(value, "auto"))
		return put_base(place, lines, value, err);
	ret = dfs_policy_put(lines, line);
	return ret < 0 ? dfs_fail(err, ENOMEM, "out of memory") : 0;
}

/* What is wrong with the words alone, before anything is opened. */
static int check_words(struct ctl *ctl)
{
	struct dfs_err err = { "" };

	for (int i = 1; i < ctl->n_args; i++) {
		enum dfs_policy_key key;
		const char *value;

		if (dfs_policy_check(ctl->args[i], &key, &value, &err) < 0)
			return ctl_usage(ctl, "%s", err.text);
		if (key == DFS_POLICY_CODEC && dfs_spec_check(value, &err) < 0)
			return ctl_usage_codec(ctl, "codec=", &err);
		if (key == DFS_POLICY_SINCE)
			return ctl_usage(ctl, "%s: codec=... sets it", ctl->args[i]);
	}
	return CTL_DONE;
}

static int run_set(struct ctl *ctl)
{
	DFS_AUTO(place) struct ctl_place place = { .fd = -1 };
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	struct dfs_err err = { "" };
	int ret = check_words(ctl);

	if (ret != CTL_DONE)
		return ret;
	ret = ctl_place_open(ctl->args[0], true, &place, &err);
	if (ret == 0)
		ret = ctl_place_read(&place, &lines, &err);
	for (int i = 1; i < ctl->n_args && ret == 0; i++)
		ret = put(&place, &lines, ctl->args[i], &err);
	if (ret == 0)
		ret = ctl_place_write(&place, &lines, &err);
	if (ret == 0)
		ret = show(ctl, &place, &err);
	return ret < 0 ? ctl_fail(ctl, &err) : CTL_DONE;
}

/* "quiet", or a whole line: then, and of a key that is not there, it may be of another version. */
static int check_key(const char *word, const struct dfs_paths *lines, struct dfs_err *err)
{
	for (size_t i = 0; i < lines->n; i++)
		if (!strcmp(lines->paths[i], word))
			return 0;
	for (unsigned key = 0; key < DFS_POLICY_KEYS; key++)
		if (!strcmp(word, dfs_policy_word(key)))
			return 0;
	return dfs_policy_check(word, NULL, NULL, err);
}

static int drop(const struct ctl_place *place, struct dfs_paths *lines, const char *word, struct dfs_err *err)
{
	int ret = check_key(word, lines, err);

	if (ret == 0 && !dfs_policy_drop(lines, word))
		ctl_warn("%s: its own policy says nothing of %s", place->path, word);
	return ret;
}

static int run_unset(struct ctl *ctl)
{
	DFS_AUTO(place) struct ctl_place place = { .fd = -1 };
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	struct dfs_err err = { "" };
	int ret = ctl_place_open(ctl->args[0], true, &place, &err);

	if (ret == 0 && ctl->n_args > 1)
		ret = ctl_place_read(&place, &lines, &err);
	for (int i = 1; i < ctl->n_args && ret == 0; i++)
		ret = drop(&place, &lines, ctl->args[i], &err);
	if (ret == 0)
		ret = ctl_place_write(&place, &lines, &err);
	if (ret == 0)
		ret = show(ctl, &place, &err);
	return ret < 0 ? ctl_fail(ctl, &err) : CTL_DONE;
}

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

const struct ctl_command ctl_policy_set = {
	"policy set", "[OPTION]... DIR KEY=VALUE...", "Say what becomes of the files below a directory: codec, base, quiet, ingest, existing, keep, exclude",
	options, N_OPTIONS, 2, -1, run_set,
};

const struct ctl_command ctl_policy_unset = {
	"policy unset", "[OPTION]... DIR [KEY]...", "Take that back, of some keys or of all", options, N_OPTIONS, 1, -1, run_unset,
};

const struct ctl_command ctl_policy_show = {
	"policy show", "[OPTION]... DIR", "Show what holds for the files below a directory, and whose word it is", options, N_OPTIONS, 1, 1, run_show,
};
