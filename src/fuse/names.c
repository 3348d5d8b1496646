/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: what happens to the names of files that are there: unlink, rmdir,
 * rename, link. Each is the store's file system's own operation.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "fuse/later.h"
#include "fuse/original.h"
#include "store/pin_links.h"
#include "util/auto.h"
#include "util/fdpath.h"

/* --- a file that a name leads to, and is about to lose */

struct named {
	struct dfs_node *node;	/* referenced; NULL: the kernel does not hold it */
	struct stat st;		/* before; st_ino 0: nothing was there */
	bool others;		/* the file has other names */
	int fd;			/* O_PATH; -1 */
};

/* @ret_named: named_after() ends it */
static int named_before(struct dfs_mount *mount, int dir, const char *name, struct named *ret_named)
{
	struct dfs_look look = { .moment = dfs_nodes_moment(&mount->nodes) };

	*ret_named = (struct named){ .fd = -1 };
	if (fstatat(dir, name, &look.st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	ret_named->st = look.st;
	ret_named->others = !S_ISDIR(look.st.st_mode) && look.st.st_nlink > 1 + dfs_keeper_links(mount->keeper, &look.st);
	ret_named->node = dfs_node_find(&mount->nodes, &look);
	if (!ret_named->node)
		return 0;
	ret_named->fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	dfs_node_change(&mount->nodes, ret_named->node);
	return 0;
}

/* Is it without a name of its own now? A pin's is not one. @st: NULL if not known. */
static bool is_nameless(struct dfs_mount *mount, const struct named *named, const struct stat *st)
{
	if (!named->others || !st)
		return !named->others;
	return st->st_nlink == 0 || (st->st_nlink == 1 && dfs_pin_links_only(mount->pin_links, st));
}

/* The file whose only name it was; NULL: none. */
static const struct stat *only_of(const struct named *named)
{
	return named->st.st_ino && !named->others && S_ISREG(named->st.st_mode) ? &named->st : NULL;
}

/* @lost: the name, @name in @parent, was taken away */
static void named_after(struct dfs_mount *mount, struct named *named, bool lost, struct dfs_node *parent, const char *name)
{
	const struct dfs_look *known = NULL;
	struct dfs_look look;

	if (!named->node)
		return;
	if (named->fd >= 0)
		known = dfs_look_take(&mount->nodes, named->fd, &look);
	if (lost && is_nameless(mount, named, known ? &look.st : NULL)) {
		dfs_node_gone(&mount->nodes, named->node, named->fd);
		named->fd = -1;
	} else if (lost) {
		dfs_node_lost(&mount->nodes, named->node, parent, name);
	}
	dfs_node_changed(&mount->nodes, named->node, known);
	if (named->fd >= 0)
		close(named->fd);
	dfs_node_put(&mount->nodes, named->node);
}

/* --- unlink, rmdir */

static int remove_name(struct dfs_mount *mount, struct dfs_node *parent, const char *name, int flags)
{
	struct named named;
	int dir, ret = dfs_parent_open(mount, parent, name, &dir);

	if (ret < 0)
		return ret;
	ret = named_before(mount, dir, name, &named);
	if (ret == 0) {
		ret = unlinkat(dir, name, flags) < 0 ? -errno : 0;
		named_after(mount, &named, ret == 0, parent, name);
	}
	dfs_parent_close(mount, parent, dir);
	if (ret == 0)
		dfs_notice_removed(mount, parent, name, only_of(&named));
	return ret;
}

static void op_remove(fuse_req_t req, fuse_ino_t number, const char *name, int flags)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *parent = dfs_node_get(&mount->nodes, number);
	int ret = parent ? remove_name(mount, parent, name, flags) : -ESTALE;

	dfs_node_put(&mount->nodes, parent);
	dfs_reply_result(req, ret);
}

void dfs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	op_remove(req, parent, name, 0);
}

void dfs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	op_remove(req, parent, name, AT_REMOVEDIR);
}

