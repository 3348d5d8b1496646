/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon: see daemon.h. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "mounts.h"
#include "progress.h"
#include "store/kept.h"
#include "store/store.h"

#define PAUSE_FIRST_MS 5
#define PAUSE_LAST_MS 200
#define FOLLOW_TRIES 20		/* what a kernel believes it believes for a second */

DFS_AUTO_KIND(mount, struct ctl_mount, ctl_mount_release(p));

/* --- finding it */

/* Is @shown a mount of @store, or in one? The lock's text is only text: another store must not be taken for it. */
static bool is_shown(const char *shown, const char *store)
{
	DFS_AUTO(mount) struct ctl_mount mount = { 0 };

	return ctl_mount_find(shown, &mount) == 1 && !strcmp(mount.store, store);
}

/*
 * By the lock of the store that @path lies in.
 * @ret_shown: the path in the mount; @ret_point: the mount; each NULL if there is none; free() them
 */
static int by_lock(const char *path, char **ret_shown, char **ret_point, char **ret_store, struct dfs_err *err)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) char *full = realpath(path, NULL);
	DFS_AUTO(mem) char *rel = NULL;
	DFS_AUTO(mem) char *shown = NULL;
	struct dfs_holder holder;
	struct dfs_err none;

	if (!full)
		return dfs_fail_errno(err, "%s", path);
	if (dfs_store_find(full, &store, &rel, &none) < 0)
		return 0;
	*ret_store = strdup(dfs_store_path(store));
	if (dfs_store_holder(store, &holder) < 0 || holder.mountpoint[0] != '/')
		return 0;
	if (asprintf(&shown, "%s%s%s", holder.mountpoint, *rel ? "/" : "", rel) < 0) {
		shown = NULL;
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	if (!is_shown(shown, dfs_store_path(store)))
		return 0;
	*ret_point = strdup(holder.mountpoint);
	*ret_shown = dfs_steal(&shown);
	return 0;
}

static int by_mount(const char *path, struct ctl_mount *ret_mount, struct dfs_err *err)
{
	int ret = ctl_mount_find(path, ret_mount);

	return ret < 0 ? dfs_fail(err, -ret, "%s: %s", path, strerror(-ret)) : ret;
}

int ctl_daemon_mountpoint(const char *path, char **ret_point, char **ret_store, struct dfs_err *err)
{
	DFS_AUTO(mount) struct ctl_mount mount = { 0 };
	DFS_AUTO(mem) char *shown = NULL;
	int ret = by_mount(path, &mount, err);

	*ret_point = *ret_store = NULL;
	if (ret <= 0)
		return ret < 0 ? ret : by_lock(path, &shown, ret_point, ret_store, err);
	*ret_point = dfs_steal(&mount.point);
	*ret_store = dfs_steal(&mount.store);
	return 0;
}

static int ask(int fd, unsigned long request, struct dfs_control *c)
{
	c->version = DFS_CONTROL_VERSION;
	return ioctl(fd, request, c) < 0 ? -errno : 0;
}

