/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notice: what happens to files, told to the queue of what is to be
 * compressed; and the way back, when one of them was.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fuse/internal.h"
#include "util/auto.h"
#include "write/classify.h"
#include "write/ledger.h"

/* How often it is tried to replace a file that just then is looked up for the first time. */
#define TRIES 8

/* --- to the queue */

/* Return: false: it has none, or nobody wants to know. */
static bool path_of_node(struct dfs_mount *mount, struct dfs_node *node, char path[PATH_MAX])
{
	return mount->queue && !dfs_node_is_gone(&mount->nodes, node) &&
	       dfs_node_path(&mount->nodes, node, path) == 0;
}

static bool is_at(struct dfs_mount *mount, struct dfs_node *node, const char *path)
{
	char now[PATH_MAX];

	return path_of_node(mount, node, now) && !strcmp(now, path);
}

/*
 * A file may be moved between the look at its path and what is told of that:
 * then it is told of the new one, now in @path, too. An old one is nothing to
 * wait for: who takes it finds nothing there, and it is forgotten.
 */
static void tell_writing(struct dfs_mount *mount, struct dfs_node *node, char path[PATH_MAX])
{
	for (;;) {
		dfs_queue_writing(mount->queue, path);
		if (is_at(mount, node, path))
			return;
		dfs_queue_written(mount->queue, path);
		if (!path_of_node(mount, node, path))
			return;
	}
}

static void tell_written(struct dfs_mount *mount, struct dfs_node *node, char path[PATH_MAX])
{
	do
		dfs_queue_written(mount->queue, path);
	while (!is_at(mount, node, path) && path_of_node(mount, node, path));
}

void dfs_notice_opened(struct dfs_mount *mount, struct dfs_open *open, pid_t pid)
{
	char path[PATH_MAX];

	atomic_store(&open->writer, pid);
	if (path_of_node(mount, open->node, path))
		dfs_queue_opened(mount->queue, path, pid);
}

void dfs_notice_writing(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_content *content;
	char path[PATH_MAX];
	struct stat st;

	atomic_store_explicit(&open->node->mtime_owed, true, memory_order_relaxed);
	if (atomic_exchange(&open->dirty, true) || dfs_node_path(&mount->nodes, open->node, path) < 0)
		return;
	dfs_trouble_forget(mount, path);
	if (!mount->queue)
		return;
	tell_writing(mount, open->node, path);
	dfs_queue_opened(mount->queue, path, atomic_load(&open->writer));
	content = dfs_content_get(mount, open);
	dfs_ledger_written(mount->ledger, path, fstat(dfs_content_fd(content), &st) == 0 ? &st : NULL);
	dfs_content_put(mount, content);
}

/* Return: false: there is none that fits. */
static bool path_of(struct dfs_mount *mount, struct dfs_node *parent, const char *name, char path[PATH_MAX])
{
	size_t len;

	if (dfs_node_path(&mount->nodes, parent, path) < 0)
		return false;
	len = strlen(path);
	return (size_t)snprintf(path + len, PATH_MAX - len, "%s%s", len ? "/" : "", name) < PATH_MAX - len;
}

/* It may have been written to under another name than it is closed under: that one would wait for its last close for ever. */
static void forget_others(struct dfs_mount *mount, struct dfs_node *node)
{
	char name[NAME_MAX + 1], path[PATH_MAX];
	struct dfs_node *parent;

	for (unsigned i = 0; (parent = dfs_node_other_name(&mount->nodes, node, i, name)) != NULL; i++) {
		if (path_of(mount, parent, name, path))
			dfs_queue_removed(mount->queue, path);
		dfs_node_put(&mount->nodes, parent);
	}
}

void dfs_notice_written(struct dfs_mount *mount, struct dfs_open *open)
{
	bool dirty = atomic_exchange(&open->dirty, false);
	struct dfs_content *content;
	char path[PATH_MAX];
	struct stat st;

	if (!path_of_node(mount, open->node, path))
		return;
	if (!dirty) { /* whoever kept it open has gone */
		dfs_queue_opened(mount->queue, path, 0);
		dfs_queue_hurry(mount->queue, path, DFS_REASON_OPEN);
		return;
	}
	forget_others(mount, open->node);
	tell_written(mount, open->node, path);
	content = dfs_content_get(mount, open);
	if (fstat(dfs_content_fd(content), &st) == 0)
		dfs_queue_sized(mount->queue, path, (uint64_t)st.st_size);
	dfs_content_put(mount, content);
}

/* The backing file. Return: false: it is not there, or cannot be told. */
static bool stat_node(struct dfs_mount *mount, struct dfs_node *node, struct stat *ret_st)
{
	struct dfs_node_look look;
	DFS_AUTO(fd) int fd = -1;

	if (dfs_node_open(&mount->nodes, mount->store, node, O_PATH, &fd, &look) < 0)
		return false;
	*ret_st = look.st;
	return true;
}

void dfs_notice_by_hand(struct dfs_mount *mount, struct dfs_node *node, bool done)
{
	const struct dfs_reason why = { .id = DFS_REASON_BY_HAND };
	char path[PATH_MAX];
	struct stat st;

	if (!path_of_node(mount, node, path))
		return;
	if (!done)
		dfs_queue_removed(mount->queue, path);
	else if (stat_node(mount, node, &st))
		dfs_ledger_note(mount->ledger, path, &st, &why);
}

void dfs_notice_asked(struct dfs_mount *mount, struct dfs_node *node)
{
	struct stat st;

	if (stat_node(mount, node, &st))
		dfs_ledger_gone(mount->ledger, &st);
}

