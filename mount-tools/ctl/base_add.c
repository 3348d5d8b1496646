/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base add: make models the bases of a store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base_mounted.h"
#include "ctl.h"
#include "mounts.h"
#include "progress.h"
#include "session.h"
#include "store/expand.h"
#include "write/ingest.h"

static const struct ctl_option options[] = {
	{ 0, "by-reference", NULL, offsetof(struct ctl, by_reference), "leave the files where they are; their loss is then the loss of what depends on them" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

/* A base is plain: what was compressed in this store, alone, becomes plain first. */
static int thaw_files(struct ctl_session *s, const char *path, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths paths = { 0 };
	size_t root = strlen(dfs_store_path(s->store));
	int ret = dfs_paths_expand(path, &paths, err);

	for (size_t i = 0; i < paths.n && ret == 0; i++) {
		DFS_AUTO(mem) char *full = realpath(paths.paths[i], NULL);
		struct dfs_ingest_config config = { .reader = s->reader, .keeper = s->keeper };
		struct dfs_ingest_result done;

		if (!full || strncmp(full, dfs_store_path(s->store), root) || full[root] != '/')
			continue;
		ret = dfs_thaw(s->store, full + root + 1, &config, &done, err);
		if (ret == 0 && !done.why.text[0])
			ctl_say(s->ctl, "%s: decoded, since a base is plain", paths.paths[i]);
	}
	return ret;
}

static void say_added(struct ctl *ctl, const char *path, const struct dfs_registry_added *added)
{
	ctl_say_added(ctl, path, added);
	if (ctl->by_reference)
		ctl_warn("%s is only referred to: if it is changed or removed, what depends on it cannot be read", path);
}

static int add(struct ctl_session *s, const char *path, struct dfs_err *err)
{
	DFS_AUTO(mem) char *own = ctl_mount_own(path, dfs_store_path(s->store));
	struct ctl_progress progress;
	struct dfs_registry_add add = {
		.path = own, .by_reference = s->ctl->by_reference,
		.progress = ctl_progress_tell, .arg = &progress,
	};
	struct dfs_registry_added added;
	int ret;

	if (!own)
		return dfs_fail(err, ENOMEM, "out of memory");
	ctl_progress_start(&progress, "hashing", path);
	ret = dfs_registry_add(s->store, &add, &added, err);
	if (ret == -ENOTSUP) {
		ret = thaw_files(s, own, err);
		if (ret == 0)
			ret = dfs_registry_add(s->store, &add, &added, err);
	}
	ctl_progress_end(&progress);
	if (ret < 0)
		return ret;
	say_added(s->ctl, path, &added);
	return 0;
}

static void add_mounted(struct ctl *ctl, const struct ctl_based *based)
{
	struct dfs_registry_added added;
	struct dfs_err err = { "" };

	for (int i = 1; i < ctl->n_args && !ctl_interrupted(); i++) {
		if (ctl_based_add(ctl, based, ctl->args[i], &added, &err) < 0)
			ctl_fail(ctl, &err);
		else
			say_added(ctl, ctl->args[i], &added);
	}
}

static void add_offline(struct ctl *ctl)
{
	struct ctl_session s;
	struct dfs_err err = { "" };
	int ret;

	ctl_session_init(&s, ctl, true);
	ret = ctl_session_open(&s, ctl->args[0], &err);
	if (ret < 0)
		ctl_fail(ctl, &err);
	for (int i = 1; i < ctl->n_args && ret == 0 && !ctl_interrupted(); i++)
		if (add(&s, ctl->args[i], &err) < 0)
			ctl_fail(ctl, &err);
	ctl_session_release(&s);
}

static int run(struct ctl *ctl)
{
	DFS_AUTO(based) struct ctl_based based = { .daemon.fd = -1 };
	struct dfs_err err = { "" };
	int ret = ctl_based_open(ctl->args[0], &based, &err);

	if (ret < 0)
		ctl_fail(ctl, &err);
	else if (ret > 0)
		add_mounted(ctl, &based);
	else
		add_offline(ctl);
	return ctl_interrupted() ? CTL_FAILED : CTL_DONE;
}

const struct ctl_command ctl_base_add = {
	"base add", "[OPTION]... STORE PATH...", "Make models the bases of a store, and keep them readable",
	options, sizeof(options) / sizeof(options[0]), 2, -1, run,
};
