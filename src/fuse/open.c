/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/copied.h"
#include "fuse/internal.h"
#include "fuse/original.h"
#include "util/auto.h"

/* How often a file is opened anew that was replaced meanwhile; each time somebody compressed it or made it plain. */
#define TRIES 8

/* --- handles */

struct dfs_open *dfs_open_find(struct dfs_mount *mount, struct dfs_node *node)
{
	struct dfs_open *open;

	pthread_mutex_lock(&mount->nodes.lock);
	open = node->open;
	if (open)
		open->handles++;
	pthread_mutex_unlock(&mount->nodes.lock);
	return open;
}

/* One more handle, if what is open will do. Under the lock. */
static struct dfs_open *more(struct dfs_node *node, bool writable)
{
	struct dfs_open *open = node->open;

	if (!open || (writable && !open->content->writable))
		return NULL;
	open->handles++;
	return open;
}

static struct dfs_open *handle_more(struct dfs_nodes *nodes, struct dfs_node *node, bool writable)
{
	struct dfs_open *open;

	pthread_mutex_lock(&nodes->lock);
	open = more(node, writable);
	pthread_mutex_unlock(&nodes->lock);
	return open;
}

struct dfs_content *dfs_open_swap(struct dfs_node *node, struct dfs_content *content)
{
	struct dfs_content *before;

	if (!node->open)
		return NULL;
	before = node->open->content;
	node->open->content = content;
	return before;
}

/* The first handle, or the first one that writes. Under the lock. Return: the content that is not needed (any more), or NULL. */
static struct dfs_content *install(struct dfs_node *node, struct dfs_open *fresh, struct dfs_content *content)
{
	if (node->open)
		return dfs_open_swap(node, content);
	node->open = fresh;
	node->refs++;
	fresh->pushed = node->st.st_size; /* what was there before is not for us to push */
	fresh->content = content;
	return NULL;
}

/*
 * Two may open a node at the same time: the second one's content is not
 * needed. And it may have been replaced since it was opened.
 */
static int handle_first(struct dfs_mount *mount, struct dfs_node *node, bool writable,
			struct dfs_content *content, struct dfs_open **ret_open)
{
	struct dfs_open *fresh = calloc(1, sizeof(*fresh)), *open;
	struct dfs_content *spare = content;
	bool replaced = false;

	if (!fresh) {
		dfs_content_put(mount, content);
		return -ENOMEM;
	}
	fresh->node = node;
	pthread_mutex_lock(&mount->nodes.lock);
	open = more(node, writable);
	if (!open)
		replaced = content->ino != node->st.st_ino || content->dev != node->st.st_dev;
	if (!open && !replaced) {
		spare = install(node, fresh, content);
		open = more(node, writable);
	}
	pthread_mutex_unlock(&mount->nodes.lock);
	if (open != fresh)
		free(fresh);
	dfs_content_put(mount, spare);
	*ret_open = open;
	return replaced ? -EAGAIN : 0;
}

/*
 * The last writer left, readers stay: they get a descriptor that does not keep
 * others from having the file for themselves. A container that nobody wrote
 * to gives its room back.
 */
static void readers_only(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_content *content = dfs_content_get(mount, open), *fresh = NULL;
	int fd = dfs_content_reopen(content, O_RDONLY | O_NOATIME);
	struct dfs_err err;

	if (fd >= 0)
		dfs_content_new(mount, open->node, fd, false, dfs_content_is_plain(content), &fresh, &err);
	pthread_mutex_lock(&mount->nodes.lock);
	if (fresh && !open->node->writing && open->content == content) {
		open->content = fresh;
		fresh = content;	/* the open form's reference */
	}
	pthread_mutex_unlock(&mount->nodes.lock);
	dfs_content_put(mount, fresh);
	dfs_content_put(mount, content);
}

/* Return: whether it was the last that may write. */
static bool writer_end(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_content *content = dfs_content_get(mount, open);
	struct dfs_look look;
	bool last;

	if (mount->writeback)
		dfs_node_mtime_pay(&mount->nodes, open->node, dfs_view_fd(content->view));
	last = dfs_node_written(&mount->nodes, open->node, dfs_look_take(&mount->nodes, dfs_view_fd(content->view), &look));
	dfs_content_put(mount, content);
	if (last)
		dfs_copied_end(mount, open);
	if (last)
		dfs_notice_written(mount, open);
	return last;
}

void dfs_open_end(struct dfs_mount *mount, struct dfs_open *open, bool writable)
{
	struct dfs_nodes *nodes = &mount->nodes;
	bool last, was_written = writable && writer_end(mount, open);

	pthread_mutex_lock(&nodes->lock);
	/* Who came up to here reads what was open for writing. */
	if (was_written && open->handles > 1) {
		pthread_mutex_unlock(&nodes->lock);
		readers_only(mount, open);
		pthread_mutex_lock(&nodes->lock);
	}
	last = --open->handles == 0;
	if (last)
		open->node->open = NULL;
	pthread_mutex_unlock(&nodes->lock);
	if (!last)
		return;
	dfs_copied_put(mount, open->copied);
	dfs_content_put(mount, open->content);
	dfs_node_put(nodes, open->node);
	free(open);
}

/* --- opening */

/*
 * What is open already may have been changed in place since, behind the mount.
 * -ESTALE has the kernel look the name up anew, and find the new file.
 */
static int check_unchanged(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_content *content = dfs_content_get(mount, open);
	struct dfs_look look;
	bool same = dfs_look_take(&mount->nodes, dfs_view_fd(content->view), &look) &&
		    dfs_node_same(&mount->nodes, open->node, &look);

	dfs_content_put(mount, content);
	return same ? 0 : -ESTALE;
}