/* --- rename */

struct place {
	struct dfs_node *parent;	/* referenced */
	const char *name;
	int dir;
	struct named named;		/* what lies there before */
};

static int place_open(struct dfs_mount *mount, struct place *place)
{
	return place->parent ? dfs_parent_open(mount, place->parent, place->name, &place->dir) : -ESTALE;
}

static void place_release(struct dfs_mount *mount, struct place *place)
{
	if (place->dir >= 0)
		dfs_parent_close(mount, place->parent, place->dir);
	dfs_node_put(&mount->nodes, place->parent);
}

/* Two names of one file: rename(2) does nothing. */
static bool is_same(const struct place *from, const struct place *to)
{
	return from->named.node && from->named.node == to->named.node;
}

/* The kernel's dentries follow the files, and so do the nodes. */
static int rename_places(struct dfs_mount *mount, struct place *from, struct place *to, unsigned flags)
{
	struct dfs_node *moved = NULL, *back = NULL;
	int ret = 0;

	dfs_nodes_move(&mount->nodes);
	dfs_nodes_move(&mount->nodes);
	if (renameat2(from->dir, from->name, to->dir, to->name, flags) < 0)
		ret = -errno;
	else if (!is_same(from, to))
		moved = from->named.node;
	if (moved && flags & RENAME_EXCHANGE)
		back = to->named.node;
	dfs_nodes_moved(&mount->nodes, moved, from->parent, from->name, to->parent, to->name);
	dfs_nodes_moved(&mount->nodes, back, to->parent, to->name, from->parent, from->name);
	return ret;
}

static int rename_in(struct dfs_mount *mount, struct place *from, struct place *to, unsigned flags)
{
	bool replaced;
	int ret = place_open(mount, from);

	if (ret == 0)
		ret = place_open(mount, to);
	if (ret == 0)
		ret = named_before(mount, from->dir, from->name, &from->named);
	if (ret < 0)
		return ret;
	ret = named_before(mount, to->dir, to->name, &to->named);
	dfs_notice_move_begin(mount);
	if (ret == 0 || (ret == -ENOENT && !(flags & RENAME_EXCHANGE)))
		ret = rename_places(mount, from, to, flags);
	replaced = ret == 0 && !(flags & RENAME_EXCHANGE) && !is_same(from, to);
	named_after(mount, &from->named, false, from->parent, from->name);
	named_after(mount, &to->named, replaced, to->parent, to->name);
	if (ret == 0)
		dfs_notice_moved(mount, from->parent, from->name, to->parent, to->name, flags & RENAME_EXCHANGE);
	dfs_notice_move_end(mount);
	if (replaced)
		dfs_notice_replaced(mount, only_of(&to->named));
	return ret;
}

void dfs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		   fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct place from = { dfs_node_get(&mount->nodes, parent), name, -1, { .fd = -1 } };
	struct place to = { dfs_node_get(&mount->nodes, new_parent), new_name, -1, { .fd = -1 } };
	int ret;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		ret = -EINVAL;
	else
		ret = rename_in(mount, &from, &to, flags);
	place_release(mount, &from);
	place_release(mount, &to);
	dfs_reply_result(req, ret);
}

/* --- link */

