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

#include "progress.h"
#include "store/kept.h"

#define PAUSE_FIRST_MS 5
#define PAUSE_LAST_MS 200

static int ask(int fd, unsigned long request, struct dfs_control *c)
{
	c->version = DFS_CONTROL_VERSION;
	return ioctl(fd, request, c) < 0 ? -errno : 0;
}

void ctl_daemon_release(struct ctl_daemon *d)
{
	if (d->fd >= 0)
		close(d->fd);
	free(d->path);
	d->fd = -1;
	d->path = NULL;
}

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

void ctl_daemon_outcome(struct ctl_daemon *d, struct ctl_result *result)
{
	unsigned pause = 0;

	ctl_daemon_follow(d);
	while (is_in_work(d) && !ctl_interrupted())
		ctl_pause(&pause);
	ctl_daemon_result(d, result);
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
	ctl_daemon_outcome(d, result);
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
	char state[32], exact[8];
	bool plain;
	int ret;

	told(d, "user.deltafs.state", state, sizeof(state));
	told(d, "user.deltafs.exact", exact, sizeof(exact));
	plain = !strcmp(state, "plain");
	ret = ask_as_writer(d, DFS_CONTROL_DECODE, &c, err);
	if (ret == 0)
		ret = poll_job(d, c.id, "decoding", &total, err);
	if (ret < 0)
		return ret;
	fstat(d->fd, &st);
	*result = (struct ctl_result){
		.outcome = plain ? CTL_LEFT : CTL_CHANGED,
		.what = plain ? "left" : "decoded", .why = plain ? "plain already" : NULL, .lossy = !plain && !strcmp(exact, "0"),
		.original_bytes = (uint64_t)st.st_size, .stored_bytes = (uint64_t)st.st_size,
	};
	return 0;
}

int ctl_daemon_decide(struct ctl_daemon *d, bool reverts, bool written, uint64_t *ret_bytes, struct dfs_err *err)
{
	struct dfs_control c = { .written = written };
	char until[DFS_KEPT_UNTIL_LEN];
	int ret;

	told(d, "user.deltafs.kept", until, sizeof(until));
	if (!*until)
		return dfs_fail(err, ENOENT, "%s: nothing is kept of it", d->path);
	ret = ask_as_writer(d, reverts ? DFS_CONTROL_REVERT : DFS_CONTROL_ACCEPT, &c, err);
	if (ret == -ENOTTY)
		return dfs_fail(err, ENOTTY, "%s: the daemon of its mount is older than this program, and keeps no originals", d->path);
	if (ret == 0)
		ret = poll_job(d, c.id, reverts ? "reverting" : "accepting", ret_bytes, err);
	if (ret == 0)
		ctl_daemon_follow(d);	/* whoever opens it next is to get the original */
	return ret;
}
