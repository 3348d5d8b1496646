/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base_work: see base_work.h. */
#include "fuse/base_work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuse/caller.h"
#include "fuse/internal.h"
#include "store/pins.h"
#include "util/auto.h"

/*
 * A name that is moved while the store is walked may be missed. Who moves one
 * says so just after; so long is waited for him to have done so, and so often
 * it is walked anew.
 */
#define SETTLE_MS 200
#define TRIES 20
/* Between two looks whether a file that was written to is closed. */
#define LET_GO_MS 50

int dfs_base_may(struct dfs_mount *mount, uid_t uid)
{
	struct stat st;

	if (mount->read_only)
		return -EROFS;
	if (uid == 0 || uid == geteuid())
		return 0;
	if (fstatat(dfs_store_fd(mount->store), DFS_STORE_DIR, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return st.st_uid == uid ? 0 : -EACCES;
}

static bool goes_on(void *arg)
{
	return !atomic_load(&((struct dfs_mount *)arg)->ending);
}

/* --- adding */

struct adding {
	struct dfs_mount *mount;
	struct dfs_replacement held;
};

/* Who has just closed it may be about to let go of it. */
static int enter(void *arg, int fd)
{
	const struct timespec pause = { 0, LET_GO_MS * 1000000 };
	struct adding *a = arg;
	int ret = -EBUSY;

	for (int i = 0; ret == -EBUSY && i < TRIES && goes_on(a->mount); i++) {
		if (i)
			nanosleep(&pause, NULL);
		ret = dfs_replace_hold(a->mount, fd, &a->held);
	}
	return ret;
}

static void leave(void *arg, const struct stat *linked)
{
	struct adding *a = arg;

	dfs_replace_linked(&a->held, linked);
}

/* In the store files are replaced, and the daemon knows where it is. */
static int check_place(const struct dfs_mount *mount, const struct dfs_base_work *work, struct dfs_err *err)
{
	const char *store = dfs_store_path(mount->store);
	size_t len = strlen(store);
	struct stat st;

	if (work->path[0] != '/')
		return dfs_fail(err, EINVAL, "%s: not an absolute path", work->path);
	if (stat(work->path, &st) < 0)
		return dfs_fail_errno(err, "the daemon of the mount looks for %s", work->path);
	if (!strncmp(work->path, store, len) && work->path[len] == '/')
		return 0;
	if (st.st_dev != work->dev || st.st_ino != work->ino)
		return dfs_fail(err, ESTALE, "%s: the daemon of the mount sees something else there", work->path);
	return 0;
}

static int add(struct dfs_mount *mount, struct dfs_base_work *work, dfs_hash_progress_fn *progress, void *arg,
	       struct dfs_err *err)
{
	struct adding a = { .mount = mount };
	const struct dfs_pin_watch watch = { enter, leave, &a };
	const struct dfs_registry_add add = {
		.path = work->path, .by_reference = work->by_reference, .watch = &watch, .progress = progress, .arg = arg,
	};
	int ret = check_place(mount, work, err);

	return ret < 0 ? ret : dfs_registry_add(mount->store, &add, &work->added, err);
}

/* --- removing */

struct removing {
	struct dfs_mount *mount;
	uint64_t names;		/* as below, before the store was walked */
};

/* Grows with each name that is moved or removed. Where nobody counts them any change counts. */
static uint64_t names(struct dfs_mount *mount)
{
	return mount->queue ? dfs_queue_changes(mount->queue) : dfs_nodes_moment(&mount->nodes);
}

static bool is_in_use(struct dfs_mount *mount, const struct dfs_registered *model)
{
	for (size_t i = 0; i < model->n_files; i++)
		if (dfs_reader_uses(mount->reader, &model->files[i].hash, 1))
			return true;
	return false;
}

static int still(void *arg, const struct dfs_registered *model, struct dfs_err *err)
{
	const struct timespec settle = { 0, SETTLE_MS * 1000000 };
	struct removing *r = arg;

	nanosleep(&settle, NULL);
	if (!goes_on(r->mount))
		return dfs_fail(err, ECANCELED, "the mount ends");
	if (is_in_use(r->mount, model))
		return dfs_fail(err, EBUSY, "somebody has a file open that depends on it and has no name any more");
	/* Last: who copied such a file says so before he lets go of it. */
	if (names(r->mount) != r->names)
		return dfs_fail(err, EAGAIN, "files are moved and removed all the time, and one that depends on it could be missed");
	return 0;
}

static int take_away(struct dfs_mount *mount, struct dfs_base_work *work, struct dfs_err *err)
{
	struct removing r = { .mount = mount };
	const struct dfs_registry_watch watch = { still, &r };
	int ret = -EAGAIN;

	for (int i = 0; ret == -EAGAIN && i < TRIES; i++) {
		r.names = names(mount);
		ret = dfs_registry_remove(mount->store, work->path, &watch, &work->removed, err);
	}
	return ret;
}

/* --- norms */

static int set_norms(struct dfs_mount *mount, struct dfs_base_work *work, struct dfs_err *err)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	const struct dfs_registered *model;
	int ret = dfs_registry_list(mount->store, &registry, err);

	if (ret < 0)
		return ret;
	model = dfs_registry_find(&registry, mount->store, work->path, err);
	if (!model)
		return -ENOENT;
	work->changed = model->id;
	return dfs_registry_set_norms(mount->store, model->id, &work->norms, true, err);
}

/* --- any of them */

static int do_as(struct dfs_mount *mount, struct dfs_base_work *work, dfs_hash_progress_fn *progress, void *arg,
		 struct dfs_err *err)
{
	struct dfs_other other;
	int ret;

	/* Root asks a daemon that is not root's: it does what it can. */
	ret = dfs_other_begin(&other, work->uid == 0 ? geteuid() : work->uid, work->gid);
	if (ret < 0)
		return dfs_fail(err, -ret, "the daemon cannot act as user %u: %s", (unsigned)work->uid, strerror(-ret));
	if (work->what == DFS_BASE_ADD)
		ret = add(mount, work, progress, arg, err);
	else
		ret = work->what == DFS_BASE_REMOVE ? take_away(mount, work, err) : set_norms(mount, work, err);
	dfs_other_end(&other);
	return ret;
}

static void log_it(struct dfs_mount *mount, const struct dfs_base_work *work)
{
	static const char *const verbs[] = {
		[DFS_BASE_ADD] = "added", [DFS_BASE_REMOVE] = "removed", [DFS_BASE_SET_NORMS] = "got another norm",
	};
	const struct dfs_hash ids[] = {
		[DFS_BASE_ADD] = work->added.id, [DFS_BASE_REMOVE] = work->removed.id, [DFS_BASE_SET_NORMS] = work->changed,
	};
	char id[DFS_HASH_HEX];

	dfs_log_line(mount->log, DFS_LOG_INFO, "base %.8s %s, as user %u asked: %s", dfs_hash_hex(ids[work->what], id),
		     verbs[work->what], (unsigned)work->uid, work->path);
}

int dfs_base_do(struct dfs_mount *mount, struct dfs_base_work *work, dfs_hash_progress_fn *progress, void *arg,
		struct dfs_err *err)
{
	int ret = dfs_turn_ask(mount->turn, goes_on, mount);

	if (ret < 0)
		return dfs_fail(err, -ret, "the mount ends");
	ret = do_as(mount, work, progress, arg, err);
	dfs_turn_end(mount->turn);
	if (ret == 0)
		log_it(mount, work);
	return ret;
}