static int open_shown(const char *shown, struct ctl_daemon *d, struct dfs_err *err)
{
	struct stat st;
	int ret;

	/* What is neither has no daemon, and a FIFO is not to be opened. */
	if (stat(shown, &st) < 0)
		return dfs_fail_errno(err, "%s", shown);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	d->fd = open(shown, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (d->fd < 0)
		return dfs_fail_errno(err, "%s", shown);
	d->path = strdup(shown);
	if (!d->path)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = ctl_daemon_state(d, err);
	return ret == -ENOTTY ? 0 : ret < 0 ? ret : 1;
}

int ctl_daemon_open(const char *path, struct ctl_daemon *ret_daemon, struct dfs_err *err)
{
	DFS_AUTO(mount) struct ctl_mount mount = { 0 };
	DFS_AUTO(mem) char *shown = NULL;
	DFS_AUTO(mem) char *point = NULL;
	DFS_AUTO(mem) char *store = NULL;
	int ret = by_mount(path, &mount, err);

	*ret_daemon = (struct ctl_daemon){ .fd = -1 };
	if (ret > 0)
		return open_shown(path, ret_daemon, err);
	if (ret == 0)
		ret = by_lock(path, &shown, &point, &store, err);
	return ret == 0 && shown ? open_shown(shown, ret_daemon, err) : ret;
}

/* A read-only mount may stand beside one that writes. */
int ctl_daemon_writer(const char *path, struct ctl_daemon *ret_daemon, struct dfs_err *err)
{
	int ret = ctl_daemon_open(path, ret_daemon, err);
	DFS_AUTO(mem) char *behind = NULL;
	struct dfs_err none;

	if (ret <= 0 || ret_daemon->state.writable)
		return ret;
	behind = ctl_mount_behind(path, &none);
	ctl_daemon_release(ret_daemon);
	if (!behind || access(behind, F_OK) < 0)
		return 0;
	ret = ctl_daemon_open(behind, ret_daemon, err);
	return ret > 0 ? ret_daemon->state.writable : ret;
}

void ctl_daemon_release(struct ctl_daemon *d)
{
	if (d->fd >= 0)
		close(d->fd);
	free(d->path);
	d->fd = -1;
	d->path = NULL;
}

/* --- asking */

static int refused(const struct ctl_daemon *d, int ret, const struct dfs_control *c, struct dfs_err *err)
{
	if (ret == -EPROTO)
		return dfs_fail(err, EPROTO, "the daemon of %s speaks version %u of what it is asked, this program %u: "
				"use the deltafsctl that came with it", d->path, c->version, DFS_CONTROL_VERSION);
	if (memchr(c->text, '\0', sizeof(c->text)) && *c->text)
		return dfs_fail(err, -ret, "%s: %s%s%.*s", d->path, c->text, *c->cure ? "; " : "",
				(int)sizeof(c->cure), c->cure);
	if (ret == -EACCES)
		return dfs_fail(err, EACCES, "%s: not yours to change: its owner, root and who may write to it may", d->path);
	return dfs_fail(err, -ret, "%s: %s", d->path, strerror(-ret));
}

int ctl_daemon_ask(const struct ctl_daemon *d, unsigned long request, struct dfs_control *c, struct dfs_err *err)
{
	int ret = ask(d->fd, request, c);

	return ret < 0 ? refused(d, ret, c, err) : 0;
}

int ctl_daemon_state(struct ctl_daemon *d, struct dfs_err *err)
{
	d->state = (struct dfs_control){ 0 };
	return ctl_daemon_ask(d, DFS_CONTROL_STATE, &d->state, err);
}

/* Not the owner, but perhaps somebody who may write to it: the kernel knows, and an open descriptor shows it. */
static int ask_as_writer(const struct ctl_daemon *d, unsigned long request, struct dfs_control *c, struct dfs_err *err)
{
	const struct dfs_control asked = *c;
	DFS_AUTO(fd) int fd = -1;
	int ret = ask(d->fd, request, c);

	if (ret == -EACCES)
		fd = open(d->path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0) {
		*c = asked;
		ret = ask(fd, request, c);
	}
	return ret < 0 ? refused(d, ret, c, err) : 0;
}

void ctl_pause(unsigned *ms)
{
	struct timespec pause;

	*ms = *ms ? *ms * 3 / 2 : PAUSE_FIRST_MS;
	if (*ms > PAUSE_LAST_MS)
		*ms = PAUSE_LAST_MS;
	pause = (struct timespec){ .tv_nsec = (long)*ms * 1000000 };
	nanosleep(&pause, NULL);
}

static void told(const struct ctl_daemon *d, const char *name, char *text, size_t room)
{
	ssize_t n = fgetxattr(d->fd, name, text, room - 1);

	text[n > 0 ? n : 0] = '\0';
}

static int interrupted(const struct ctl_daemon *d, struct dfs_err *err)
{
	return dfs_fail(err, ECANCELED, "%s: interrupted; the daemon goes on with it", d->path);
}

/* --- compressing */

void ctl_daemon_result(struct ctl_daemon *d, struct ctl_result *result)
{
	char state[32], stored[32], exact[8];
	struct stat st = { 0 };

	fstat(d->fd, &st);
	told(d, "user.deltafs.state", state, sizeof(state));
	told(d, "user.deltafs.stored_bytes", stored, sizeof(stored));
	*result = (struct ctl_result){ .original_bytes = (uint64_t)st.st_size, .stored_bytes = strtoull(stored, NULL, 10) };
	if (!strcmp(state, "container")) {
		told(d, "user.deltafs.base_id", d->base, sizeof(d->base));
		result->outcome = CTL_CHANGED;
		result->what = "compressed";
		result->base = *d->base ? d->base : NULL;
		told(d, "user.deltafs.exact", exact, sizeof(exact));
		result->lossy = !strcmp(exact, "0");
		told(d, "user.deltafs.reason", d->told, sizeof(d->told));
		result->why = *d->told ? d->told : NULL;
		return;
	}
	told(d, "user.deltafs.reason", d->told, sizeof(d->told));
	result->outcome = CTL_LEFT;
	result->what = "left";
	/* Removed meanwhile, or replaced. */
	result->why = st.st_nlink && *d->told ? d->told : "it is not there any more";
}

/* Return: 1: go on waiting; 0: it is over; -errno: it was tried, and is to be tried again. */
static int look(struct ctl_daemon *d, struct dfs_err *err)
{
	int ret = ctl_daemon_state(d, err);

	if (ret < 0)
		return ret;
	if (d->state.state == DFS_CONTROL_SETTLED)
		return 0;
	if (d->state.state == DFS_CONTROL_WAITING && d->state.tries && *d->state.reason)
		return refused(d, -EAGAIN, &d->state, err);
	return 1;
}

int ctl_daemon_queue(const struct ctl_daemon *d, const struct dfs_hash *base, const char *codec, struct dfs_err *err)
{
	struct dfs_control c = { 0 };

	if (codec && strlen(codec) >= sizeof(c.text))
		return dfs_fail(err, EINVAL, "a codec with %zu letters of options", strlen(codec));
	if (codec)
		memcpy(c.text, codec, strlen(codec));
	if (base)
		memcpy(c.base, base->bytes, sizeof(c.base));
	return ask_as_writer(d, DFS_CONTROL_ENCODE, &c, err);
}

/* What was made of it is there before the daemon has written down what is to be known of it. */
static bool is_in_work(struct ctl_daemon *d)
{
	struct dfs_err none;

	return ctl_daemon_state(d, &none) == 0 && d->state.state == DFS_CONTROL_WORKING;
}

/* Does no name lead to it any more? The kernel may believe otherwise for a moment; the daemon knows. */
static bool is_nameless(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_NLINK, &st) == 0 && st.stx_nlink == 0;
}

