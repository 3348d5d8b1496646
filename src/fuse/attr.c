/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attr: lookup, getattr, forget; which attributes of the store show how.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "store/claim.h"
#include "store/pin_links.h"
#include "util/auto.h"
#include "util/hash.h"

/* Set in numbers that are not the backing file system's own. */
#define FOREIGN (UINT64_C(1) << 63)

uint64_t dfs_attr_number(const struct dfs_mount *mount, dev_t dev, uint64_t number)
{
	uint64_t both[2] = { dev, number };

	if (dev == mount->nodes.root->st.st_dev)
		return number;
	return dfs_hash64(both, sizeof(both), 0) | FOREIGN;
}

void dfs_attr_show(const struct dfs_mount *mount, const struct dfs_node *node, struct stat *st)
{
	if (S_ISREG(st->st_mode)) {
		st->st_size = (off_t)node->shown_size;
		if (dfs_pin_links_has(mount->pin_links, st))
			st->st_nlink--;
		if (mount->blocks_logical)
			st->st_blocks = (st->st_size + 511) / 512;
	}
	st->st_ino = dfs_attr_number(mount, st->st_dev, st->st_ino);
}

bool dfs_name_hidden(const struct dfs_mount *mount, const struct dfs_node *parent, const char *name)
{
	if (parent == mount->nodes.root && strcmp(name, DFS_STORE_DIR) == 0)
		return true;
	return mount->nested && parent->st.st_ino == mount->nested_ino &&
	       parent->st.st_dev == mount->nested_dev && strcmp(name, mount->nested_name) == 0;
}

/*
 * The size that a regular file shows. A file that the daemon may not read is
 * shown as it is stored: it could not be opened either.
 */
static int shown_size(int dir, const char *name, struct stat *st, uint64_t *ret_size)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_claim claim;
	int ret;

	*ret_size = (uint64_t)st->st_size;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES || errno == EPERM ? 0 : -errno;
	if (fstat(fd, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -ESTALE; /* replaced since; the kernel asks again */
	ret = dfs_claim_check(fd, (uint64_t)st->st_size, &claim);
	if (ret == 0)
		*ret_size = claim.original_size;
	else if (ret == -EIO)
		*ret_size = (uint64_t)st->st_size; /* a disk error must not hide the name */
	else
		return ret;
	return 0;
}

int dfs_attr_lookup(struct dfs_mount *mount, struct dfs_node *parent, int fd, const char *name,
		    struct dfs_node **ret_node, struct stat *ret_st)
{
	struct stat st;
	uint64_t size;
	int ret;

	if (dfs_name_hidden(mount, parent, name))
		return -ENOENT;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return -errno;
	*ret_node = dfs_node_find(&mount->nodes, &st);
	size = (uint64_t)st.st_size;
	if (!*ret_node && S_ISREG(st.st_mode)) {
		ret = shown_size(fd, name, &st, &size);
		if (ret < 0)
			return ret;
	}
	dfs_node_put(&mount->nodes, *ret_node);
	ret = dfs_node_place(&mount->nodes, parent, name, &st, size, ret_node);
	if (ret < 0)
		return ret;
	dfs_attr_show(mount, *ret_node, &st);
	*ret_st = st;
	return 0;
}

static int lookup(struct dfs_mount *mount, fuse_ino_t number, const char *name, struct fuse_entry_param *entry)
{
	struct dfs_node *parent = dfs_node_get(&mount->nodes, number);
	struct dfs_node *node = NULL;
	DFS_AUTO(fd) int fd = -1;
	int ret;

	if (!parent)
		return -ESTALE;
	ret = dfs_node_open(&mount->nodes, mount->store, parent, O_PATH | O_DIRECTORY, &fd, NULL);
	if (ret == 0)
		ret = dfs_attr_lookup(mount, parent, fd, name, &node, &entry->attr);
	if (ret == 0) {
		entry->ino = node->number;
		dfs_node_looked_up(&mount->nodes, node);
		dfs_node_put(&mount->nodes, node);
	}
	dfs_node_put(&mount->nodes, parent);
	return ret;
}

void dfs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct fuse_entry_param entry = {
		.attr_timeout = DFS_BELIEVE_S,
		.entry_timeout = DFS_BELIEVE_S,
	};
	int ret = lookup(mount, parent, name, &entry);

	if (ret < 0)
		dfs_reply_error(req, ret);
	else if (fuse_reply_entry(req, &entry) < 0)
		dfs_node_forget(&mount->nodes, entry.ino, 1); /* interrupted: the kernel never got it */
}

/* Nodes that are worth a look through all of malloc's memory, some milliseconds: 2 MiB. */
#define MANY 8192

/* Are many gone since this was last true? */
static bool nodes_shrunk(struct dfs_nodes *nodes)
{
	bool shrunk;

	pthread_mutex_lock(&nodes->lock);
	shrunk = nodes->most > MANY && nodes->n < nodes->most / 4;
	if (shrunk)
		nodes->most = nodes->n;
	pthread_mutex_unlock(&nodes->lock);
	return shrunk;
}

/* malloc() keeps what is free between what is not; a daemon that listed a large tree would stay large. */
static void give_back(struct dfs_mount *mount)
{
	if (nodes_shrunk(&mount->nodes))
		malloc_trim(0);
}

void dfs_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	dfs_node_forget(&dfs_mount_of(req)->nodes, ino, n);
	give_back(dfs_mount_of(req));
	fuse_reply_none(req);
}

void dfs_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		dfs_node_forget(&dfs_mount_of(req)->nodes, forgets[i].ino, forgets[i].nlookup);
	give_back(dfs_mount_of(req));
	fuse_reply_none(req);
}

static int getattr(struct dfs_mount *mount, struct dfs_node *node, struct stat *ret_st)
{
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_open_stat(mount, node, ret_st);

	if (ret == -ENOENT)
		ret = dfs_node_open(&mount->nodes, mount->store, node, O_PATH, &fd, ret_st);
	return ret;
}

void dfs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node = dfs_node_get(&mount->nodes, ino);
	struct stat st;
	int ret = node ? getattr(mount, node, &st) : -ESTALE;

	(void)fi;
	if (ret < 0) {
		dfs_reply_error(req, ret);
	} else {
		dfs_attr_show(mount, node, &st);
		fuse_reply_attr(req, &st, DFS_BELIEVE_S);
	}
	dfs_node_put(&mount->nodes, node);
}
