/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base remove: let go of a base; what depends on it is made plain or coded anew first. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base_mounted.h"
#include "bases.h"
#include "ctl.h"
#include "mounts.h"
#include "progress.h"
#include "results.h"
#include "session.h"
#include "store/walk.h"
#include "text.h"
#include "write/ingest.h"

static const struct ctl_option options[] = {
	{ 0, "rebase", "ID", offsetof(struct ctl, rebase), "first code the files that depend on it anew, against this base" },
	{ 0, "thaw", NULL, offsetof(struct ctl, thaw), "first make the files that depend on it plain" },
	{ 0, "threads", "N", offsetof(struct ctl, threads), "threads (one a CPU)" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

struct removing {
	struct ctl *ctl;
	struct ctl_session session;
	const struct dfs_registered *model;
	struct dfs_model *new_base;	/* NULL: none, make plain */
	struct dfs_hash new_id;		/* the same, for a daemon */
	struct dfs_paths dependants;	/* paths in the store */
	struct ctl_totals totals;
	struct ctl_based based;		/* the daemon that does it, if the store is mounted */
	bool mounted;
};

/* How often the dependants are looked for: others may come while those that there are are decoded. */
#define ROUNDS 3

static bool needs_model(const struct dfs_container *c, const struct dfs_registered *model)
{
	for (uint32_t i = 0; i < c->n_bases; i++)
		for (size_t k = 0; k < model->n_files; k++)
			if (dfs_hash_equal(c->bases[i].hash, model->files[k].hash))
				return true;
	return false;
}

static int note_dependant(void *arg, const struct dfs_walk_file *file)
{
	struct removing *r = arg;
	struct dfs_container *c = NULL;
	int ret = 0;

	if (file->claim.kind != DFS_CONTAINER || dfs_container_load(file->fd, &file->claim.sb, &c, NULL) < 0)
		return 0;
	if (needs_model(c, r->model))
		ret = dfs_paths_add(&r->dependants, file->path);
	dfs_container_free(c);
	return ret;
}

/* Plain in between: a crash then leaves a plain file, which is right too. */
static int move_file(struct removing *r, const char *rel, struct dfs_err *err)
{
	struct ctl_progress progress;
	struct dfs_ingest_config config = {
		.encode = {
			.base = r->new_base, .threads = r->ctl->threads,
			.progress = ctl_progress_tell, .progress_arg = &progress,
		},
		.reader = r->session.reader, .registry = &r->session.registry, .keeper = r->session.keeper,
		.verify_progress = ctl_progress_tell, .verify_arg = &progress,
	};
	struct dfs_ingest_result done;
	struct ctl_result result = { .outcome = CTL_CHANGED, .what = "plain" };
	char id[DFS_HASH_HEX];
	int ret;

	ctl_progress_start(&progress, r->new_base ? "coding anew" : "decoding", rel);
	ret = dfs_thaw(r->session.store, rel, &config, &done, err);
	result.lossy = ret == 0 && done.lossy;
	if (ret == 0 && r->new_base)
		ret = dfs_ingest(r->session.store, rel, &config, &done, err);
	ctl_progress_end(&progress);
	if (ret < 0)
		return ret;
	if (r->new_base && done.compressed) {
		result.what = "compressed";
		result.lossy = done.lossy;
		result.base = dfs_hash_hex(r->new_base->id, id);
	}
	result.original_bytes = done.original_bytes;
	result.stored_bytes = done.stored_bytes;
	ctl_result_add(r->ctl, rel, &result, &r->totals);
	return 0;
}

/* The same, by the daemon. What is gone meanwhile depends on nothing. */
static int move_mounted(struct removing *r, const char *rel, struct dfs_err *err)
{
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	DFS_AUTO(mem) char *path = NULL;
	struct ctl_result result = { 0 };
	int ret;

	if (asprintf(&path, "%s/%s", r->based.daemon.path, rel) < 0) {
		path = NULL;
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	ret = ctl_daemon_writer(path, &daemon, err);
	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		return dfs_fail(err, ENOTTY, "%s: its daemon does not answer", path);
	if (ret > 0)
		ret = ctl_daemon_decode(&daemon, &result, err);
	if (ret == 0 && r->ctl->rebase)
		ret = ctl_daemon_queue(&daemon, &r->new_id, NULL, err);
	if (ret == 0 && r->ctl->rebase)
		ret = ctl_daemon_await(&daemon, &result, err);
	if (ret < 0)
		return ret;
	if (!r->ctl->rebase || result.outcome != CTL_CHANGED)
		result.what = "plain";
	result.outcome = CTL_CHANGED;
	result.why = NULL;
	ctl_result_add(r->ctl, rel, &result, &r->totals);
	return 0;
}

static int move_all(struct removing *r, struct dfs_err *err)
{
	struct dfs_walk_ops ops = { .file = note_dependant };
	int ret;

	dfs_paths_release(&r->dependants);
	ret = dfs_walk(dfs_store_fd(r->session.store), "", &ops, r, err);
	for (size_t i = 0; i < r->dependants.n && ret == 0; i++)
		ret = r->mounted ? move_mounted(r, r->dependants.paths[i], err) : move_file(r, r->dependants.paths[i], err);
	return ret;
}

static int open_new_base(struct removing *r, struct dfs_err *err)
{
	DFS_AUTO(mem) char *own = NULL;
	const struct dfs_registered *to;

	if (!r->ctl->rebase)
		return 0;
	own = ctl_mount_own(r->ctl->rebase, dfs_store_path(r->session.store));
	if (!own)
		return dfs_fail(err, ENOMEM, "out of memory");
	to = dfs_registry_find(&r->session.registry, r->session.store, own, err);
	if (!to)
		return dfs_err_at(err, -ENOENT, "--rebase");
	if (to == r->model)
		return dfs_fail(err, EINVAL, "--rebase names the base that is to be removed");
	r->new_id = to->id;
	return r->mounted ? 0 : dfs_model_open_registered(r->session.store, to, &r->new_base, err);
}

static void say_removed(struct ctl *ctl, const char *id, const struct dfs_registry_removed *removed)
{
	char text[CTL_BYTES_LEN];

	ctl_say(ctl, "base %.8s removed, %s freed%s", id, ctl_bytes(text, removed->bytes_freed),
		removed->pins_kept ? "; pins stay, since some files of the store cannot be read and may need them" : "");
	if (ctl->report)
		json_object_set_new(ctl->report, "removed", json_pack("{s:s, s:I, s:b}", "id", id,
			"bytes_freed", (json_int_t)removed->bytes_freed, "pins_kept", removed->pins_kept));
}

/* @id: what the user called it */
static int stays(const char *id, const struct dfs_registry_removed *removed, int ret, struct dfs_err *err)
{
	if (ret != -EBUSY || !removed->dependants)
		return ret;
	return dfs_err_at(err, ret, "base %.8s stays (--thaw or --rebase ID sees to them)", id);
}

static int remove_model(struct removing *r, struct dfs_err *err)
{
	struct dfs_registry_removed removed;
	char id[DFS_HASH_HEX];
	int ret;

	r->model = dfs_registry_find(&r->session.registry, r->session.store, r->ctl->args[1], err);
	if (!r->model)
		return -ENOENT;
	dfs_hash_hex(r->model->id, id);
	ret = open_new_base(r, err);
	if (ret == 0 && (r->ctl->rebase || r->ctl->thaw))
		ret = move_all(r, err);
	if (ret < 0)
		return ret;
	ret = dfs_registry_remove(r->session.store, id, NULL, &removed, err);
	if (ret < 0)
		return stays(id, &removed, ret, err);
	say_removed(r->ctl, id, &removed);
	return 0;
}

/* The dependants are looked for in the store itself, of which there is but a look. */
static int move_for_daemon(struct removing *r, struct dfs_err *err)
{
	DFS_AUTO(mem) char *own = ctl_mount_own(r->ctl->args[1], r->based.store);
	int ret = own ? ctl_session_open(&r->session, r->ctl->args[0], err) : dfs_fail(err, ENOMEM, "out of memory");

	if (ret < 0)
		return ret;
	r->model = dfs_registry_find(&r->session.registry, r->session.store, own, err);
	if (!r->model)
		return -ENOENT;
	ret = open_new_base(r, err);
	return ret < 0 ? ret : move_all(r, err);
}

static int remove_mounted(struct removing *r, struct dfs_err *err)
{
	struct dfs_registry_removed removed = { .dependants = 1 };
	bool moves = r->ctl->thaw || r->ctl->rebase;
	char id[DFS_HASH_HEX];
	int ret = -EBUSY;

	for (int i = 0; ret == -EBUSY && removed.dependants && i < (moves ? ROUNDS : 1); i++) {
		ret = moves ? move_for_daemon(r, err) : 0;
		if (ret == 0)
			ret = ctl_based_remove(&r->based, r->ctl->args[1], &removed, err);
	}
	dfs_hash_hex(removed.id, id);
	if (ret < 0)
		return stays(id, &removed, ret, err);
	say_removed(r->ctl, id, &removed);
	return 0;
}

/* Return: 0; -errno with a sentence. */
static int remove_base(struct removing *r, struct dfs_err *err)
{
	int ret = ctl_based_open(r->ctl->args[0], &r->based, err);

	if (ret < 0)
		return ret;
	r->mounted = ret > 0;
	ctl_session_init(&r->session, r->ctl, !r->mounted);
	if (r->mounted)
		return remove_mounted(r, err);
	ret = ctl_session_open(&r->session, r->ctl->args[0], err);
	return ret < 0 ? ret : remove_model(r, err);
}

static int run(struct ctl *ctl)
{
	struct removing r = { .ctl = ctl, .based.daemon.fd = -1 };
	struct dfs_err err = { "" };
	int code = CTL_DONE;

	if (ctl->rebase && ctl->thaw)
		return ctl_usage(ctl, "--rebase or --thaw, not both");
	ctl_session_init(&r.session, ctl, false);
	if (remove_base(&r, &err) < 0)
		code = ctl_fail(ctl, &err);
	dfs_model_free(r.new_base);
	dfs_paths_release(&r.dependants);
	ctl_session_release(&r.session);
	ctl_based_release(&r.based);
	return code;
}

const struct ctl_command ctl_base_remove = {
	"base remove", "[OPTION]... STORE ID", "Let go of a base that nothing depends on any more",
	options, sizeof(options) / sizeof(options[0]), 2, 2, run,
};