/* A codec that gives up bits left another file there, and the old one to who has it open, and for a moment to who has its name. */
static void follow_name(struct ctl_daemon *d)
{
	unsigned pause = 0;

	for (unsigned i = 0; i < FOLLOW_TRIES && is_nameless(d->fd) && !ctl_interrupted(); i++) {
		int fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

		if (fd < 0)
			return;
		close(d->fd);
		d->fd = fd;
		if (i)
			ctl_pause(&pause);
	}
}

int ctl_daemon_await(struct ctl_daemon *d, struct ctl_result *result, struct dfs_err *err)
{
	struct ctl_progress progress;
	unsigned pause = 0;
	int ret;

	ctl_progress_start(&progress, "encoding", d->path);
	while ((ret = look(d, err)) > 0 && !ctl_interrupted()) {
		if (d->state.total)
			ctl_progress_tell(&progress, d->state.done, d->state.total);
		ctl_pause(&pause);
	}
	ctl_progress_end(&progress);
	if (ret != 0)
		return ret < 0 ? ret : interrupted(d, err);
	follow_name(d);
	while (is_in_work(d) && !ctl_interrupted())
		ctl_pause(&pause);
	ctl_daemon_result(d, result);
	return 0;
}

/* --- and back */

static int poll_job(struct ctl_daemon *d, uint64_t id, const char *what, uint64_t *ret_total, struct dfs_err *err)
{
	struct ctl_progress progress;
	struct dfs_control c;
	unsigned pause = 0;
	int ret;

	ctl_progress_start(&progress, what, d->path);
	for (;;) {
		c = (struct dfs_control){ .id = id };
		ret = ctl_daemon_ask(d, DFS_CONTROL_POLL, &c, err);
		if (ret < 0 || c.state == DFS_CONTROL_SETTLED || ctl_interrupted())
			break;
		if (c.total)
			ctl_progress_tell(&progress, c.done, c.total);
		ctl_pause(&pause);
	}
	ctl_progress_end(&progress);
	if (ret < 0)
		return ret;
	if (c.state != DFS_CONTROL_SETTLED)
		return interrupted(d, err);
	*ret_total = c.total;
	return c.result < 0 ? refused(d, c.result, &c, err) : 0;
}

int ctl_daemon_decode(struct ctl_daemon *d, struct ctl_result *result, struct dfs_err *err)
{
	struct dfs_control c = { 0 };
	struct stat st = { 0 };
	uint64_t total;
	char state[32];
	bool plain;
	int ret;

	told(d, "user.deltafs.state", state, sizeof(state));
	plain = !strcmp(state, "plain");
	ret = ask_as_writer(d, DFS_CONTROL_DECODE, &c, err);
	if (ret == 0)
		ret = poll_job(d, c.id, "decoding", &total, err);
	if (ret < 0)
		return ret;
	fstat(d->fd, &st);
	*result = (struct ctl_result){
		.outcome = plain ? CTL_LEFT : CTL_CHANGED,
		.what = plain ? "left" : "decoded", .why = plain ? "plain already" : NULL,
		.original_bytes = (uint64_t)st.st_size, .stored_bytes = (uint64_t)st.st_size,
	};
	return 0;
}

int ctl_daemon_decide(struct ctl_daemon *d, bool reverts, uint64_t *ret_bytes, struct dfs_err *err)
{
	struct dfs_control c = { 0 };
	char until[DFS_KEPT_UNTIL_LEN];
	int ret;

	told(d, "user.deltafs.kept", until, sizeof(until));
	if (!*until)
		return dfs_fail(err, ENOENT, "%s: nothing is kept of it", d->path);
	ret = ask_as_writer(d, reverts ? DFS_CONTROL_REVERT : DFS_CONTROL_ACCEPT, &c, err);
	if (ret == -ENOTTY)
		return dfs_fail(err, ENOTTY, "%s: the daemon of its mount is older than this program, and keeps no originals", d->path);
	return ret < 0 ? ret : poll_job(d, c.id, reverts ? "reverting" : "accepting", ret_bytes, err);
}
