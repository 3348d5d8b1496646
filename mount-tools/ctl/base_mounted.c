/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_mounted: see base_mounted.h. */
#include "base_mounted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "progress.h"
#include "session.h"
#include "store/expand.h"

void ctl_based_release(struct ctl_based *based)
{
	ctl_daemon_release(&based->daemon);
	free(based->store);
	based->store = NULL;
}

/* A directory below the root may become a store of its own, which is nobody's yet. */
int ctl_based_open(const char *path, struct ctl_based *ret_based, struct dfs_err *err)
{
	DFS_AUTO(mem) char *point = NULL;
	struct dfs_err none;
	int ret;

	*ret_based = (struct ctl_based){ .daemon.fd = -1 };
	if (access(path, F_OK) < 0)
		return 0;
	ret = ctl_daemon_writer(path, &ret_based->daemon, err);
	if (ret <= 0 || !ret_based->daemon.state.root)
		return ret < 0 ? ret : 0;
	ret = ctl_daemon_mountpoint(ret_based->daemon.path, &point, &ret_based->store, &none);
	return ret == 0 && ret_based->store ? 1 : dfs_fail(err, ENOENT, "%s: its store is not known", path);
}

static int ask(const struct ctl_based *based, unsigned long request, struct dfs_control_base *c, struct dfs_err *err)
{
	const char *path = based->daemon.path;

	c->version = DFS_CONTROL_VERSION;
	if (ioctl(based->daemon.fd, request, c) == 0)
		return 0;
	if (errno == EACCES)
		return dfs_fail(err, EACCES, "%s: only root and the owner of its .deltafs add and remove bases", path);
	if (errno == ENOTTY)
		return dfs_fail(err, ENOTTY, "%s: its daemon is older than this program, and changes no bases", path);
	return dfs_fail_errno(err, "%s", path);
}

/* Until it is over: the results are in @c. */
static int follow(const struct ctl_based *based, const char *verb, const char *name, struct dfs_control_base *c,
		  struct dfs_err *err)
{
	struct ctl_progress progress;
	uint64_t id = c->id;
	unsigned pause = 0;
	int ret;

	ctl_progress_start(&progress, verb, name);
	for (;;) {
		*c = (struct dfs_control_base){ .id = id };
		ret = ask(based, DFS_CONTROL_BASE_POLL, c, err);
		if (ret < 0 || c->state == DFS_CONTROL_SETTLED || ctl_interrupted())
			break;
		if (c->total)
			ctl_progress_tell(&progress, c->done, c->total);
		ctl_pause(&pause);
	}
	ctl_progress_end(&progress);
	if (ret < 0)
		return ret;
	if (c->state != DFS_CONTROL_SETTLED)
		return dfs_fail(err, ECANCELED, "%s: interrupted; the daemon goes on with it", name);
	return c->result < 0 ? dfs_fail(err, -c->result, "%.*s", (int)sizeof(c->text), c->text) : 0;
}

/* The daemon stands elsewhere, and looks into the store, not through its own mount. */
static int put_path(const struct ctl_based *based, const char *path, struct dfs_control_base *c, struct dfs_err *err)
{
	DFS_AUTO(mem) char *own = ctl_mount_own(path, based->store);
	DFS_AUTO(mem) char *here = own && *own != '/' ? getcwd(NULL, 0) : NULL;
	struct stat st;
	int len;

	if (!own || (*own != '/' && !here))
		return dfs_fail(err, ENOMEM, "out of memory");
	if (stat(own, &st) < 0)
		return dfs_fail_errno(err, "%s", path);
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	len = snprintf(c->path, sizeof(c->path), "%s%s%s", here ? here : "", here ? "/" : "", own);
	return (size_t)len < sizeof(c->path) ? 0 : dfs_fail(err, ENAMETOOLONG, "%s: %s", path, strerror(ENAMETOOLONG));
}

/* A base is plain: what was compressed in this store becomes plain first. */
static int make_plain(struct ctl *ctl, const char *path, struct dfs_err *err)
{
	DFS_AUTO(paths) struct dfs_paths paths = { 0 };
	int ret = dfs_paths_expand(path, &paths, err);

	for (size_t i = 0; i < paths.n && ret == 0; i++) {
		DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
		struct ctl_result result;

		ret = ctl_daemon_writer(paths.paths[i], &daemon, err);
		if (ret > 0)
			ret = ctl_daemon_decode(&daemon, &result, err);
		else
			continue;
		if (ret == 0 && result.outcome == CTL_CHANGED)
			ctl_say(ctl, "%s: decoded, since a base is plain", paths.paths[i]);
	}
	return ret;
}

static int add(struct ctl *ctl, const struct ctl_based *based, const char *path, struct dfs_control_base *c,
	       struct dfs_err *err)
{
	int ret;

	*c = (struct dfs_control_base){ .by_reference = ctl->by_reference };
	ret = put_path(based, path, c, err);
	if (ret == 0)
		ret = ask(based, DFS_CONTROL_BASE_ADD, c, err);
	return ret < 0 ? ret : follow(based, "hashing", path, c, err);
}

