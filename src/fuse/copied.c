/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/copied.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "fuse/node_table.h"
#include "store/plain_mark.h"
#include "util/auto.h"
#include "util/io.h"
#include "write/duplicate.h"

/* Read and written at once: a few chunks, so that several threads decode. */
#define WINDOW (1u << 20)

/* A stat(2) that just looks at the empty file is gone by then. */
#define TRIES 500
#define TRY_NS 1000000

void dfs_copied_put(struct dfs_mount *mount, struct dfs_copied *copied)
{
	if (!copied)
		return;
	dfs_content_put(mount, copied->from);
	free(copied);
}

bool dfs_copied_size(struct dfs_mount *mount, struct dfs_open *open, uint64_t *ret_size)
{
	bool so;

	pthread_mutex_lock(&mount->nodes.lock);
	so = open->copied && open->copied->len;
	if (so)
		*ret_size = open->copied->len;
	pthread_mutex_unlock(&mount->nodes.lock);
	return so;
}

/* --- whose turn it is */

/* Under the lock. */
static void wait_idle(struct dfs_mount *mount, struct dfs_open *open)
{
	while (open->copied && open->copied->busy)
		pthread_cond_wait(&mount->nodes.settled, &mount->nodes.lock);
}

/* Under the lock. A file's number is its own as long as it is held open. */
static bool goes_on(const struct dfs_copied *copied, const struct dfs_content *from, uint64_t off)
{
	return copied && copied->from->ino == from->ino && copied->from->dev == from->dev && copied->len == off;
}

/* Return: busy; NULL: it does not go on from what was copied. */
static struct dfs_copied *begin(struct dfs_mount *mount, struct dfs_open *to, struct dfs_content *from, uint64_t off)
{
	struct dfs_copied *fresh = off ? NULL : calloc(1, sizeof(*fresh)), *copied = NULL;

	pthread_mutex_lock(&mount->nodes.lock);
	wait_idle(mount, to);
	if (fresh && !to->copied) {
		fresh->from = from;
		from->refs++;
		to->copied = dfs_steal(&fresh);
		atomic_store(&to->copying, true);
	}
	if (goes_on(to->copied, from, off)) {
		copied = to->copied;
		copied->busy = true;
	}
	pthread_mutex_unlock(&mount->nodes.lock);
	free(fresh);
	return copied;
}

/* Under the lock: nobody can write it any more. The kernel was told how long the file is, and would fill it up with zeros. */
static struct dfs_copied *lose(struct dfs_open *open)
{
	dfs_table_disown(open->node);
	atomic_store(&open->copying, false);
	return dfs_steal(&open->copied);
}

/* @lost: of lose(); NULL is fine */
static void tell_lost(struct dfs_mount *mount, struct dfs_open *open, struct dfs_copied *lost)
{
	char path[PATH_MAX];

	if (!lost)
		return;
	dfs_copied_put(mount, lost);
	if (!dfs_node_is_gone(&mount->nodes, open->node) && dfs_node_path(&mount->nodes, open->node, path) == 0)
		dfs_log_line(mount->log, DFS_LOG_ERROR, "%s: what was copied to it could not be written, and is lost", path);
}

/* @len: what the file is from now on; 0: its content is what it is. */
static void end(struct dfs_mount *mount, struct dfs_open *open, uint64_t len)
{
	struct dfs_copied *over = NULL, *lost = NULL;

	pthread_mutex_lock(&mount->nodes.lock);
	open->copied->busy = false;
	open->copied->len = len;
	if (!len) {
		over = dfs_steal(&open->copied);
		atomic_store(&open->copying, false);
	} else if (open->copied->left && !open->node->writing) {
		lost = lose(open);
	} else {
		open->copied->left = false;
	}
	dfs_open_wake(mount, open);
	pthread_mutex_unlock(&mount->nodes.lock);
	dfs_copied_put(mount, over);
	tell_lost(mount, open, lost);
}

/* --- pieces */

/* Has nobody else the content, who could be writing to it? */
static bool is_alone(struct dfs_mount *mount, const struct dfs_content *content)
{
	const struct timespec pause = { 0, TRY_NS };
	bool alone = false;

	for (int i = 0; !alone && i < TRIES; i++) {
		if (i)
			nanosleep(&pause, NULL);
		pthread_mutex_lock(&mount->nodes.lock);
		alone = content->refs == 2; /* the open form's and ours */
		pthread_mutex_unlock(&mount->nodes.lock);
	}
	return alone;
}

static bool is_empty(const struct dfs_content *content, const struct dfs_content *from)
{
	struct stat st;

	return dfs_content_is_plain(content) && content->writable && !atomic_load(&content->pinned) &&
	       fstat(dfs_view_fd(content->view), &st) == 0 && st.st_size == 0 && st.st_nlink == 1 &&
	       dfs_duplicate_allowed(from->view, st.st_uid);
}

static bool fits(struct dfs_mount *mount, struct dfs_open *to, const struct dfs_copied *copied)
{
	struct dfs_content *content;
	bool so;

	if (dfs_node_is_gone(&mount->nodes, to->node))
		return false;
	if (copied->len)
		return true;
	content = dfs_content_get(mount, to);
	so = is_alone(mount, content) && is_empty(content, copied->from);
	dfs_content_put(mount, content);
	return so;
}

