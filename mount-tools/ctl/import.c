/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import: containers into a store, as they are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "import_mounted.h"
#include "progress.h"
#include "session.h"
#include "transfer.h"
#include "write/verify.h"

static const struct ctl_option options[] = {
	{ 0, "threads", "N", offsetof(struct ctl, threads), "threads that decode, to verify (one a CPU)" },
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" },
};

struct importing {
	struct ctl *ctl;
	struct ctl_session session;
	const char *dest;
	bool into;		/* dest is a directory */
	struct ctl_import_dir dir;	/* what shows the directory, if its store is mounted */
	bool mounted;
};

/* The new file's name, then its directory: durable before anybody is told. */
static int take_name(struct dfs_store *store, const char *tmp, const char *rel, struct dfs_err *err)
{
	const char *slash = strrchr(rel, '/');
	DFS_AUTO(mem) char *dir = strndup(rel, slash ? (size_t)(slash - rel) : 0);
	DFS_AUTO(fd) int dir_fd = -1;
	int ret;

	if (!dir)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (renameat2(dfs_store_fd(store), tmp, dfs_store_fd(store), rel, RENAME_NOREPLACE) < 0)
		return dfs_fail_errno(err, "create %s", rel);
	ret = dfs_store_openat(store, dir, O_RDONLY | O_DIRECTORY, &dir_fd);
	if (ret < 0)
		return dfs_fail(err, -ret, "open the directory of %s: %s", rel, strerror(-ret));
	return fsync(dir_fd) < 0 ? dfs_fail_errno(err, "fsync the directory of %s", rel) : 0;
}

/* With its bases here it must decode; without them its own hashes must do. */
static int verify_here(struct importing *im, int fd, const char *path, struct dfs_err *err)
{
	struct ctl_progress progress;
	struct dfs_verify_config config = {
		.reader = im->session.reader, .progress = ctl_progress_tell, .progress_arg = &progress,
	};
	int ret;

	ctl_progress_start(&progress, "verifying", path);
	ret = dfs_verify_full(fd, path, &config, err);
	ctl_progress_end(&progress);
	return ret;
}

static int place(struct importing *im, const struct ctl_parcel *parcel, const char *path,
		 const char *rel, bool complete, struct dfs_err *err)
{
	struct dfs_store *store = im->session.store;
	DFS_AUTO(mem) char *tmp = NULL;
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_tmp(store, &fd, &tmp, err);

	if (ret < 0) {
		fd = -1;
		return ret;
	}
	ret = ctl_parcel_copy(parcel, path, fd, err);
	if (ret == 0 && complete)
		ret = verify_here(im, fd, path, err);
	if (ret == 0 && fsync(fd) < 0)
		ret = dfs_fail_errno(err, "fsync");
	if (ret == 0)
		ret = take_name(store, tmp, rel, err);
	if (ret < 0)
		unlinkat(dfs_store_fd(store), tmp, 0);
	return ret;
}

static char *dest_path(const struct importing *im, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dest;

	if (!im->into)
		return strdup(im->dest);
	return asprintf(&dest, "%s/%s", im->dest, slash ? slash + 1 : path) < 0 ? NULL : dest;
}

static int import_file(struct importing *im, const char *path, struct dfs_err *err)
{
	DFS_AUTO(parcel) struct ctl_parcel parcel = { .fd = -1 };
	DFS_AUTO(mem) char *dest = dest_path(im, path);
	DFS_AUTO(mem) char *rel = NULL;
	struct stat st;
	unsigned missing;
	int ret;

	if (!dest)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (lstat(dest, &st) == 0)
		return dfs_fail(err, EEXIST, "%s exists already", dest);
	ret = ctl_parcel_open(&parcel, path, err);
	if (ret == 0 && im->mounted)
		return ctl_import_mounted(&im->dir, &im->session, path, &parcel, basename(dest), err);
	if (ret == 0)
		ret = ctl_session_enter_new(&im->session, dest, &rel, err);
	if (ret < 0)
		return ret;
	missing = ctl_parcel_say(im->ctl, path, &parcel, &im->session);
	ret = place(im, &parcel, path, rel, missing == 0, err);
	if (ret == 0 && missing)
		ctl_warn("%s cannot be read until its base is here: deltafsctl base add %s BASE",
			 dest, dfs_store_path(im->session.store));
	return ret;
}

/* Return: 0; -errno with a sentence. */
static int find_daemon(struct importing *im, struct dfs_err *err)
{
	const char *slash = strrchr(im->dest, '/');
	DFS_AUTO(mem) char *parent = !slash ? strdup(".") : strndup(im->dest, slash == im->dest ? 1 : (size_t)(slash - im->dest));
	int ret;

	if (!parent)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = ctl_import_dir_open(im->into ? im->dest : parent, &im->dir, err);
	im->mounted = ret > 0;
	return ret < 0 ? ret : 0;
}

static void import_all(struct importing *im)
{
	for (int i = 0; i < im->ctl->n_args - 1 && !ctl_interrupted(); i++) {
		struct dfs_err err = { "" };

		if (import_file(im, im->ctl->args[i], &err) < 0)
			ctl_fail(im->ctl, &err);
	}
}

static int run(struct ctl *ctl)
{
	struct importing im = { .ctl = ctl, .dest = ctl->args[ctl->n_args - 1], .dir.daemon.fd = -1 };
	struct dfs_err err = { "" };
	struct stat st;

	im.into = stat(im.dest, &st) == 0 && S_ISDIR(st.st_mode);
	if (!im.into && ctl->n_args > 2)
		return ctl_usage(ctl, "%s is no directory, but there are several containers", im.dest);
	if (ctl->report)
		json_object_set_new(ctl->report, "files", json_array());
	if (find_daemon(&im, &err) < 0) {
		ctl_import_dir_release(&im.dir);
		return ctl_fail(ctl, &err);
	}
	ctl_session_init(&im.session, ctl, !im.mounted);
	if (im.into && !im.mounted)
		im.session.new_store = realpath(im.dest, NULL);
	import_all(&im);
	ctl_session_release(&im.session);
	ctl_import_dir_release(&im.dir);
	return ctl_interrupted() ? CTL_FAILED : CTL_DONE;
}

const struct ctl_command ctl_import = {
	"import", "[OPTION]... CONTAINER... DEST", "Copy containers into a store, and name the bases they need",
	options, sizeof(options) / sizeof(options[0]), 2, -1, run,
};
