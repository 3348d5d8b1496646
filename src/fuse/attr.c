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
#include "fuse/shown.h"
#include "store/claim.h"
#include "store/pin_links.h"
#include "util/auto.h"
#include "util/hash.h"

/* Set in numbers that are not the backing file system's own. */
#define FOREIGN (UINT64_C(1) << 63)

static uint64_t foreign_number(const struct dfs_mount *mount, dev_t dev, uint64_t number)
{
	uint64_t both[2] = { dev, number };

	if (dev == mount->nodes.root->st.st_dev)
		return number;
	return dfs_hash64(both, sizeof(both), 0) | FOREIGN;
}

uint64_t dfs_attr_number(const struct dfs_mount *mount, dev_t dev, uint64_t number)
{
	if (mount->shown)
		number = dfs_shown_number(mount->shown, dev, number);
	return foreign_number(mount, dev, number);
}

void dfs_attr_show(const struct dfs_mount *mount, uint64_t shown_size, struct stat *st)
{
	if (S_ISREG(st->st_mode)) {
		if (shown_size < DFS_SIZE_UNKNOWN)
			st->st_size = (off_t)shown_size;
		if (dfs_pin_links_has(mount->pin_links, st))
			st->st_nlink--;
		st->st_nlink -= dfs_keeper_links(mount->keeper, st);
		if (mount->blocks_logical)
			st->st_blocks = (st->st_size + 511) / 512;
	}
	if (mount->shown)
		dfs_shown_apply(mount->shown, st);
	st->st_ino = foreign_number(mount, st->st_dev, st->st_ino);
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
 * shown as it is stored: it could not be opened either. So is one that another
 * program has a lease on (EAGAIN), for which a look at a name does not wait.
 */
static int look_into(int dir, const char *name, struct stat *st, uint64_t *ret_size)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_claim claim;
	int ret;

	*ret_size = DFS_SIZE_UNKNOWN;
	fd = openat(dir, name, O_RDONLY | O_NOATIME | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == EPERM)
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES || errno == EPERM || errno == EAGAIN ? 0 : -errno;
	if (fstat(fd, st) < 0)
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -ESTALE; /* replaced since; the kernel asks again */
	ret = dfs_claim_check(fd, (uint64_t)st->st_size, &claim);
	if (ret == 0)
		*ret_size = claim.kind == DFS_PLAIN ? DFS_SIZE_STORED : claim.original_size;
	return ret == -EIO ? 0 : ret; /* a disk error must not hide the name */
}

/* A file that was just made is plain, and need not be looked into. */
static bool is_made(const struct stat *st, const struct stat *made)
{
	return made && made->st_ino == st->st_ino && made->st_dev == st->st_dev;
}

/* A container that is written to has its size from that. */
static void show_open(struct dfs_mount *mount, struct dfs_node *node, struct stat *st, uint64_t *size)
{
	struct dfs_node_look look;

	if (dfs_open_stat(mount, node, &look) < 0)
		return;
	*st = look.st;
	*size = look.shown_size;
}

/* Return: as dfs_attr_made(); -EAGAIN: what was found may have been replaced since. */
static int look_up_once(struct dfs_mount *mount, struct dfs_node *parent, int fd, const char *name,
			const struct stat *made, struct dfs_node **ret_node, struct stat *ret_st)
{
	struct dfs_look look = { .moment = dfs_nodes_moment(&mount->nodes) };
	uint64_t size = DFS_SIZE_STORED;
	int ret;

	if (fstatat(fd, name, &look.st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return -errno;
	*ret_node = dfs_node_find(&mount->nodes, &look);
	if (*ret_node)
		size = dfs_node_shown_size(&mount->nodes, *ret_node); /* it may be gone before it is placed */
	else if (S_ISREG(look.st.st_mode) && !is_made(&look.st, made))
		size = DFS_SIZE_UNKNOWN;
	dfs_node_put(&mount->nodes, *ret_node);
	ret = size == DFS_SIZE_UNKNOWN ? look_into(fd, name, &look.st, &size) : 0;
	if (ret < 0)
		return ret;
	ret = dfs_node_place(&mount->nodes, parent, name, &look, size, ret_node, &size);
	if (ret < 0)
		return ret;
	show_open(mount, *ret_node, &look.st, &size);
	*ret_st = look.st;
	dfs_attr_show(mount, size, ret_st);
	if (!dfs_node_was_replaced(&mount->nodes, *ret_node, look.moment))
		return 0;
	dfs_node_put(&mount->nodes, *ret_node);
	return -EAGAIN;
}

/* How often a name is looked up anew whose file was replaced meanwhile. */
#define TRIES 64

int dfs_attr_made(struct dfs_mount *mount, struct dfs_node *parent, int fd, const char *name,
		  const struct stat *made, struct dfs_node **ret_node, struct stat *ret_st)
{
	int ret = -EAGAIN;

	if (dfs_name_hidden(mount, parent, name))
		return -ENOENT;
	for (int i = 0; ret == -EAGAIN && i < TRIES; i++)
		ret = look_up_once(mount, parent, fd, name, made, ret_node, ret_st);
	return ret;
}

int dfs_attr_lookup(struct dfs_mount *mount, struct dfs_node *parent, int fd, const char *name,
		    struct dfs_node **ret_node, struct stat *ret_st)
{
	return dfs_attr_made(mount, parent, fd, name, NULL, ret_node, ret_st);
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

static int get_once(struct dfs_mount *mount, struct dfs_node *node, struct stat *ret_st)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_node_look look;
	int ret = dfs_open_stat(mount, node, &look);

	if (ret == -ENOENT)
		ret = dfs_node_open(&mount->nodes, mount->store, node, O_PATH, &fd, &look);
	if (ret < 0)
		return ret;
	*ret_st = look.st;
	dfs_attr_show(mount, look.shown_size, ret_st);
	return 0;
}

int dfs_attr_get(struct dfs_mount *mount, struct dfs_node *node, struct stat *ret_st)
{
	int ret = -ESTALE;

	for (int i = 0; i < TRIES; i++) {
		uint64_t moment = dfs_nodes_moment(&mount->nodes);

		ret = get_once(mount, node, ret_st);
		if (!dfs_node_was_replaced(&mount->nodes, node, moment))
			break;
	}
	return ret;
}

void dfs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node = dfs_node_get(&mount->nodes, ino);
	struct stat st;
	int ret = node ? dfs_attr_get(mount, node, &st) : -ESTALE;

	(void)fi;
	if (ret < 0)
		dfs_reply_error(req, ret);
	else
		fuse_reply_attr(req, &st, DFS_BELIEVE_S);
	dfs_node_put(&mount->nodes, node);
}
