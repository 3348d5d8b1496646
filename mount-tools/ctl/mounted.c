/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounted: see mounted.h. */
#include "mounted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "anew.h"
#include "base_mounted.h"
#include "left.h"

DFS_AUTO_KIND(header, struct dfs_header *, dfs_header_free(*p));

void ctl_wish_release(struct ctl_wish *wish)
{
	free(wish->store);
	wish->store = NULL;
}

/* The base that --base means in the store of a file. Return: 0; -errno with a sentence. */
static int find_base(struct ctl *ctl, const struct ctl_daemon *daemon, struct ctl_wish *wish, struct dfs_err *err)
{
	DFS_AUTO(based) struct ctl_based based = { .daemon.fd = -1 };
	DFS_AUTO(mem) char *point = NULL;
	DFS_AUTO(mem) char *store = NULL;
	int ret = ctl_daemon_mountpoint(daemon->path, &point, &store, err);

	if (ret < 0)
		return ret;
	if (wish->store && store && !strcmp(wish->store, store))
		return 0;
	if (!point || !store)
		return dfs_fail(err, ENOENT, "%s: its mount is not known", daemon->path);
	ret = ctl_based_open(point, &based, err);
	if (ret == 0)
		ret = dfs_fail(err, ENOTTY, "%s: its daemon does not answer", point);
	if (ret > 0)
		ret = ctl_based_find(ctl, &based, ctl->base, &wish->base, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "--base %s", ctl->base);
	ctl_wish_release(wish);
	wish->store = dfs_steal(&store);
	return 0;
}

/* Return: 1: it was queued; 0: it stays as it is, with the result; -errno. */
static int queue(struct ctl *ctl, const struct ctl_file *file, struct ctl_daemon *daemon, struct ctl_wish *wish,
		 struct ctl_result *result, struct dfs_err *err)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct stat st;
	int ret;

	if (fstat(daemon->fd, &st) < 0)
		return dfs_fail_errno(err, "stat");
	ctl_daemon_result(daemon, result);
	if (result->outcome == CTL_CHANGED) {
		*result = (struct ctl_result){
			.outcome = CTL_LEFT, .what = "left", .why = ctl_anew_why_left(file), .quiet = !file->named,
			.original_bytes = result->original_bytes, .stored_bytes = result->stored_bytes, .lossy = result->lossy,
		};
		return 0;
	}
	ret = ctl_left(ctl, file, daemon->fd, &st, &header, result, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	if (ctl->base)
		ret = find_base(ctl, daemon, wish, err);
	if (ret == 0)
		ret = ctl_daemon_queue(daemon, ctl->base ? &wish->base : NULL, ctl->codec, err);
	return ret < 0 ? ret : 1;
}

/* Said once: the paths of the results are those that the user named. */
static void say_where(struct ctl *ctl, const struct ctl_file *file, const struct ctl_daemon *daemon)
{
	if (strcmp(file->path, daemon->path))
		ctl_say(ctl, "%s is mounted: its daemon compresses it, as %s", file->path, daemon->path);
}

void ctl_mounted_queue(struct ctl *ctl, struct ctl_files *files, struct ctl_wish *wish)
{
	bool said = false;

	for (size_t i = 0; i < files->n && !ctl_interrupted(); i++) {
		DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
		struct ctl_file *file = &files->files[i];
		struct ctl_result result;
		struct dfs_err none;

		if (file->anew == CTL_ANEW_OVER || ctl_daemon_writer(file->path, &daemon, &none) <= 0)
			continue;
		if (!said)
			say_where(ctl, file, &daemon);
		said = true;
		file->queued = queue(ctl, file, &daemon, wish, &result, &none) > 0;
	}
}

int ctl_mounted_encode(struct ctl *ctl, const struct ctl_file *file, struct ctl_daemon *daemon, struct ctl_wish *wish,
		       struct ctl_result *ret_result, struct dfs_err *err)
{
	int ret = file->queued ? 1 : queue(ctl, file, daemon, wish, ret_result, err);

	return ret > 0 ? ctl_daemon_await(daemon, ret_result, err) : ret;
}