void dfs_notice_replaced(struct dfs_mount *mount, const struct stat *file)
{
	if (!file)
		return;
	dfs_keeper_removed(mount->keeper, file);
	dfs_ledger_gone(mount->ledger, file);
}

void dfs_notice_copied(struct dfs_mount *mount)
{
	if (mount->queue)
		dfs_queue_copied(mount->queue);
}

void dfs_notice_removed(struct dfs_mount *mount, struct dfs_node *parent, const char *name, const struct stat *file)
{
	char path[PATH_MAX];

	if (!path_of(mount, parent, name, path))
		return;
	dfs_trouble_forget(mount, path);
	dfs_notice_replaced(mount, file);
	if (!mount->queue)
		return;
	dfs_queue_removed(mount->queue, path);
	dfs_ledger_removed(mount->ledger, path);
}

void dfs_notice_move_begin(struct dfs_mount *mount)
{
	if (mount->queue)
		dfs_queue_move_begin(mount->queue);
}

void dfs_notice_move_end(struct dfs_mount *mount)
{
	if (mount->queue)
		dfs_queue_move_end(mount->queue);
}

/* A file that loses the name of an unfinished one is finished. */
void dfs_notice_moved(struct dfs_mount *mount, struct dfs_node *parent, const char *name,
		      struct dfs_node *to, const char *to_name, bool exchanged)
{
	char from_path[PATH_MAX], to_path[PATH_MAX];

	if (!path_of(mount, parent, name, from_path) || !path_of(mount, to, to_name, to_path))
		return;
	dfs_trouble_forget(mount, from_path);
	dfs_trouble_forget(mount, to_path);
	dfs_keeper_moved(mount->keeper, from_path, to_path, exchanged);
	if (!mount->queue)
		return;
	dfs_ledger_moved(mount->ledger, from_path, to_path, exchanged);
	if (exchanged) {
		dfs_queue_exchanged(mount->queue, from_path, to_path);
		return;
	}
	dfs_queue_moved(mount->queue, from_path, to_path);
	if (dfs_classify_name(name) && !dfs_classify_name(to_name))
		dfs_queue_written(mount->queue, to_path);
}

/* --- from who compresses: one file at a time */

static void let_go(struct dfs_mount *mount)
{
	dfs_content_put(mount, mount->ingested.content);
	if (mount->ingested.old_fd >= 0)
		close(mount->ingested.old_fd);
	dfs_node_put(&mount->nodes, mount->ingested.node);
}

/* What may be open under it by the time that it is replaced reads the new file from then on. */
static int prepare(struct dfs_mount *mount, const struct dfs_ingest_change *change)
{
	struct dfs_look look = { dfs_nodes_moment(&mount->nodes), change->old };
	struct dfs_replacement *r = &mount->ingested;
	struct dfs_err err;
	int fd;

	*r = (struct dfs_replacement){
		.mount = mount, .node = dfs_node_find(&mount->nodes, &look), .still = true, .keep_ctime = true,
		.shown_size = change->plain ? DFS_SIZE_STORED : (uint64_t)change->old.st_size, .before = change->old,
		.anew = change->anew, .old_fd = -1,
	};
	if (!r->node)
		return 0;
	fd = fcntl(change->anew ? change->old_fd : change->new_fd, F_DUPFD_CLOEXEC, 0);
	if (change->anew) {
		r->old_fd = fd;
		return fd < 0 ? -errno : 0;
	}
	return fd < 0 ? -errno : dfs_content_new(mount, r->node, fd, false, false, &r->content, &err);
}

/* Was it looked up just before nobody could any more? */
static bool has_come(struct dfs_mount *mount, const struct stat *old)
{
	struct dfs_look look = { dfs_nodes_moment(&mount->nodes), *old };
	struct dfs_node *node = mount->ingested.node ? NULL : dfs_node_find(&mount->nodes, &look);

	dfs_node_put(&mount->nodes, node);
	return node != NULL;
}

static int enter_once(struct dfs_mount *mount, const struct dfs_ingest_change *change)
{
	int ret = prepare(mount, change);

	if (ret == 0)
		ret = dfs_replace_enter(&mount->ingested);
	if (ret == 0 && has_come(mount, &change->old)) {
		dfs_replace_leave(&mount->ingested, NULL);
		ret = -EAGAIN;
	}
	if (ret < 0)
		let_go(mount);
	return ret;
}

static int enter(void *arg, const struct dfs_ingest_change *change)
{
	int ret = -EAGAIN;

	for (int i = 0; ret == -EAGAIN && i < TRIES; i++)
		ret = enter_once(arg, change);
	return ret == -EAGAIN ? -EBUSY : ret;
}

static void leave(void *arg, const struct dfs_published *now)
{
	struct dfs_mount *mount = arg;

	dfs_replace_leave(&mount->ingested, now);
	let_go(mount);
}

static int enter_link(void *arg, int fd)
{
	struct dfs_mount *mount = arg;

	return dfs_replace_hold(mount, fd, &mount->linked);
}

static void leave_link(void *arg, const struct stat *linked)
{
	struct dfs_mount *mount = arg;

	dfs_replace_linked(&mount->linked, linked);
}

struct dfs_ingest_watch dfs_mount_watch(struct dfs_mount *mount)
{
	mount->links = (struct dfs_pin_watch){ enter_link, leave_link, mount };
	return (struct dfs_ingest_watch){ enter, leave, mount, &mount->links, mount->keeper };
}
