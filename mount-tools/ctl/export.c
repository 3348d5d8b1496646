/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export: a container out of a store, as it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl.h"
#include "mounts.h"
#include "outfile.h"
#include "transfer.h"

static const struct ctl_option options[] = {
	{ 'o', "output", "OUT", offsetof(struct ctl, out), "where the container goes: a file, or a directory that is there" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

/* OUT, or the file's name in it: free() it. */
static char *out_path(const struct ctl *ctl, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	char *to;

	if (stat(ctl->out, &st) < 0 || !S_ISDIR(st.st_mode))
		return strdup(ctl->out);
	return asprintf(&to, "%s/%s", ctl->out, slash ? slash + 1 : path) < 0 ? NULL : to;
}

static int export_file(struct ctl *ctl, const char *path, struct dfs_err *err)
{
	DFS_AUTO(mem) char *behind = ctl_mount_behind(path, err);
	DFS_AUTO(mem) char *to = out_path(ctl, path);
	DFS_AUTO(outfile) struct ctl_outfile out = { .fd = -1 };
	DFS_AUTO(parcel) struct ctl_parcel parcel = { .fd = -1 };
	int ret = behind ? ctl_parcel_open(&parcel, behind, err) : -ENOENT;

	if (!to)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (ret == 0)
		ret = ctl_outfile_open(&out, to, err);
	if (ret == 0 && out.direct)
		ret = dfs_fail(err, EINVAL, "%s: a container can only be written to a regular file", to);
	if (ret == 0)
		ret = ctl_parcel_copy(&parcel, path, out.fd, err);
	if (ret == 0)
		ret = ctl_outfile_commit(&out, err);
	if (ret == 0)
		ctl_parcel_say(ctl, path, &parcel, NULL);
	return ret;
}

static int run(struct ctl *ctl)
{
	struct dfs_err err = { "" };

	if (!ctl->out)
		return ctl_usage(ctl, "-o OUT is missing");
	if (ctl_outfile_streams(ctl->out))
		return ctl_usage(ctl, "-o -: a container is written to a file");
	if (ctl->report)
		json_object_set_new(ctl->report, "files", json_array());
	return export_file(ctl, ctl->args[0], &err) < 0 ? ctl_fail(ctl, &err) : CTL_DONE;
}

const struct ctl_command ctl_export = {
	"export", "FILE -o OUT", "Copy a container out of a store, and name the bases it needs",
	options, sizeof(options) / sizeof(options[0]), 1, 1, run,
};
