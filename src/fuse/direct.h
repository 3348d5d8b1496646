/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * direct: what is written to a large file goes to the disk without a copy in memory on its way.
 *
 * The kernel has collected the bytes for us, in pages of the mount; collected
 * once more for the store's file they would cost the CPU more than a fast disk
 * takes to write them, and the memory twice. Where O_DIRECT is not to be had,
 * or the disk is slow, nothing is lost: the caller writes as ever.
 */
#ifndef DFS_FUSE_DIRECT_H
#define DFS_FUSE_DIRECT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dfs_content;
struct dfs_piece;

/* Where a write must begin and end, in memory and in the file. More than any disk asks for; a page on most machines. */
#define DFS_DIRECT_ALIGN ((size_t)4096)

/* What a mount knows of its disk. */
struct dfs_direct {
	pthread_mutex_t lock;	/* over the queues of all contents, too */
	int64_t charged_ns;	/* CLOCK_MONOTONIC; the time up to here was charged to some write */
	int64_t late_ns;	/* time that writes took beyond what a fast disk takes */
	int64_t off_until_ms;	/* CLOCK_MONOTONIC; it is a slow one till then */
};

/* Of a content: what is to be written, by offset, and whether somebody is at it. Under the mount's lock. */
struct dfs_direct_queue {
	struct dfs_piece *first;
	bool leading;
	off_t end;		/* of what was written last: what follows is next, so that nobody waits for ever */
};

void dfs_direct_init(struct dfs_direct *direct);
void dfs_direct_release(struct dfs_direct *direct);

/*
 * dfs_direct_write() - write @size bytes to a plain @content, which is open for writing
 *
 * Waits for the disk. Those who come meanwhile are written together by one of
 * them: a file that grows takes one write at a time, and large ones go faster.
 *
 * Return: whether all of it is written; else any part may be, and the caller is to write it all.
 */
bool dfs_direct_write(struct dfs_direct *direct, struct dfs_content *content, const char *buf, size_t size, off_t off);

#endif
