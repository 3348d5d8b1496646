/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * create: new names for new files: create, mknod, mkdir, symlink.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/caller.h"
#include "fuse/internal.h"
#include "util/auto.h"

/* What is to be made; only one of the calls below uses each field. */
struct making {
	const char *name;
	mode_t mode;
	dev_t device;
	const char *target;
	int flags;		/* of open(2), as far as they matter for a new file */
	int fd;			/* of create: the new file */
};

typedef int make_fn(int dir, struct making *making);

static int make_node(int dir, struct making *making)
{
	return mknodat(dir, making->name, making->mode, making->device) < 0 ? -errno : 0;
}

static int make_directory(int dir, struct making *making)
{
	return mkdirat(dir, making->name, making->mode) < 0 ? -errno : 0;
}

static int make_symlink(int dir, struct making *making)
{
	return symlinkat(making->target, dir, making->name) < 0 ? -errno : 0;
}

/*
 * The kernel asks only for what it does not know, and asks who may open what
 * is there only if it knows it: -ESTALE has it look again.
 */
static int make_file(int dir, struct making *making)
{
	making->fd = openat(dir, making->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, making->mode);
	if (making->fd >= 0)
		return 0;
	return errno == EEXIST && !(making->flags & O_EXCL) ? -ESTALE : -errno;
}

int dfs_parent_open(struct dfs_mount *mount, struct dfs_node *parent, const char *name, int *ret_fd)
{
	int ret;

	if (dfs_name_hidden(mount, parent, name))
		return -EPERM;
	dfs_node_change(&mount->nodes, parent);
	ret = dfs_node_open(&mount->nodes, mount->store, parent, O_PATH | O_DIRECTORY, ret_fd, NULL);
	if (ret < 0)
		dfs_node_unchanged_by(&mount->nodes, parent);
	return ret;
}

void dfs_parent_close(struct dfs_mount *mount, struct dfs_node *parent, int fd)
{
	dfs_node_changed(&mount->nodes, parent, NULL);
	close(fd);
}

static int look_at(struct dfs_mount *mount, struct dfs_node *parent, int dir, const struct making *making,
		   struct dfs_node **ret_node, struct stat *ret_st)
{
	struct stat made;
	bool known = making->fd >= 0 && fstat(making->fd, &made) == 0;

	return dfs_attr_made(mount, parent, dir, making->name, known ? &made : NULL, ret_node, ret_st);
}

/* @ret_node: referenced */
static int make_in(fuse_req_t req, struct dfs_node *parent, make_fn *make, struct making *making,
		   struct dfs_node **ret_node, struct stat *ret_st)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_caller caller;
	int dir, ret = dfs_parent_open(mount, parent, making->name, &dir);

	if (ret < 0)
		return ret;
	dfs_caller_begin(&caller, req);
	ret = make(dir, making);
	dfs_caller_end(&caller);
	if (ret == 0)
		ret = look_at(mount, parent, dir, making, ret_node, ret_st);
	dfs_parent_close(mount, parent, dir);
	return ret;
}

/* @entry: counted as a lookup if it succeeds. @ret_node: the same node, referenced. */
static int make_entry(fuse_req_t req, fuse_ino_t number, make_fn *make, struct making *making,
		      struct fuse_entry_param *entry, struct dfs_node **ret_node)
{
	struct dfs_nodes *nodes = &dfs_mount_of(req)->nodes;
	struct dfs_node *parent = dfs_node_get(nodes, number);
	int ret = parent ? make_in(req, parent, make, making, ret_node, &entry->attr) : -ESTALE;

	dfs_node_put(nodes, parent);
	if (ret < 0)
		return ret;
	entry->attr_timeout = entry->entry_timeout = DFS_BELIEVE_S;
	entry->ino = (*ret_node)->number;
	dfs_node_looked_up(nodes, *ret_node);
	return 0;
}

static void op_make(fuse_req_t req, fuse_ino_t parent, make_fn *make, struct making *making)
{
	struct dfs_nodes *nodes = &dfs_mount_of(req)->nodes;
	struct fuse_entry_param entry = { 0 };
	struct dfs_node *node = NULL;
	int ret = make_entry(req, parent, make, making, &entry, &node);

	if (ret < 0)
		dfs_reply_error(req, ret);
	else if (fuse_reply_entry(req, &entry) < 0)
		dfs_node_forget(nodes, entry.ino, 1); /* interrupted: the kernel never got it */
	dfs_node_put(nodes, node);
}

void dfs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	struct making making = { .name = name, .mode = mode, .device = device, .fd = -1 };

	op_make(req, parent, make_node, &making);
}

void dfs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct making making = { .name = name, .mode = mode, .fd = -1 };

	op_make(req, parent, make_directory, &making);
}

void dfs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct making making = { .name = name, .target = target, .fd = -1 };

	op_make(req, parent, make_symlink, &making);
}

static void reply_create(fuse_req_t req, const struct fuse_entry_param *entry, struct dfs_open *open,
			 struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);

	dfs_handle_fill(req, fi, open);
	if (fuse_reply_create(req, entry, fi) == 0)
		return;
	dfs_open_end(mount, open, (fi->flags & O_ACCMODE) != O_RDONLY);
	dfs_node_forget(&mount->nodes, entry->ino, 1);
}

void dfs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct making making = { .name = name, .mode = mode, .flags = fi->flags, .fd = -1 };
	bool writable = (fi->flags & O_ACCMODE) != O_RDONLY;
	struct fuse_entry_param entry = { 0 };
	struct dfs_node *node = NULL;
	struct dfs_open *open;
	struct dfs_err err = { "" };
	int ret = make_entry(req, parent, make_file, &making, &entry, &node);

	if (ret == 0)
		ret = dfs_open_made(mount, node, making.fd, writable, &open, &err);
	else if (making.fd >= 0)
		close(making.fd);
	if (ret == 0) {
		reply_create(req, &entry, open, fi);
	} else {
		if (entry.ino)
			dfs_node_forget(&mount->nodes, entry.ino, 1);
		dfs_reply_error(req, ret);
	}
	dfs_node_put(&mount->nodes, node);
}
