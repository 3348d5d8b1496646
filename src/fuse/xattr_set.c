/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xattr_set: setxattr and removexattr. Who may is the kernel's to say, with
 * one exception: what an ACL does to a set-group-ID bit it leaves to us.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fuse/caller.h"
#include "fuse/internal.h"
#include "util/auto.h"
#include "util/caps.h"
#include "util/fdpath.h"
#include "util/text.h"

/* What deltafs tells is not set, but a policy is; its marks are its own; of security.* nothing is shown, so nothing is kept. */
static int refusal(const char *name)
{
	if (dfs_policy_is_name(name))
		return 0;
	if (dfs_text_begins(name, "user.deltafs.") || dfs_text_begins(name, "trusted.deltafs."))
		return -EPERM;
	return dfs_text_begins(name, "security.") ? -EOPNOTSUPP : 0;
}

struct setting {
	const char *name;
	const char *value;	/* NULL: it is removed */
	size_t size;
	int flags;
};

/* A file that is not open for reading takes a path. */
static int apply(int fd, const struct setting *setting)
{
	DFS_AUTO(raised) int raised = dfs_text_begins(setting->name, "trusted.") ? dfs_caps_raise(CAP_SYS_ADMIN) : -1;
	char self[DFS_FD_PATH_SIZE];
	int ret;

	if (dfs_policy_is_name(setting->name))
		return dfs_policy_set(fd, setting->value, setting->size, setting->flags);
	dfs_fd_path(fd, self);
	if (setting->value)
		ret = setxattr(self, setting->name, setting->value, setting->size, setting->flags);
	else
		ret = removexattr(self, setting->name);
	return ret < 0 ? -errno : 0;
}

/* As chmod(2): who is not of the file's group does not leave it set-group-ID. */
static int drop_sgid(fuse_req_t req, int fd)
{
	char self[DFS_FD_PATH_SIZE];
	struct stat st;

	if (fuse_req_ctx(req)->uid == 0 || fstat(fd, &st) < 0 || !(st.st_mode & S_ISGID) || dfs_caller_in_group(req, st.st_gid))
		return 0;
	return chmod(dfs_fd_path(fd, self), st.st_mode & 07777 & ~(mode_t)S_ISGID) < 0 ? -errno : 0;
}

static int set(fuse_req_t req, struct dfs_node *node, const struct setting *setting)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	bool policy = dfs_policy_is_name(setting->name);
	struct dfs_hold hold;
	struct dfs_look look;
	int ret = policy ? dfs_policy_may_set(mount, node, fuse_req_ctx(req)->uid, setting->size) : 0;

	if (ret == 0)
		ret = dfs_hold_begin(mount, node, &hold);
	if (ret < 0)
		return ret;
	atomic_store_explicit(&node->no_acl, false, memory_order_relaxed);
	ret = apply(hold.fd, setting);
	if (ret == 0 && strcmp(setting->name, "system.posix_acl_access") == 0)
		ret = drop_sgid(req, hold.fd);
	dfs_hold_end(mount, node, &hold, dfs_look_take(&mount->nodes, hold.fd, &look));
	if (ret == 0 && policy)
		dfs_policy_changed(mount, node);
	return ret;
}

static void op_set(fuse_req_t req, fuse_ino_t ino, const struct setting *setting)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node;
	int ret = refusal(setting->name);

	if (ret == 0) {
		node = dfs_node_get(&mount->nodes, ino);
		ret = node ? set(req, node, setting) : -ESTALE;
		dfs_node_put(&mount->nodes, node);
	}
	dfs_reply_result(req, ret);
}

void dfs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	op_set(req, ino, &(struct setting){ name, value, size, flags });
}

void dfs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	op_set(req, ino, &(struct setting){ .name = name });
}
