/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ops: what the kernel is told that we can do, and who does it.
 */
#include <errno.h>
#include <sys/statvfs.h>

#include "fuse/internal.h"

/*
 * Requests that the kernel may have under way for readahead, which are nearly
 * all reads. Those that wait for a base that hangs count: with fewer than
 * hundreds of stuck readers need, two each, the kernel stops asking for
 * anybody. Costs nothing until used; the kernel lowers it where it must.
 */
#define BACKGROUND 4096

void dfs_op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	(void)ino;
	if (fstatvfs(dfs_store_fd(dfs_mount_of(req)->store), &st) < 0)
		dfs_reply_error(req, -errno);
	else
		fuse_reply_statfs(req, &st);
}

static void want(struct fuse_conn_info *conn, unsigned capability, bool on)
{
	if (on)
		conn->want |= conn->capable & capability;
	else
		conn->want &= ~capability;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	const struct dfs_mount *mount = userdata;

	conn->max_background = BACKGROUND;
	conn->congestion_threshold = BACKGROUND * 3 / 4;
	conn->time_gran = 1;
	if (conn->max_write > DFS_WRITE_MAX)
		conn->max_write = DFS_WRITE_MAX;
	want(conn, FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO, true);
	want(conn, FUSE_CAP_CACHE_SYMLINKS, true);
	/* Else the group class of a file with an ACL would grant what the ACL denies. */
	want(conn, FUSE_CAP_POSIX_ACL, true);
	/* Another content is another node, so pages are never stale; asking costs a GETATTR a second. */
	want(conn, FUSE_CAP_AUTO_INVAL_DATA, false);
	want(conn, FUSE_CAP_WRITEBACK_CACHE, mount->writeback);
	/* The umask is applied by the store's file system: where there is a default ACL, it is not. */
	want(conn, FUSE_CAP_DONT_MASK, true);
	/* Of old: it would have a server take them away that does not know who writes. See set_id.c. */
	want(conn, FUSE_CAP_HANDLE_KILLPRIV, false);
	want(conn, FUSE_CAP_ATOMIC_O_TRUNC, true);
}

static void ops_writable(struct fuse_lowlevel_ops *ops)
{
	ops->create = dfs_op_create;
	ops->mknod = dfs_op_mknod;
	ops->mkdir = dfs_op_mkdir;
	ops->symlink = dfs_op_symlink;
	ops->link = dfs_op_link;
	ops->unlink = dfs_op_unlink;
	ops->rmdir = dfs_op_rmdir;
	ops->rename = dfs_op_rename;
	ops->setattr = dfs_op_setattr;
	ops->setxattr = dfs_op_setxattr;
	ops->removexattr = dfs_op_removexattr;
	ops->write = dfs_op_write;
	ops->fallocate = dfs_op_fallocate;
	ops->copy_file_range = dfs_op_copy_file_range;
	ops->flush = dfs_op_flush;
	ops->fsync = dfs_op_fsync;
	ops->fsyncdir = dfs_op_fsyncdir;
}

struct fuse_lowlevel_ops dfs_ops(bool read_only)
{
	struct fuse_lowlevel_ops ops = {
		.init = op_init,
		.lookup = dfs_op_lookup,
		.forget = dfs_op_forget,
		.forget_multi = dfs_op_forget_multi,
		.getattr = dfs_op_getattr,
		.readlink = dfs_op_readlink,
		.open = dfs_op_open,
		.read = dfs_op_read,
		.release = dfs_op_release,
		.lseek = dfs_op_lseek,
		.opendir = dfs_op_opendir,
		.readdir = dfs_op_readdir,
		.readdirplus = dfs_op_readdirplus,
		.releasedir = dfs_op_releasedir,
		.statfs = dfs_op_statfs,
		.getxattr = dfs_op_getxattr,
		.listxattr = dfs_op_listxattr,
		.ioctl = dfs_op_ioctl,
	};

	if (read_only)
		dfs_ops_readonly(&ops);
	else
		ops_writable(&ops);
	return ops;
}
