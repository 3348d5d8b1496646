/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node_open: from a node back to its file in the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "fuse/node.h"
#include "fuse/node_table.h"
#include "util/auto.h"
#include "util/fdpath.h"

/*
 * How often a path is walked anew because something was renamed meanwhile.
 * Each time another rename got in between: more, and a directory that is
 * renamed without pause holds up whoever looks into it.
 */
#define TRIES 64

static int path_upwards(struct dfs_node *node, char path[PATH_MAX])
{
	size_t at = PATH_MAX - 1;

	/* Directories moved about behind the mount can make parents form a ring; the length ends that walk. */
	path[at] = '\0';
	for (; node->parent; node = node->parent) {
		size_t len = strlen(node->name);

		if (len + 1 > at)
			return -ESTALE;
		if (path[at])
			path[--at] = '/';
		at -= len;
		memcpy(path + at, node->name, len);
	}
	memmove(path, path + at, PATH_MAX - at);
	return 0;
}

int dfs_node_path(struct dfs_nodes *nodes, struct dfs_node *node, char path[PATH_MAX])
{
	int ret;

	pthread_mutex_lock(&nodes->lock);
	ret = path_upwards(node, path);
	dfs_nodes_unlock(nodes);
	return ret;
}

/* A path that leads nowhere is a name that changed: the kernel should look it up anew. */
static int stale_if_moved(int ret)
{
	switch (ret) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -EXDEV:
	case -ENXIO:
		return -ESTALE;
	default:
		return ret;
	}
}

/* Was something renamed since @moment that may have led the walk astray? Waits for what is under way. Under the lock. */
static bool was_moved(struct dfs_nodes *nodes, const struct dfs_node *node, uint64_t moment)
{
	if (nodes->moved > moment || node->changed > moment)
		return true;
	if (!nodes->moving && !node->replacing)
		return false;
	pthread_cond_wait(&nodes->settled, &nodes->lock);
	return true;
}

/* Of a file without a name. Return: -ESTALE: it has one. */
static int open_gone(struct dfs_nodes *nodes, struct dfs_node *node, int flags, int *ret_fd, struct dfs_node_look *ret_look)
{
	struct dfs_node_look look;
	char self[DFS_FD_PATH_SIZE];
	int last, fd;

	pthread_mutex_lock(&nodes->lock);
	last = node->gone ? node->last_fd : -1;
	look.shown_size = node->shown_size;
	dfs_nodes_unlock(nodes);
	if (last < 0)
		return -ESTALE;
	dfs_fd_path(last, self);
	fd = flags & O_PATH ? fcntl(last, F_DUPFD_CLOEXEC, 0) :
			      openat(AT_FDCWD, self, (flags & ~O_NOATIME) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &look.st) < 0) {
		close(fd);
		return -errno;
	}
	*ret_fd = fd;
	if (ret_look)
		*ret_look = look;
	return 0;
}

static int walk(struct dfs_nodes *nodes, const struct dfs_store *store, struct dfs_node *node, int flags,
		int *ret_fd, struct dfs_look *ret_look)
{
	DFS_AUTO(fd) int fd = -1;
	char path[PATH_MAX];
	int ret;

	pthread_mutex_lock(&nodes->lock);
	ret_look->moment = nodes->moment;
	ret = node->gone ? -ESTALE : path_upwards(node, path);
	dfs_nodes_unlock(nodes);
	if (ret == 0)
		ret = stale_if_moved(dfs_store_openat(store, path, flags, &fd));
	if (ret < 0)
		return ret;
	if (fstat(fd, &ret_look->st) < 0)
		return -errno;
	*ret_fd = dfs_steal_fd(&fd);
	return 0;
}

/* Return: 0; -ESTALE; -EAGAIN: something was renamed meanwhile. */
static int check(struct dfs_nodes *nodes, struct dfs_node *node, int ret, const struct dfs_look *look,
		 struct dfs_node_look *ret_look)
{
	pthread_mutex_lock(&nodes->lock);
	if (ret == 0 && !dfs_node_is(node, look))
		ret = -ESTALE;
	if (ret == -ESTALE && !node->gone && (was_moved(nodes, node, look->moment) || dfs_table_next_name(nodes, node)))
		ret = -EAGAIN;
	if (ret == 0 && ret_look)
		*ret_look = (struct dfs_node_look){ look->st, node->shown_size };
	dfs_nodes_unlock(nodes);
	return ret;
}

int dfs_node_open(struct dfs_nodes *nodes, const struct dfs_store *store, struct dfs_node *node,
		  int flags, int *ret_fd, struct dfs_node_look *ret_look)
{
	for (int i = 0; i < TRIES; i++) {
		DFS_AUTO(fd) int fd = -1;
		struct dfs_look look = { 0 };
		int ret = walk(nodes, store, node, flags, &fd, &look);

		if (ret == 0 || ret == -ESTALE)
			ret = check(nodes, node, ret, &look, ret_look);
		if (ret == 0)
			*ret_fd = dfs_steal_fd(&fd);
		if (ret == -ESTALE)
			return open_gone(nodes, node, flags, ret_fd, ret_look);
		if (ret != -EAGAIN)
			return ret;
	}
	return -ESTALE;
}
