/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kept: accept and revert, of files whose original is kept since they gave up bits. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "ctl.h"
#include "daemon.h"
#include "kept.h"
#include "mounts.h"
#include "results.h"
#include "session.h"
#include "walk.h"
#include "write/revert.h"

#define COMMON_OPTIONS \
	{ 'r', "recursive", NULL, offsetof(struct ctl, recursive), "go into directories" }, \
	{ 0, "json", NULL, offsetof(struct ctl, json), "one JSON object instead of lines" }

static const struct ctl_option accept_options[] = { COMMON_OPTIONS };
static const struct ctl_option revert_options[] = {
	COMMON_OPTIONS,
	{ 0, "yes", NULL, offsetof(struct ctl, yes), "also files that were written to since" },
};

bool ctl_kept_find(const struct dfs_store *store, const char *path, const char *rel, int fd, struct ctl_kept *ret_kept)
{
	DFS_AUTO(kept) struct dfs_kept kept = { 0 };
	ssize_t n = getxattr(path, "user.deltafs.kept", ret_kept->until, DFS_KEPT_UNTIL_LEN - 1);

	ret_kept->bytes = 0;
	ret_kept->changed = false;
	if (store && dfs_kept_find(store, fd, rel, &kept) > 0) {
		dfs_kept_until_text(kept.until_s, ret_kept->until);
		ret_kept->bytes = kept.bytes;
		ret_kept->changed = !dfs_kept_made(fd, kept.hash);
		return true;
	}
	ret_kept->until[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool ctl_kept_of(const char *path, struct ctl_kept *ret_kept)
{
	struct dfs_err none;
	DFS_AUTO(mem) char *behind = ctl_mount_behind(path, &none);
	DFS_AUTO(fd) int fd = behind ? open(behind, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) char *rel = NULL;

	if (fd < 0 || dfs_store_find(behind, &store, &rel, &none) < 0)
		store = NULL;
	return ctl_kept_find(store, path, rel, fd, ret_kept);
}

json_t *ctl_kept_json(const char *store)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	struct dfs_store *opened;
	uint64_t bytes = 0, manual = 0;
	int ret = dfs_store_open(store, true, &opened, NULL);

	if (ret == 0) {
		ret = dfs_kept_list(opened, &list);
		dfs_store_close(opened);
	}
	for (size_t i = 0; i < list.n; i++) {
		bytes += list.kept[i].bytes;
		manual += list.kept[i].until_s == DFS_KEPT_MANUAL;
	}
	return ret < 0 ? NULL : json_pack("{s:I, s:I, s:I}", "files", (json_int_t)list.n, "bytes", (json_int_t)bytes,
					  "manual", (json_int_t)manual);
}

/* --- deciding */

struct deciding {
	struct ctl *ctl;
	struct ctl_session session;
	struct ctl_totals totals;
	bool reverts;
	uint64_t n;	/* files of which something was kept */
};

static int decide_in_place(struct deciding *d, const char *rel, uint64_t *ret_bytes, struct dfs_err *err)
{
	struct dfs_revert revert = {
		.store = d->session.store, .keeper = d->session.keeper, .rel = rel, .written = d->ctl->yes,
	};
	struct dfs_keeper_view view;
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_openat(d->session.store, rel, O_RDONLY | O_NOATIME, &fd);

	if (ret < 0) {
		fd = -1;
		return dfs_fail(err, -ret, "%s: %s", rel, strerror(-ret));
	}
	revert.fd = fd;
	if (d->reverts)
		ret = dfs_revert(&revert, &view, err);
	else
		ret = dfs_keeper_accept(d->session.keeper, fd, &view, err);
	if (ret == 0)
		*ret_bytes = view.bytes;
	return ret;
}

static int decide(struct deciding *d, const struct ctl_file *file, uint64_t *ret_bytes, struct dfs_err *err)
{
	DFS_AUTO(daemon) struct ctl_daemon daemon = { .fd = -1 };
	DFS_AUTO(mem) char *rel = NULL;
	int ret = ctl_daemon_writer(file->path, &daemon, err);

	if (ret > 0)
		return ctl_daemon_decide(&daemon, d->reverts, d->ctl->yes, ret_bytes, err);
	if (ret == 0)
		ret = ctl_session_enter(&d->session, file->path, &rel, err);
	return ret < 0 ? ret : decide_in_place(d, rel, ret_bytes, err);
}

static void decide_file(struct deciding *d, const struct ctl_file *file)
{
	struct ctl_result result = { .outcome = CTL_CHANGED, .what = d->reverts ? "reverted" : "accepted", .lossy = !d->reverts };
	struct dfs_err err = { "" };
	struct stat st;
	int ret = decide(d, file, &result.original_bytes, &err);

	d->n += ret == 0;
	/* Found by -r: most files are none of those. */
	if (ret == -ENOENT && !file->named && access(file->path, F_OK) == 0)
		return;
	if (ret < 0) {
		ctl_result_fail(d->ctl, file->path, &err, &d->totals);
		return;
	}
	result.stored_bytes = stat(file->path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
	ctl_result_add(d->ctl, file->path, &result, &d->totals);
}

static int run(struct ctl *ctl, bool reverts)
{
	struct deciding d = { .ctl = ctl, .reverts = reverts };
	DFS_AUTO(files) struct ctl_files files = { 0 };

	if (ctl_walk(ctl, &d.totals, &files) < 0)
		return CTL_USAGE;
	ctl_session_init(&d.session, ctl, true);
	for (size_t i = 0; i < files.n && !ctl_interrupted(); i++)
		decide_file(&d, &files.files[i]);
	if (!d.n && !ctl->failures && !ctl_interrupted()) {
		struct dfs_err err;

		dfs_fail(&err, ENOENT, "%s: nothing is kept of any file there", ctl->args[0]);
		ctl_fail(ctl, &err);
	}
	ctl_totals_say(ctl, &d.totals, reverts ? "reverted" : "accepted");
	ctl_session_release(&d.session);
	return ctl_interrupted() ? CTL_FAILED : CTL_DONE;
}

static int run_accept(struct ctl *ctl)
{
	return run(ctl, false);
}

static int run_revert(struct ctl *ctl)
{
	return run(ctl, true);
}

#define N_OPTIONS(options) (sizeof(options) / sizeof((options)[0]))

const struct ctl_command ctl_accept = {
	"accept", "[OPTION]... FILE...", "Let go of the originals of files that gave up bits", accept_options,
	N_OPTIONS(accept_options), 1, -1, run_accept,
};

const struct ctl_command ctl_revert = {
	"revert", "[OPTION]... FILE...", "Bring back the originals of files that gave up bits", revert_options,
	N_OPTIONS(revert_options), 1, -1, run_revert,
};
