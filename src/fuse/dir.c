/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dir: listing. Positions are the backing file system's own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "fuse/later.h"
#include "util/auto.h"

/* One handle; the kernel sends one request a handle at a time. */
struct dfs_listing {
	DIR *dir;
	struct dfs_node *node;	/* referenced */
	struct dirent *next;	/* read and not delivered yet */
	off_t at;		/* where next was read, or will be */
	struct dfs_listing *other, **link;	/* in mount->listings, under mount->lock */
};

static struct dfs_listing *listing_of(const struct fuse_file_info *fi)
{
	return (struct dfs_listing *)(uintptr_t)fi->fh;
}

static void listing_in(struct dfs_mount *mount, struct dfs_listing *listing)
{
	pthread_mutex_lock(&mount->lock);
	listing->other = mount->listings;
	listing->link = &mount->listings;
	if (listing->other)
		listing->other->link = &listing->other;
	mount->listings = listing;
	pthread_mutex_unlock(&mount->lock);
}

static void listing_end(struct dfs_mount *mount, struct dfs_listing *listing)
{
	pthread_mutex_lock(&mount->lock);
	*listing->link = listing->other;
	if (listing->other)
		listing->other->link = listing->link;
	pthread_mutex_unlock(&mount->lock);
	closedir(listing->dir);
	dfs_node_put(&mount->nodes, listing->node);
	free(listing);
}

void dfs_listings_end(struct dfs_mount *mount)
{
	while (mount->listings)
		listing_end(mount, mount->listings);
}

/* Takes over the reference on @node if it succeeds. */
static int listing_new(struct dfs_mount *mount, struct dfs_node *node, struct dfs_listing **ret_listing)
{
	DFS_AUTO(mem) struct dfs_listing *listing = calloc(1, sizeof(*listing));
	DFS_AUTO(fd) int fd = -1;
	int ret;

	if (!listing)
		return -ENOMEM;
	ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY | O_DIRECTORY, &fd, NULL);
	if (ret < 0)
		return ret;
	listing->dir = fdopendir(fd);
	if (!listing->dir)
		return -errno;
	dfs_steal_fd(&fd);
	listing->node = node;
	listing_in(mount, listing);
	*ret_listing = dfs_steal(&listing);
	return 0;
}

void dfs_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node = dfs_node_get(&mount->nodes, ino);
	struct dfs_listing *listing = NULL;
	int ret = node ? listing_new(mount, node, &listing) : -ESTALE;

	if (ret < 0) {
		dfs_node_put(&mount->nodes, node);
		dfs_reply_error(req, ret);
		return;
	}
	fi->fh = (uintptr_t)listing;
	if (fuse_reply_open(req, fi) < 0)
		listing_end(mount, listing); /* interrupted: no release will come */
}

void dfs_op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	listing_end(dfs_mount_of(req), listing_of(fi));
	fuse_reply_err(req, 0);
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* What readdir(3) of the store says of an entry. */
static struct stat stat_of_name(fuse_req_t req, const struct dfs_listing *listing)
{
	const struct dirent *d = listing->next;

	return (struct stat){
		.st_ino = dfs_attr_number(dfs_mount_of(req), listing->node->st.st_dev, d->d_ino),
		.st_mode = (mode_t)DTTOIF(d->d_type),
	};
}

/* A name alone. */
static size_t add_name(fuse_req_t req, struct dfs_listing *listing, char *buf, size_t room)
{
	const struct dirent *d = listing->next;
	struct stat st = stat_of_name(req, listing);

	return fuse_add_direntry(req, buf, room, d->d_name, &st, d->d_off);
}

/*
 * A name with its attributes, which counts as a lookup if it fits. One that
 * cannot be looked up now is listed all the same.
 */
static size_t add_entry(fuse_req_t req, struct dfs_listing *listing, char *buf, size_t room)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	const struct dirent *d = listing->next;
	struct fuse_entry_param entry = {
		.attr = stat_of_name(req, listing),
		.attr_timeout = DFS_BELIEVE_S,
		.entry_timeout = DFS_BELIEVE_S,
	};
	struct dfs_node *node = NULL;
	size_t need;

	if (!is_dots(d->d_name) &&
	    dfs_attr_lookup(mount, listing->node, dirfd(listing->dir), d->d_name, &node, &entry.attr) == 0)
		entry.ino = node->number;
	need = fuse_add_direntry_plus(req, buf, room, d->d_name, &entry, d->d_off);
	if (node && need <= room)
		dfs_node_looked_up(&mount->nodes, node);
	dfs_node_put(&mount->nodes, node);
	return need;
}

/* The entry at the current position into listing->next; NULL there at the end. */
static int advance(struct dfs_mount *mount, struct dfs_listing *listing)
{
	while (!listing->next) {
		errno = 0;
		listing->next = readdir(listing->dir);
		if (!listing->next)
			return -errno;
		if (dfs_name_hidden(mount, listing->node, listing->next->d_name)) {
			listing->at = listing->next->d_off;
			listing->next = NULL;
		}
	}
	return 0;
}

/* Return: bytes filled, or -errno if not even one entry could be read. */
static int64_t fill(fuse_req_t req, struct dfs_listing *listing, char *buf, size_t room,
		    size_t (*add)(fuse_req_t, struct dfs_listing *, char *, size_t))
{
	size_t used = 0;

	for (;;) {
		int ret = advance(dfs_mount_of(req), listing);
		size_t need;

		if (!listing->next)
			return used ? (int64_t)used : ret;
		need = add(req, listing, buf + used, room - used);
		if (need > room - used)
			return (int64_t)used;
		used += need;
		listing->at = listing->next->d_off;
		listing->next = NULL;
	}
}

static void list(fuse_req_t req, struct dfs_listing *listing, size_t size, off_t off,
		 size_t (*add)(fuse_req_t, struct dfs_listing *, char *, size_t))
{
	DFS_AUTO(mem) char *buf = malloc(size);
	int64_t used;

	if (!buf) {
		dfs_reply_error(req, -ENOMEM);
		return;
	}
	if (off != listing->at) {
		seekdir(listing->dir, off);
		listing->next = NULL;
		listing->at = off;
	}
	used = fill(req, listing, buf, size, add);
	if (used < 0)
		dfs_reply_error(req, (int)used);
	else
		fuse_reply_buf(req, buf, (size_t)used);
}

void dfs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)ino;
	list(req, listing_of(fi), size, off, add_name);
}

void dfs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)ino;
	list(req, listing_of(fi), size, off, add_entry);
}

static void fsyncdir_run(struct dfs_later *later)
{
	int ret = fsync((int)later->flag);

	dfs_reply_result(later->req, ret < 0 ? -errno : 0);
	close((int)later->flag);
}

/* A descriptor of its own: an interrupted fsync(2) lets the handle be closed before it is through. */
void dfs_op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	struct dfs_later later = { .mount = dfs_mount_of(req), .req = req, .run = fsyncdir_run };

	(void)ino;
	(void)data_only;
	later.flag = fcntl(dirfd(listing_of(fi)->dir), F_DUPFD_CLOEXEC, 0);
	if (later.flag < 0)
		dfs_reply_error(req, -errno);
	else
		dfs_later(&later);
}
