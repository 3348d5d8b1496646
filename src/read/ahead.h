/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ahead: guesses what will be read next and has it decoded before it is asked for.
 *
 * READ: request.c -> this -> cache.c, hint.c
 *
 * The kernel keeps two requests of 128 KiB in flight for one reader of a
 * mapping, so without guesses one thread decodes while the others rest. Ranks
 * and loader threads share handles: what a guess goes by is a place in the
 * inode, and a view follows several at once. Loaders walk tensors in another
 * order than the file's, so a guess ends with its tensor until the reader has
 * walked across the ends of a few.
 */
#ifndef DFS_READ_AHEAD_H
#define DFS_READ_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dfs_view;

/* A place that somebody reads from, front to back. */
struct dfs_cursor {
	uint64_t next;		/* end of the last read */
	uint64_t edge;		/* decoded ahead up to here */
	uint64_t hinted;	/* the kernel was told up to here */
	uint64_t segment_end;	/* of the segment that holds byte next - 1 */
	uint64_t used;		/* dfs_ahead.clock at the last read; 0: free */
	size_t window;		/* bytes to be ahead of next; 0: no guess yet */
	unsigned crossed;	/* ends of segments that it walked across */
};

/* Loaders of today use up to 8 threads a file; a few more for ranks. The first ones are for small, scattered reads. */
#define DFS_CURSORS 16
#define DFS_CURSORS_SMALL 4

struct dfs_ahead {
	struct dfs_cursor cursors[DFS_CURSORS];
	uint64_t clock;
};

/*
 * Two steps, so that a guess never covers what another thread is reading: all
 * that was submitted has been noted before.
 */

/* dfs_ahead_note() - bytes [off, end) are about to be read. Return: which cursor reads them. No lock held. */
unsigned dfs_ahead_note(struct dfs_view *view, uint64_t off, uint64_t end);
/* dfs_ahead_run() - have decoded what that cursor will probably read next; no lock held */
void dfs_ahead_run(struct dfs_view *view, unsigned cursor);

#endif