int ctl_based_add(struct ctl *ctl, const struct ctl_based *based, const char *path,
		  struct dfs_registry_added *ret_added, struct dfs_err *err)
{
	struct dfs_control_base c;
	int ret = add(ctl, based, path, &c, err);

	if (ret == -ENOTSUP) {
		ret = make_plain(ctl, path, err);
		if (ret == 0)
			ret = add(ctl, based, path, &c, err);
	}
	if (ret < 0)
		return ret;
	*ret_added = (struct dfs_registry_added){
		.known = c.known, .n_files = c.n_files, .bytes = c.bytes, .bytes_linked = c.bytes_linked,
		.bytes_cloned = c.bytes_cloned, .bytes_copied = c.bytes_copied,
	};
	memcpy(ret_added->id.bytes, c.base, sizeof(c.base));
	dfs_fail(&ret_added->why_copied, 0, "%.*s", (int)sizeof(c.text), c.text);
	return 0;
}

static int ask_id(const struct ctl_daemon *daemon, const char *digits, struct dfs_hash *ret_id, struct dfs_err *err)
{
	struct dfs_control c = { 0 };
	int ret;

	snprintf(c.text, sizeof(c.text), "%s", digits);
	ret = ctl_daemon_ask(daemon, DFS_CONTROL_BASE, &c, err);
	if (ret == 0)
		memcpy(ret_id->bytes, c.base, sizeof(ret_id->bytes));
	return ret;
}

/* The one model that all files of @path are of. Return: 0; -ENOENT: there is none. */
static int find_files(const struct ctl_based *based, const char *path, struct dfs_hash *ret_id)
{
	DFS_AUTO(paths) struct dfs_paths paths = { 0 };
	int ret = dfs_paths_expand(path, &paths, NULL);

	for (size_t i = 0; ret == 0 && i < paths.n; i++) {
		DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
		DFS_AUTO(mem) char *point = NULL;
		DFS_AUTO(mem) char *store = NULL;
		struct dfs_hash id;
		struct dfs_err none;

		ret = ctl_daemon_writer(paths.paths[i], &daemon, &none) > 0 ? 0 : -ENOENT;
		if (ret == 0)
			ret = ctl_daemon_mountpoint(daemon.path, &point, &store, &none);
		if (ret == 0 && (!store || strcmp(store, based->store)))
			ret = -ENOENT;
		if (ret == 0)
			ret = ask_id(&daemon, "", &id, &none);
		if (ret == 0 && i && !dfs_hash_equal(id, *ret_id))
			ret = -ENOENT;
		if (ret == 0)
			*ret_id = id;
	}
	return ret;
}

int ctl_based_find(struct ctl *ctl, const struct ctl_based *based, const char *text, struct dfs_hash *ret_id,
		   struct dfs_err *err)
{
	struct dfs_registry_added added;
	int ret;

	if (access(text, F_OK) < 0)
		return ask_id(&based->daemon, text, ret_id, err);
	if (find_files(based, text, ret_id) == 0)
		return 0;
	ret = ctl_based_add(ctl, based, text, &added, err);
	if (ret < 0)
		return ret;
	if (!added.known)
		ctl_say_added(ctl, text, &added);
	*ret_id = added.id;
	return 0;
}

/* Which base of those that are there. */
static int put_base(const struct ctl_based *based, const char *id_or_path, struct dfs_control_base *c, struct dfs_err *err)
{
	int ret = 0;

	if (access(id_or_path, F_OK) == 0)
		ret = put_path(based, id_or_path, c, err);
	else
		snprintf(c->path, sizeof(c->path), "%s", id_or_path);
	c->dev = c->ino = 0;
	return ret;
}

int ctl_based_set_norms(const struct ctl_based *based, const char *id_or_path, const struct dfs_norms *norms,
			struct dfs_err *err)
{
	struct dfs_control_base c = { .norms = { norms->of[DFS_NORM_ESTIMATE], norms->of[DFS_NORM_EXACT] } };
	int ret = put_base(based, id_or_path, &c, err);

	if (ret == 0)
		ret = ask(based, DFS_CONTROL_BASE_NORMS, &c, err);
	return ret < 0 ? ret : follow(based, "changing", id_or_path, &c, err);
}

int ctl_based_remove(const struct ctl_based *based, const char *id_or_path, struct dfs_registry_removed *ret_removed,
		     struct dfs_err *err)
{
	struct dfs_control_base c = { 0 };
	int ret = put_base(based, id_or_path, &c, err);

	if (ret == 0)
		ret = ask(based, DFS_CONTROL_BASE_REMOVE, &c, err);
	if (ret < 0)
		return ret;
	ret = follow(based, "looking for dependants of", id_or_path, &c, err);
	*ret_removed = (struct dfs_registry_removed){
		.dependants = c.n_dependants, .bytes_freed = c.bytes_freed, .pins_kept = c.pins_kept,
	};
	memcpy(ret_removed->id.bytes, c.base, sizeof(c.base));
	return ret;
}
