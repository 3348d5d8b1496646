/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/original.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "store/pin_links.h"
#include "util/auto.h"
#include "write/keeper.h"
#include "write/revert.h"

int dfs_original_may_change(struct dfs_mount *mount, struct dfs_node *node)
{
	struct stat st;
	bool gone;

	if (dfs_node_was_left(&mount->nodes, node))
		return -ESTALE;
	pthread_mutex_lock(&mount->nodes.lock);
	st = node->st;
	gone = node->gone;
	pthread_mutex_unlock(&mount->nodes.lock);
	return gone && dfs_keeper_links(mount->keeper, &st) ? -EPERM : 0;
}

static int open_file(struct dfs_mount *mount, struct dfs_node *node, char path[PATH_MAX], int *ret_fd, struct dfs_err *err)
{
	int ret = dfs_node_is_gone(&mount->nodes, node) ? -ESTALE : dfs_node_path(&mount->nodes, node, path);

	if (ret == 0)
		ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY | O_NOATIME, ret_fd, NULL);
	if (ret == 0)
		return 0;
	*ret_fd = -1;
	return dfs_fail(err, -ret, "%s", ret == -ESTALE ? "was removed or replaced meanwhile" : strerror(-ret));
}

/* A mount that only reads asks the disk. Return: 1; 0; -errno. */
static int until(struct dfs_mount *mount, struct dfs_node *node, int fd, int64_t *ret_until_s)
{
	DFS_AUTO(kept) struct dfs_kept kept = { 0 };
	struct dfs_keeper_view view;
	char path[PATH_MAX];
	int ret;

	if (mount->keeper) {
		ret = dfs_keeper_ask(mount->keeper, fd, &view);
		*ret_until_s = ret ? view.until_s : 0;
		return ret;
	}
	ret = dfs_node_path(&mount->nodes, node, path);
	if (ret == 0)
		ret = dfs_kept_find(mount->store, fd, path, &kept);
	*ret_until_s = kept.until_s;
	return ret;
}

int dfs_original_tell(struct dfs_mount *mount, struct dfs_node *node, char **ret_text)
{
	char text[DFS_KEPT_UNTIL_LEN];
	DFS_AUTO(fd) int fd = -1;
	int64_t until_s;
	int ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY | O_NOATIME, &fd, NULL);

	if (ret == 0)
		ret = until(mount, node, fd, &until_s);
	if (ret <= 0)
		return ret == 0 || ret == -EACCES ? -ENODATA : ret;
	*ret_text = strdup(dfs_kept_until_text(until_s, text));
	return *ret_text ? 0 : -ENOMEM;
}

int dfs_original_accept(struct dfs_mount *mount, struct dfs_node *node, uint64_t *ret_bytes, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_keeper_view view;
	char path[PATH_MAX];
	int ret = open_file(mount, node, path, &fd, err);

	if (ret == 0)
		ret = dfs_keeper_accept(mount->keeper, fd, &view, err);
	if (ret < 0)
		return ret;
	*ret_bytes = view.bytes;
	dfs_log_line(mount->log, DFS_LOG_INFO, "%s: accepted: its original, %llu bytes, goes", path, (unsigned long long)view.bytes);
	return 0;
}

/* A node does not know by which of them it was asked for, and the others would lead to what gave up bits. A pin's is none. */
static bool has_several_names(struct dfs_mount *mount, const struct stat *st)
{
	return st->st_nlink > 1 && (st->st_nlink > 2 || !dfs_pin_links_has(mount->pin_links, st));
}

/* Who has the file open keeps what he has. */
static int revert(struct dfs_mount *mount, struct dfs_node *node, const char *path, int fd, bool written,
		  struct dfs_keeper_view *view, struct dfs_err *err)
{
	struct dfs_replacement r = {
		.mount = mount, .node = node, .still = true, .anew = true, .shown_size = DFS_SIZE_STORED,
		.old_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};
	const struct dfs_revert revert = {
		.store = mount->store, .keeper = mount->keeper, .rel = path, .fd = fd, .written = written,
		.enter = dfs_replace_enter, .leave = dfs_replace_leave, .arg = &r,
	};
	int ret = 0;

	if (r.old_fd < 0 || fstat(fd, &r.before) < 0)
		ret = dfs_fail_errno(err, "%s", path);
	else if (has_several_names(mount, &r.before))
		ret = dfs_fail(err, EMLINK, "it has several names (hard links), and the original would get one of them; remove the others first");
	if (ret == 0)
		ret = dfs_revert(&revert, view, err);
	if (r.old_fd >= 0)
		close(r.old_fd);
	return ret;
}

int dfs_original_revert(struct dfs_mount *mount, struct dfs_node *node, bool written, uint64_t *ret_bytes,
			struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_keeper_view view;
	char path[PATH_MAX];
	int ret = open_file(mount, node, path, &fd, err);

	if (ret == 0)
		ret = revert(mount, node, path, fd, written, &view, err);
	if (ret < 0)
		return ret;
	*ret_bytes = view.bytes;
	dfs_log_line(mount->log, DFS_LOG_INFO, "%s: reverted to its original, %llu bytes", path, (unsigned long long)view.bytes);
	if (mount->queue)
		dfs_queue_written(mount->queue, path);
	return 0;
}
