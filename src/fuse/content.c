/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * content: a file of the store that is open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "store/pin_links.h"
#include "util/auto.h"
#include "util/fdpath.h"

void dfs_content_free(struct dfs_content *content)
{
	if (!content)
		return;
	dfs_thaw_free(content->thaw);
	dfs_view_close(content->view);
	free(content);
}

/* A container that is to be written to: room for what it holds, which is given back if nobody writes. */
static int reserve(struct dfs_mount *mount, struct dfs_content *content, const char *path, struct dfs_err *err)
{
	const struct dfs_thaw_config config = {
		.store = mount->store, .pool = mount->thaws, .view = content->view, .name = path,
	};

	return dfs_thaw_new(&config, &content->thaw, err);
}

/* What kind of file it is, with a view of it. Takes @fd. */
static int look_at(struct dfs_mount *mount, struct dfs_content *content, int fd, bool plain, const char *path, struct dfs_err *err)
{
	struct stat st;
	int ret = fstat(fd, &st) < 0 ? dfs_fail_errno(err, "%s", path) : 0;

	if (ret == 0)
		ret = (plain ? dfs_view_open_plain : dfs_view_open)(mount->reader, fd, path, &content->view, err);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	content->dev = st.st_dev;
	content->ino = st.st_ino;
	/* Looking at it was not reading it; what follows is, unless the kernel fills pages that somebody writes to. */
	if (!content->writable)
		fcntl(fd, F_SETFL, 0);
	if (!dfs_content_is_plain(content))
		return content->writable ? reserve(mount, content, path, err) : 0;
	atomic_store(&content->pinned, content->writable && dfs_pin_links_has(mount->pin_links, &st));
	return 0;
}

int dfs_content_new(struct dfs_mount *mount, struct dfs_node *node, int fd, bool writable, bool plain,
		    struct dfs_content **ret_content, struct dfs_err *err)
{
	DFS_AUTO(content) struct dfs_content *content = calloc(1, sizeof(*content));
	char path[PATH_MAX];
	int ret = dfs_node_path(&mount->nodes, node, path);

	if (ret == 0 && !content)
		ret = dfs_fail(err, ENOMEM, "%s: out of memory", path);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	content->writable = writable;
	content->refs = 1;
	ret = look_at(mount, content, fd, plain, path, err);
	if (ret == 0)
		*ret_content = dfs_steal(&content);
	return ret;
}

struct dfs_content *dfs_content_get(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_content *content;

	pthread_mutex_lock(&mount->nodes.lock);
	content = open->content;
	content->refs++;
	pthread_mutex_unlock(&mount->nodes.lock);
	return content;
}

void dfs_content_put(struct dfs_mount *mount, struct dfs_content *content)
{
	bool last;

	if (!content)
		return;
	pthread_mutex_lock(&mount->nodes.lock);
	last = --content->refs == 0;
	pthread_mutex_unlock(&mount->nodes.lock);
	if (last)
		dfs_content_free(content);
}

int dfs_content_fd(const struct dfs_content *content)
{
	return content->thaw ? dfs_thaw_fd(content->thaw) : dfs_view_fd(content->view);
}

int dfs_content_reopen(const struct dfs_content *content, int flags)
{
	char self[DFS_FD_PATH_SIZE];
	int fd;

	dfs_fd_path(dfs_view_fd(content->view), self);
	/* A regular file: it waits for nothing but a lease that another program has. */
	fd = openat(AT_FDCWD, self, flags | O_CLOEXEC);
	if (fd < 0 && errno == EPERM && flags & O_NOATIME)
		fd = openat(AT_FDCWD, self, (flags & ~O_NOATIME) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
