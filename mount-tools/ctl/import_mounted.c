/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_mounted: see import_mounted.h. */
#include "import_mounted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "outfile.h"
#include "progress.h"
#include "store/publish.h"
#include "write/decode.h"

/* How often it is looked whether what was written is closed: for a second, about. */
#define LOOKS 12

void ctl_import_dir_release(struct ctl_import_dir *dir)
{
	ctl_daemon_release(&dir->daemon);
	free(dir->store);
	dir->store = NULL;
}

int ctl_import_dir_open(const char *path, struct ctl_import_dir *ret_dir, struct dfs_err *err)
{
	DFS_AUTO(mem) char *point = NULL;
	int ret;

	*ret_dir = (struct ctl_import_dir){ .daemon.fd = -1 };
	ret = ctl_daemon_writer(path, &ret_dir->daemon, err);
	if (ret <= 0)
		return ret;
	ret = ctl_daemon_mountpoint(ret_dir->daemon.path, &point, &ret_dir->store, err);
	if (ret == 0 && !ret_dir->store)
		ret = dfs_fail(err, ENOENT, "%s: its store is not known", path);
	return ret < 0 ? ret : 1;
}

/* Decoding checks every hash in it, and that of the whole file. */
static int write_plain(struct ctl_session *s, const char *path, const struct ctl_parcel *parcel, const char *to,
		       struct dfs_err *err)
{
	DFS_AUTO(outfile) struct ctl_outfile out = { .fd = -1 };
	struct ctl_progress progress;
	const struct dfs_decode_config config = {
		.reader = s->reader, .progress = ctl_progress_tell, .progress_arg = &progress,
	};
	struct stat st;
	int ret = ctl_outfile_open(&out, to, err);

	if (ret < 0)
		return ret;
	ctl_progress_start(&progress, "decoding", path);
	ret = dfs_decode(parcel->fd, path, out.fd, &config, err);
	ctl_progress_end(&progress);
	/* As far as this user may: a copy whose owner differs is still the same model. */
	if (ret == 0 && fstat(parcel->fd, &st) == 0)
		dfs_attributes_offer(parcel->fd, &st, out.fd);
	return ret < 0 ? ret : ctl_outfile_commit(&out, err);
}

/* The model of the store that has its first base file; NULL: the daemon chooses. */
static const struct dfs_hash *base_of(const struct ctl_session *s, const struct ctl_parcel *parcel)
{
	const struct dfs_registered *model = NULL;

	if (parcel->c->n_bases)
		model = dfs_registry_file(&s->registry, parcel->c->bases[0].hash, NULL);
	return model ? &model->id : NULL;
}

/* The daemon hears of a close a little later, and would take it for the end of another write. */
static int let_go(struct ctl_daemon *daemon, struct dfs_err *err)
{
	unsigned pause = 0;
	int ret = 0;

	for (int i = 0; ret == 0 && i < LOOKS; i++) {
		ret = ctl_daemon_state(daemon, err);
		if (daemon->state.state != DFS_CONTROL_OPEN)
			break;
		ctl_pause(&pause);
	}
	return ret;
}

/* Exactly, whatever the policy: what is imported is what the container shows, and may have given up bits already. */
static int compress(struct ctl_session *s, const struct ctl_parcel *parcel, const char *to, struct dfs_err *err)
{
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	struct ctl_result result;
	int ret = ctl_daemon_writer(to, &daemon, err);

	if (ret == 0)
		return dfs_fail(err, ENOTTY, "%s: its daemon does not answer", to);
	if (ret > 0)
		ret = let_go(&daemon, err);
	if (ret == 0)
		ret = ctl_daemon_queue(&daemon, base_of(s, parcel), "exact", err);
	if (ret == 0)
		ret = ctl_daemon_await(&daemon, &result, err);
	if (ret == 0 && result.outcome != CTL_CHANGED)
		ret = dfs_fail(err, ENOTSUP, "%s: %s", to, result.why);
	if (ret == -ENOTSUP) {
		ctl_warn("%s, and stays plain", err->text);
		ret = 0;
	}
	return ret;
}

int ctl_import_mounted(const struct ctl_import_dir *dir, struct ctl_session *s, const char *path,
		       const struct ctl_parcel *parcel, const char *name, struct dfs_err *err)
{
	DFS_AUTO(mem) char *to = NULL;
	int ret = ctl_session_open(s, dir->store, err);

	if (ret < 0)
		return ret;
	if (asprintf(&to, "%s/%s", dir->daemon.path, name) < 0) {
		to = NULL;
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	if (ctl_parcel_say(s->ctl, path, parcel, s))
		return dfs_fail(err, ENOENT, "%s cannot be imported into a mounted store until its base is there: "
				"deltafsctl base add %s BASE", path, dir->store);
	ret = write_plain(s, path, parcel, to, err);
	return ret < 0 ? ret : compress(s, parcel, to, err);
}
