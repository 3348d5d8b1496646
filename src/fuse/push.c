/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * push: what is written to a large file sets out for the disk at once.
 *
 * What does not go there directly (direct.h) is collected twice, by the kernel
 * for us, and once more for the file below. The disk would stand idle until
 * that is over; when it works meanwhile, an fsync at the end has little left
 * to wait for. In a thread of its own, since a slow disk holds up who asks.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuse/internal.h"

/* Bytes at a time. Fewer: many small writes on the disk; more: a longer wait at the end. Files smaller than that are left to the kernel. */
#define PUSH_BYTES ((off_t)8 << 20)

/* How many may wait for the disk; who comes then takes the bytes along next time. */
#define PUSHES_MAX 16

struct push {
	struct dfs_job job;
	struct dfs_mount *mount;
	int fd;			/* for reading: one that writes would keep the file from being compressed */
};

static void push_run(struct dfs_job *job, void *local)
{
	struct push *p = (struct push *)job;

	(void)local;
	/* All of it: the kernel's writes come from several threads, not in their order. That it fails is told to who syncs the file. */
	if (!atomic_load(&p->mount->ending))
		sync_file_range(p->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	close(p->fd);
	atomic_fetch_sub(&p->mount->n_pushes, 1);
	free(p);
}

static void push(struct dfs_mount *mount, const struct dfs_content *content)
{
	struct push *p = malloc(sizeof(*p));
	int fd = p ? dfs_content_reopen(content, O_RDONLY | O_NOATIME) : -1;

	if (fd < 0) {
		free(p);
		return;
	}
	*p = (struct push){ .job.run = push_run, .mount = mount, .fd = fd };
	atomic_fetch_add(&mount->n_pushes, 1);
	dfs_pool_submit(mount->pushes, &p->job, DFS_BACKGROUND);
}

/* Only what makes a file longer than it was: what is written over and over again would be written to the disk as often. */
void dfs_push_written(struct dfs_mount *mount, struct dfs_open *open, const struct dfs_content *content, off_t end)
{
	off_t from = atomic_load_explicit(&open->pushed, memory_order_relaxed);

	if (end - from < PUSH_BYTES || atomic_load_explicit(&mount->n_pushes, memory_order_relaxed) >= PUSHES_MAX)
		return;
	if (atomic_compare_exchange_strong(&open->pushed, &from, end))
		push(mount, content);
}

void dfs_push_cut(struct dfs_open *open, off_t size)
{
	if (atomic_load_explicit(&open->pushed, memory_order_relaxed) > size)
		atomic_store(&open->pushed, size);
}