/* By the descriptor, whatever happened to the name by which the node is known. */
static int link_fd(struct dfs_mount *mount, struct dfs_node *node, int dir, const char *name)
{
	DFS_AUTO(fd) int fd = -1;
	char self[DFS_FD_PATH_SIZE];
	int ret = dfs_node_open(&mount->nodes, mount->store, node, O_PATH, &fd, NULL);

	if (ret < 0)
		return ret;
	return linkat(AT_FDCWD, dfs_fd_path(fd, self), dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* @ret_node: referenced. Return: as link(2); -EAGAIN: it is a container, or may be. */
static int link_in(struct dfs_mount *mount, struct dfs_node *node, struct dfs_node *parent, const char *name,
		   struct dfs_node **ret_node, struct stat *ret_st)
{
	int dir, ret = dfs_parent_open(mount, parent, name, &dir);

	if (ret < 0)
		return ret;
	dfs_node_change(&mount->nodes, node);
	ret = dfs_original_may_change(mount, node);
	/* From here on it does not become one. */
	if (ret == 0)
		ret = dfs_node_is_plain(&mount->nodes, node) ? link_fd(mount, node, dir, name) : -EAGAIN;
	if (ret == 0)
		ret = dfs_attr_lookup(mount, parent, dir, name, ret_node, ret_st);
	dfs_node_changed(&mount->nodes, node, NULL);
	dfs_parent_close(mount, parent, dir);
	return ret;
}

static int link_node(struct dfs_mount *mount, struct dfs_node *node, fuse_ino_t number, const char *name,
		     struct dfs_node **ret_node, struct stat *ret_st)
{
	struct dfs_node *parent = dfs_node_get(&mount->nodes, number);
	int ret = parent ? link_in(mount, node, parent, name, ret_node, ret_st) : -ESTALE;

	dfs_node_put(&mount->nodes, parent);
	return ret;
}

/* @made: its reference is put */
static void reply_link(fuse_req_t req, int ret, struct dfs_node *made, const struct stat *st, const struct dfs_err *err)
{
	struct dfs_nodes *nodes = &dfs_mount_of(req)->nodes;
	struct fuse_entry_param entry = { .attr_timeout = DFS_BELIEVE_S, .entry_timeout = DFS_BELIEVE_S };

	if (ret == 0) {
		entry.ino = made->number;
		entry.attr = *st;
		dfs_node_looked_up(nodes, made);
		if (fuse_reply_entry(req, &entry) < 0)
			dfs_node_forget(nodes, entry.ino, 1);
		dfs_node_put(nodes, made);
	} else if (*err->text) {
		dfs_reply_failure(req, ret, err);
	} else {
		dfs_reply_error(req, ret);
	}
}

/* A container has one name: before it gets another it becomes plain, and stays so while it is open for writing. */
static int make_plain(const struct dfs_later *later, struct dfs_err *err)
{
	struct dfs_content *content = NULL;
	int ret = dfs_open_settle(later->mount, later->open, true, &content, err);

	dfs_content_put(later->mount, content);
	return ret;
}

/* How often it is made plain anew to which a container was copied meanwhile. */
#define LINK_TRIES 8

static void link_run(struct dfs_later *later)
{
	struct dfs_node *made = NULL;
	struct dfs_err err = { "" };
	struct stat st;
	int ret = -EAGAIN;

	for (int i = 0; ret == -EAGAIN && i < LINK_TRIES; i++) {
		ret = make_plain(later, &err);
		if (ret == 0)
			ret = link_node(later->mount, later->node, (fuse_ino_t)later->off, later->data, &made, &st);
	}
	dfs_later_close(later);
	reply_link(later->req, ret, made, &st, &err);
}

static void link_later(fuse_req_t req, struct dfs_node *node, fuse_ino_t new_parent, const char *new_name)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	char *name = strdup(new_name);

	if (name) {
		dfs_later(&(struct dfs_later){ .mount = mount, .req = req, .run = link_run, .node = node,
					       .opens = true, .waits = DFS_WAITS_PLAIN, .off = (off_t)new_parent, .data = name });
		return;
	}
	dfs_reply_error(req, -ENOMEM);
	dfs_node_put(&mount->nodes, node);
}

void dfs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node = dfs_node_get(&mount->nodes, ino), *made = NULL;
	const struct dfs_err none = { "" };
	struct stat st;
	int ret = node ? link_node(mount, node, new_parent, new_name, &made, &st) : -ESTALE;

	if (ret == -EAGAIN) {
		link_later(req, node, new_parent, new_name);
		return;
	}
	reply_link(req, ret, made, &st, &none);
	dfs_node_put(&mount->nodes, node);
}
