/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounted: see mounted.h. */
#include "mounted.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "left.h"

DFS_AUTO_KIND(header, struct dfs_header *, dfs_header_free(*p));

/* Return: 1: it was queued; 0: it stays as it is, with the result; -errno. */
static int queue(struct ctl *ctl, const struct ctl_file *file, struct ctl_daemon *daemon, struct ctl_result *result,
		 struct dfs_err *err)
{
	DFS_AUTO(header) struct dfs_header *header = NULL;
	struct stat st;
	int ret;

	if (ctl->base)
		return dfs_fail(err, EINVAL, "%s is mounted, and its daemon chooses among the bases of the store: without --base, please",
				file->path);
	if (fstat(daemon->fd, &st) < 0)
		return dfs_fail_errno(err, "stat");
	ctl_daemon_result(daemon, result);
	if (result->outcome == CTL_CHANGED) {
		*result = (struct ctl_result){
			.outcome = CTL_LEFT, .what = "left", .why = "compressed already", .quiet = !file->named,
			.original_bytes = result->original_bytes, .stored_bytes = result->stored_bytes,
		};
		return 0;
	}
	ret = ctl_left(ctl, file, daemon->fd, &st, &header, result, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	ret = ctl_daemon_queue(daemon, err);
	return ret < 0 ? ret : 1;
}

/* Said once: the paths of the results are those that the user named. */
static void say_where(struct ctl *ctl, const struct ctl_file *file, const struct ctl_daemon *daemon)
{
	if (strcmp(file->path, daemon->path))
		ctl_say(ctl, "%s is mounted: its daemon compresses it, as %s", file->path, daemon->path);
}

void ctl_mounted_queue(struct ctl *ctl, struct ctl_files *files)
{
	bool said = false;

	for (size_t i = 0; i < files->n && !ctl_interrupted(); i++) {
		DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
		struct ctl_file *file = &files->files[i];
		struct ctl_result result;
		struct dfs_err none;

		if (ctl_daemon_writer(file->path, &daemon, &none) <= 0)
			continue;
		if (!said)
			say_where(ctl, file, &daemon);
		said = true;
		file->queued = queue(ctl, file, &daemon, &result, &none) > 0;
	}
}

int ctl_mounted_encode(struct ctl *ctl, const struct ctl_file *file, struct ctl_daemon *daemon,
		       struct ctl_result *ret_result, struct dfs_err *err)
{
	int ret = file->queued ? 1 : queue(ctl, file, daemon, ret_result, err);

	return ret > 0 ? ctl_daemon_await(daemon, ret_result, err) : ret;
}