/*
 * What is open already is the file, also once it has no name.
 * @ret_plain: of this very file: the node may stand for another before and after
 */
static int file_open(struct dfs_mount *mount, struct dfs_node *node, int flags, int *ret_fd, bool *ret_plain)
{
	struct dfs_open *open = dfs_open_find(mount, node);
	struct dfs_node_look look = { .shown_size = DFS_SIZE_UNKNOWN };
	struct dfs_content *content;
	int ret;

	if (!open) {
		ret = dfs_node_open(&mount->nodes, mount->store, node, flags, ret_fd, &look);
		*ret_plain = look.shown_size == DFS_SIZE_STORED;
		return ret;
	}
	content = dfs_content_get(mount, open);
	*ret_fd = dfs_content_reopen(content, flags);
	*ret_plain = dfs_content_is_plain(content);
	ret = *ret_fd < 0 ? *ret_fd : 0;
	dfs_content_put(mount, content);
	dfs_open_end(mount, open, false);
	return ret;
}

static int content_open(struct dfs_mount *mount, struct dfs_node *node, bool writable,
			struct dfs_content **ret_content, struct dfs_err *err)
{
	DFS_AUTO(content) struct dfs_content *content = NULL;
	struct dfs_look look = { .moment = dfs_nodes_moment(&mount->nodes) };
	char path[PATH_MAX];
	/* A container is replaced, never written to; one that is open for writing would keep deltafs from that. */
	bool in_place = writable && !dfs_node_is_container(&mount->nodes, node);
	bool plain;
	int fd, ret = file_open(mount, node, (in_place ? O_RDWR : O_RDONLY) | O_NOATIME, &fd, &plain);

	if (ret == -EIO && dfs_node_path(&mount->nodes, node, path) == 0)
		return dfs_fail(err, EIO, "%s: %s", path, strerror(EIO));
	if (ret == 0)
		ret = dfs_content_new(mount, node, fd, writable, plain, &content, err);
	if (ret < 0)
		return ret;
	/* The kernel was told the size of what is stored, and would read no further. */
	if (!dfs_content_is_plain(content) && dfs_node_shown_size(&mount->nodes, node) == DFS_SIZE_UNKNOWN)
		return -ESTALE;
	/* Changed while it was looked at: what was found need not be what the node stands for. */
	if (fstat(dfs_view_fd(content->view), &look.st) < 0)
		return -errno;
	if (!dfs_node_unchanged(&mount->nodes, node, &look))
		return dfs_node_busy(&mount->nodes, node, look.moment) ? -EAGAIN : -ESTALE;
	if (dfs_content_is_plain(content))
		dfs_node_found_plain(&mount->nodes, node);
	*ret_content = dfs_steal(&content);
	return 0;
}

static int open_once(struct dfs_mount *mount, struct dfs_node *node, bool writable,
		     struct dfs_open **ret_open, struct dfs_err *err)
{
	struct dfs_content *content;
	int ret;

	*ret_open = handle_more(&mount->nodes, node, writable);
	if (!*ret_open) {
		ret = content_open(mount, node, writable, &content, err);
		return ret < 0 ? ret : handle_first(mount, node, writable, content, ret_open);
	}
	ret = check_unchanged(mount, *ret_open);
	if (ret < 0)
		dfs_open_end(mount, *ret_open, false);
	return ret;
}

/* Return: -EAGAIN: it is to be opened. */
static int may_write(struct dfs_mount *mount, struct dfs_node *node, struct dfs_err *err)
{
	int ret = dfs_original_may_change(mount, node);

	if (ret == -EPERM)
		return dfs_fail(err, EPERM, "its name leads to another file now, and this one is kept as it was");
	return ret < 0 ? ret : -EAGAIN;
}

int dfs_open_node(struct dfs_mount *mount, struct dfs_node *node, bool writable,
		  struct dfs_open **ret_open, struct dfs_err *err)
{
	int ret = -EAGAIN;

	/* From before it is opened: else deltafs could put another file in its place in between. */
	if (writable) {
		dfs_node_writing(&mount->nodes, node);
		ret = may_write(mount, node, err);
	}
	for (int i = 0; ret == -EAGAIN && i < TRIES; i++)
		ret = open_once(mount, node, writable, ret_open, err);
	if (ret < 0 && writable)
		dfs_node_not_written(&mount->nodes, node);
	return ret == -EAGAIN ? -ESTALE : ret;
}

int dfs_open_made(struct dfs_mount *mount, struct dfs_node *node, int fd, bool writable,
		  struct dfs_open **ret_open, struct dfs_err *err)
{
	struct dfs_content *content;
	int ret;

	if (writable)
		dfs_node_writing(&mount->nodes, node);
	fcntl(fd, F_SETFL, O_NOATIME); /* as dfs_open_node() opens it */
	ret = dfs_content_new(mount, node, fd, true, true, &content, err);
	if (ret == 0)
		ret = handle_first(mount, node, writable, content, ret_open);
	if (ret < 0 && writable)
		dfs_node_not_written(&mount->nodes, node);
	return ret == -EAGAIN ? -ESTALE : ret;
}

/* --- the end */

static void open_end(struct dfs_node *node)
{
	if (!node->open)
		return;
	dfs_content_free(node->open->content);
	free(node->open);
	node->open = NULL;
}

/* First: what it was copied from may be open itself. */
static void copied_end(struct dfs_node *node)
{
	struct dfs_copied *copied = node->open ? node->open->copied : NULL;

	if (!copied)
		return;
	if (--copied->from->refs == 0)
		dfs_content_free(copied->from);
	free(dfs_steal(&node->open->copied));
}

void dfs_opens_end(struct dfs_mount *mount)
{
	dfs_nodes_each(&mount->nodes, copied_end);
	dfs_nodes_each(&mount->nodes, open_end);
}