static int replace(struct dfs_mount *mount, struct dfs_open *to, int old_fd, const struct dfs_view *view, struct dfs_err *err)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int fd = -1;
	struct stat st;
	int ret;

	if (fstat(old_fd, &st) < 0 || !dfs_duplicate_allowed(view, st.st_uid))
		return -EACCES;
	ret = dfs_duplicate(mount->store, view, &fd, &name, err);
	if (ret < 0)
		return ret;
	dfs_container_touch(mount, old_fd);
	ret = dfs_replace_container(mount, to->node, old_fd, fd, name, &dfs_view_container(view)->sb, err);
	dfs_notice_copied(mount);
	return ret;
}

static bool is_container(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_content *content = dfs_content_get(mount, open);
	bool so = !dfs_content_is_plain(content);

	dfs_content_put(mount, content);
	return so;
}

/* Return: 0; what the caller is told, who need not try it another way; -EXDEV: as bytes it may do. */
static int publish(struct dfs_mount *mount, struct dfs_open *to, const struct dfs_copied *copied, struct dfs_err *err)
{
	struct dfs_content *content = dfs_content_get(mount, to);
	int ret = replace(mount, to, dfs_view_fd(content->view), copied->from->view, err);

	dfs_content_put(mount, content);
	if (ret == 0 || ret == -ENOSPC || ret == -EDQUOT || is_container(mount, to))
		return ret;
	err->text[0] = '\0'; /* who reads the bytes finds out what is wrong with them */
	return -EXDEV;
}

ssize_t dfs_copied_piece(struct dfs_mount *mount, struct dfs_open *to, struct dfs_content *from,
			 uint64_t off, size_t len, struct dfs_err *err)
{
	uint64_t size = dfs_view_size(from->view), rest = size - off;
	struct dfs_copied *copied = begin(mount, to, from, off);
	int ret = 0;

	if (!copied)
		return -EXDEV;
	if (len > rest)
		len = rest;
	if (!fits(mount, to, copied))
		ret = -EXDEV;
	else if (len == rest)
		ret = publish(mount, to, copied, err);
	if (ret == 0)
		end(mount, to, len == rest ? 0 : off + len);
	else
		end(mount, to, is_container(mount, to) ? 0 : off);
	return ret < 0 ? ret : (ssize_t)len;
}

/* --- what it was copied for did not come */

static int write_window(const struct dfs_copied *copied, int fd, uint8_t *buf, uint64_t off, struct dfs_err *err)
{
	size_t want = copied->len - off < WINDOW ? copied->len - off : WINDOW, len;
	int ret = dfs_view_read(copied->from->view, off, want, buf, &len, err);

	if (ret < 0)
		return ret;
	if (len < want)
		return dfs_fail(err, EIO, "the container that is copied ends before it should");
	ret = dfs_plain_mark_guard(fd, buf, want, off);
	if (ret == 0)
		ret = dfs_pwrite_all(fd, buf, want, off);
	return ret < 0 ? dfs_fail(err, -ret, "write what was copied: %s", strerror(-ret)) : 0;
}

/* A file that cannot have all of it has nothing of it, and the room is free again. */
static int write_all(const struct dfs_copied *copied, int fd, struct dfs_err *err)
{
	DFS_AUTO(mem) uint8_t *buf = malloc(WINDOW);
	int ret = buf ? 0 : dfs_fail(err, ENOMEM, "out of memory");

	for (uint64_t off = 0; ret == 0 && off < copied->len; off += WINDOW)
		ret = write_window(copied, fd, buf, off, err);
	if (ret < 0 && ftruncate(fd, 0) < 0)
		return dfs_fail_errno(err, "empty a file after a failure");
	return ret;
}

/* Return: busy; NULL: nothing was copied. */
static struct dfs_copied *take(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_copied *copied;

	if (!atomic_load(&open->copying))
		return NULL;
	pthread_mutex_lock(&mount->nodes.lock);
	wait_idle(mount, open);
	copied = open->copied;
	if (copied)
		copied->busy = true;
	pthread_mutex_unlock(&mount->nodes.lock);
	return copied;
}

void dfs_copied_forget(struct dfs_mount *mount, struct dfs_open *open)
{
	if (take(mount, open))
		end(mount, open, 0);
}

int dfs_copied_settle(struct dfs_mount *mount, struct dfs_open *open, struct dfs_err *err)
{
	struct dfs_copied *copied = take(mount, open);
	struct dfs_content *content;
	char path[PATH_MAX];
	int ret;

	if (!copied)
		return 0;
	content = dfs_content_get(mount, open);
	ret = write_all(copied, dfs_content_fd(content), err);
	dfs_content_put(mount, content);
	end(mount, open, ret < 0 ? copied->len : 0);
	if (ret < 0 && dfs_node_path(&mount->nodes, open->node, path) == 0)
		return dfs_err_at(err, ret, "%s", path);
	return ret;
}

/* Who is at it just then sees to it himself. */
void dfs_copied_end(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_copied *lost = NULL;

	pthread_mutex_lock(&mount->nodes.lock);
	if (open->copied && !open->node->writing) {
		if (open->copied->busy)
			open->copied->left = true;
		else
			lost = lose(open);
	}
	pthread_mutex_unlock(&mount->nodes.lock);
	tell_lost(mount, open, lost);
}
