/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cover: which bytes of a file are there already, while it is put together
 * from the old file and from what is written meanwhile.
 *
 * A bit for each block that is wholly there, and a sorted array of the pieces
 * of blocks that are there in part. Writers of whole pages, as the kernel's
 * writeback is, never make a piece: 1 TiB of file takes 32 MiB of bits,
 * untouched ones no memory at all. Pieces are bounded.
 *
 * What is there stays there. Bytes at and behind the file's size always are.
 *
 * Plain data: no I/O, no lock. The caller serialises.
 */
#ifndef DFS_WRITE_COVER_H
#define DFS_WRITE_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's page. Smaller: more bits; larger: page writes become pieces. */
#define DFS_COVER_BLOCK 4096
/*
 * 16 bytes each: 1 MiB. Fewer: sooner a scattered writer of tiny pieces meets
 * the limit; more: adding one moves up to so many.
 */
#define DFS_COVER_PIECES 65536

struct dfs_cover_piece {
	uint64_t off, end;
};

struct dfs_cover {
	uint64_t size;			/* of the file, bytes */
	uint64_t *blocks;		/* bits */
	struct dfs_cover_piece *pieces;	/* in order, apart from each other, none in two blocks */
	size_t n_pieces, cap;
	size_t promised;		/* pieces that may still be added */
};

/* dfs_cover_init() - nothing is there. Return: 0; -ENOMEM. */
int dfs_cover_init(struct dfs_cover *cover, uint64_t size);
void dfs_cover_release(struct dfs_cover *cover);	/* all zero is fine */

/**
 * dfs_cover_promise() - make sure that adding [@off, @end) will not fail
 *
 * Return: how many pieces (0 to 2) were set aside: hand the number to
 * dfs_cover_add(); -EAGAIN: as many as are allowed exist; -ENOMEM.
 */
int dfs_cover_promise(struct dfs_cover *cover, uint64_t off, uint64_t end);

/**
 * dfs_cover_add() - [@off, @end) is there now
 * @promised: what dfs_cover_promise() returned for this range, or for a longer
 *	one of which this is the beginning up to a bound of a block; 0 will do
 *	if the bytes on either side are there, or in another block, or none
 *
 * An empty range only gives the promise back.
 */
void dfs_cover_add(struct dfs_cover *cover, uint64_t off, uint64_t end, int promised);

/* dfs_cover_missing() - the first byte of [@off, @end) that is not there; @end if all are */
uint64_t dfs_cover_missing(const struct dfs_cover *cover, uint64_t off, uint64_t end);

/* dfs_cover_present() - the first byte of [@off, @end) that is there; @end if none is */
uint64_t dfs_cover_present(const struct dfs_cover *cover, uint64_t off, uint64_t end);

/**
 * dfs_cover_gaps() - from the first byte of [@off, @end) that is not there to the last
 * @ret_end: behind the last
 *
 * Return: false: all are there.
 */
bool dfs_cover_gaps(const struct dfs_cover *cover, uint64_t off, uint64_t end, uint64_t *ret_off, uint64_t *ret_end);

#endif
