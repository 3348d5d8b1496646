/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plain: reads of files that are stored as they are.
 *
 * Through a buffer, not by splice: libfuse takes an error after the first
 * bytes for the end of the file, and the kernel then shows a shorter one. And
 * only bytes that were read before a look at the file's times are known to be
 * the old ones: a writer changes the times first.
 */
#include <errno.h>
#include <sys/mman.h>

#include "fuse/internal.h"
#include "util/io.h"

/* The kernel's largest request. Untouched pages of a buffer take no memory. */
#define BUFFER (1u << 20)

/* Buffers that are kept while nobody reads: more are mapped and unmapped by each reader beyond them. */
#define SPARES 4

static void *buffer_get(struct dfs_mount *mount)
{
	void *buffer;

	pthread_mutex_lock(&mount->lock);
	buffer = mount->spare;
	if (buffer) {
		mount->spare = *(void **)buffer;
		mount->n_spare--;
	}
	pthread_mutex_unlock(&mount->lock);
	if (buffer)
		return buffer;
	buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return buffer == MAP_FAILED ? NULL : buffer;
}

static void buffer_put(struct dfs_mount *mount, void *buffer)
{
	bool keep;

	pthread_mutex_lock(&mount->lock);
	keep = mount->n_spare < SPARES;
	if (keep) {
		*(void **)buffer = mount->spare;
		mount->spare = buffer;
		mount->n_spare++;
	}
	pthread_mutex_unlock(&mount->lock);
	if (!keep)
		munmap(buffer, BUFFER);
}

void dfs_plain_release(struct dfs_mount *mount)
{
	while (mount->spare) {
		void *next = *(void **)mount->spare;

		munmap(mount->spare, BUFFER);
		mount->spare = next;
	}
}

/*
 * Who writes to a file meanwhile may have its reader see either; a file that
 * nobody writes to through the mount ends where it did.
 * Return: how many bytes; -ESTALE if they may not all be those that the node stands for.
 */
static ssize_t read_unchanged(struct dfs_nodes *nodes, struct dfs_node *node, int fd, void *buffer, size_t size, off_t off)
{
	struct dfs_look look = { .moment = dfs_nodes_moment(nodes) };
	ssize_t got = dfs_pread_some(fd, buffer, size, (uint64_t)off);
	off_t end;

	if (got < 0)
		return got;
	if (fstat(fd, &look.st) < 0)
		return -errno;
	if (!dfs_node_same(nodes, node, &look))
		return -ESTALE;
	end = off + got;
	return (size_t)got < size && end < look.st.st_size && !dfs_node_busy(nodes, node, look.moment) ? -EIO : got;
}

void dfs_plain_read(fuse_req_t req, struct dfs_node *node, int fd, size_t size, off_t off)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	void *buffer = size <= BUFFER ? buffer_get(mount) : NULL;
	ssize_t got;

	if (!buffer) {
		dfs_reply_error(req, size <= BUFFER ? -ENOMEM : -EINVAL);
		return;
	}
	got = read_unchanged(&mount->nodes, node, fd, buffer, size, off);
	if (got < 0) {
		dfs_trouble_note(mount, node->number, (int)got, "");
		dfs_reply_error(req, (int)got);
	} else {
		fuse_reply_buf(req, buffer, (size_t)got);
	}
	buffer_put(mount, buffer);
}
