/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setattr: modes, owners, times, sizes. Who may is the kernel's to say
 * (default_permissions). None of it but a size decodes anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "fuse/original.h"
#include "fuse/later.h"
#include "util/auto.h"
#include "util/fdpath.h"
#include "write/ledger.h"

#define TIMES (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW)

/* By the descriptor: one of O_PATH is not enough for fchmod(2). */
static int set_mode(int fd, mode_t mode)
{
	char self[DFS_FD_PATH_SIZE];

	return chmod(dfs_fd_path(fd, self), mode & 07777) < 0 ? -errno : 0;
}

static int set_owner(int fd, const struct stat *attr, int set)
{
	uid_t uid = set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1;
	gid_t gid = set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1;

	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static struct timespec time_of(struct timespec value, bool given, bool now)
{
	if (now)
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	return given ? value : (struct timespec){ .tv_nsec = UTIME_OMIT };
}

static int set_times(int fd, const struct stat *attr, int set)
{
	const struct timespec times[2] = {
		time_of(attr->st_atim, set & FUSE_SET_ATTR_ATIME, set & FUSE_SET_ATTR_ATIME_NOW),
		time_of(attr->st_mtim, set & FUSE_SET_ATTR_MTIME, set & FUSE_SET_ATTR_MTIME_NOW),
	};

	return utimensat(fd, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* An owner first: the kernel has worked out the mode for after that. */
static int set_all(int fd, const struct stat *attr, int set)
{
	int ret = 0;

	if (set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		ret = set_owner(fd, attr, set);
	if (ret == 0 && set & FUSE_SET_ATTR_MODE)
		ret = set_mode(fd, attr->st_mode);
	if (ret == 0 && set & TIMES)
		ret = set_times(fd, attr, set);
	return ret;
}

int dfs_hold_begin(struct dfs_mount *mount, struct dfs_node *node, struct dfs_hold *ret_hold)
{
	int ret;

	/* From before the file is held: else another could be put in its place, and keep its old attributes. */
	dfs_node_change(&mount->nodes, node);
	ret = dfs_original_may_change(mount, node);
	if (ret < 0) {
		dfs_node_unchanged_by(&mount->nodes, node);
		return ret;
	}
	*ret_hold = (struct dfs_hold){ .open = dfs_open_find(mount, node), .fd = -1 };
	if (ret_hold->open) {
		ret_hold->content = dfs_content_get(mount, ret_hold->open);
		ret_hold->fd = dfs_view_fd(ret_hold->content->view);
	} else {
		ret = dfs_node_open(&mount->nodes, mount->store, node, O_PATH, &ret_hold->fd, NULL);
	}
	if (ret < 0)
		dfs_node_unchanged_by(&mount->nodes, node);
	return ret;
}

void dfs_hold_end(struct dfs_mount *mount, struct dfs_node *node, struct dfs_hold *hold, const struct dfs_look *look)
{
	dfs_node_changed(&mount->nodes, node, look);
	if (hold->open) {
		dfs_content_put(mount, hold->content);
		dfs_open_end(mount, hold->open, false);
	} else if (hold->fd >= 0) {
		close(hold->fd);
	}
}

int dfs_attr_set(struct dfs_mount *mount, struct dfs_node *node, const struct stat *attr, int set)
{
	const struct dfs_look *known;
	struct dfs_look look;
	struct dfs_hold hold;
	struct stat before;
	bool timed;
	int ret = dfs_hold_begin(mount, node, &hold);

	if (ret < 0)
		return ret;
	if (set & FUSE_SET_ATTR_MTIME)
		dfs_node_mtime_told(&mount->nodes, node, attr->st_mtim);
	timed = set & TIMES && fstat(hold.fd, &before) == 0;
	ret = set_all(hold.fd, attr, set);
	known = dfs_look_take(&mount->nodes, hold.fd, &look);
	if (timed && known)
		dfs_ledger_touched(mount->ledger, &before, &look.st);
	if (known && set & FUSE_SET_ATTR_MTIME_NOW)
		dfs_node_mtime_told(&mount->nodes, node, look.st.st_mtim);
	dfs_hold_end(mount, node, &hold, known);
	return ret;
}

static int change_size(struct dfs_later *later, struct dfs_err *err)
{
	if (later->open)
		return dfs_open_resize(later->mount, later->open, later->attr.st_size, err);
	return dfs_open_truncate(later->mount, later->node, err);
}

/* With writeback the kernel hands over times when the last who knows a file lets go of it, which may be after its last name went. */
static bool is_farewell(struct dfs_mount *mount, struct dfs_node *node, int set)
{
	return dfs_node_is_gone(&mount->nodes, node) && !(set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID));
}

/* What the kernel keeps itself between two of these (ctime) needs no telling the store. */
static int change_others(struct dfs_mount *mount, struct dfs_node *node, const struct stat *attr, int set)
{
	const int others = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID | TIMES;

	int ret = set & others ? dfs_attr_set(mount, node, attr, set) : 0;

	/* An original is not changed any more; who asks for that names the time of the last access too. So does who means another file. */
	if ((ret == -EPERM || ret == -ESTALE) && set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW))
		return ret;
	return (ret == -ESTALE || ret == -EPERM) && is_farewell(mount, node, set) ? 0 : ret;
}

static void reply(fuse_req_t req, struct dfs_node *node, int ret, const struct dfs_err *err)
{
	struct stat st;

	if (ret == 0)
		ret = dfs_attr_get(dfs_mount_of(req), node, &st);
	if (ret == 0)
		fuse_reply_attr(req, &st, DFS_BELIEVE_S);
	else
		dfs_reply_failure(req, ret, err);
}

static void size_run(struct dfs_later *later)
{
	struct dfs_err err = { "" };
	int ret = dfs_set_id_drop(later->req, later->node);

	if (ret == 0)
		ret = change_size(later, &err);
	if (ret == 0)
		ret = change_others(later->mount, later->node, &later->attr, later->flag);
	dfs_later_close(later);
	reply(later->req, later->node, ret, &err);
}

void dfs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int set, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node = dfs_node_get(&mount->nodes, ino);
	const struct dfs_err none = { "" };

	if (!node) {
		dfs_reply_error(req, -ESTALE);
	} else if (set & FUSE_SET_ATTR_SIZE) {
		dfs_later(&(struct dfs_later){
			.mount = mount, .req = req, .run = size_run, .node = node,
			.open = fi ? dfs_handle_hold(mount, dfs_open_of(fi)) : NULL,
			/* To be cut off somewhere, it is opened for writing like any other; to be emptied it need not. */
			.opens = !fi && attr->st_size > 0, .waits = DFS_WAITS_PLAIN, .attr = *attr, .flag = set,
		});
	} else {
		reply(req, node, change_others(mount, node, attr, set), &none);
		dfs_node_put(&mount->nodes, node);
	}
}
