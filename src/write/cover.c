/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cover: see cover.h. */
#include "write/cover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD 64

/* --- blocks */

static uint64_t block_start(uint64_t block)
{
	return block * DFS_COVER_BLOCK;
}

/* The last block ends with the file. */
static uint64_t block_end(const struct dfs_cover *cover, uint64_t block)
{
	uint64_t left = cover->size - block_start(block);

	return left < DFS_COVER_BLOCK ? cover->size : block_start(block) + DFS_COVER_BLOCK;
}

static uint64_t n_blocks(uint64_t size)
{
	return size / DFS_COVER_BLOCK + (size % DFS_COVER_BLOCK != 0);
}

static bool block_is_there(const struct dfs_cover *cover, uint64_t block)
{
	return cover->blocks[block / WORD] >> block % WORD & 1;
}

static void block_set(struct dfs_cover *cover, uint64_t block)
{
	cover->blocks[block / WORD] |= 1ull << block % WORD;
}

/* The first of [from, to) whose bit is @set; @to if none is. */
static uint64_t block_find(const struct dfs_cover *cover, uint64_t from, uint64_t to, bool set)
{
	while (from < to) {
		uint64_t word = set ? cover->blocks[from / WORD] : ~cover->blocks[from / WORD];

		word >>= from % WORD;
		if (word) {
			from += (uint64_t)__builtin_ctzll(word);
			break;
		}
		from += WORD - from % WORD;
	}
	return from < to ? from : to;
}

/* --- pieces */

/* The first piece that ends behind @off, or there. */
static size_t piece_find(const struct dfs_cover *cover, uint64_t off)
{
	size_t from = 0, to = cover->n_pieces;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (cover->pieces[middle].end < off)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Pieces [from, to) become @piece, or none if it is NULL. There is room. */
static void pieces_replace(struct dfs_cover *cover, size_t from, size_t to, const struct dfs_cover_piece *piece)
{
	size_t kept = from + (piece != NULL);

	if (from == to && !piece)
		return; /* there may be no array */
	memmove(cover->pieces + kept, cover->pieces + to, (cover->n_pieces - to) * sizeof(*piece));
	cover->n_pieces -= to - kept;
	if (piece)
		cover->pieces[from] = *piece;
}

/* [off, end) lies in @block. */
static void add_in_block(struct dfs_cover *cover, uint64_t block, uint64_t off, uint64_t end)
{
	uint64_t limit = block_end(cover, block);
	struct dfs_cover_piece whole = { off, end };
	size_t from, to;

	if (block_is_there(cover, block))
		return;
	from = piece_find(cover, off);
	if (from < cover->n_pieces && cover->pieces[from].end <= block_start(block))
		from++; /* it ends where this block begins */
	for (to = from; to < cover->n_pieces; to++) {
		const struct dfs_cover_piece *piece = &cover->pieces[to];

		if (piece->off > end || piece->off >= limit)
			break;
		if (piece->off < whole.off)
			whole.off = piece->off;
		if (piece->end > whole.end)
			whole.end = piece->end;
	}
	if (whole.off > block_start(block) || whole.end < limit) {
		pieces_replace(cover, from, to, &whole);
		return;
	}
	block_set(cover, block);
	pieces_replace(cover, from, to, NULL);
}

/* [first, last): whole blocks. */
static void add_blocks(struct dfs_cover *cover, uint64_t first, uint64_t last)
{
	size_t from, to;

	if (first >= last)
		return;
	from = piece_find(cover, block_start(first) + 1);
	to = piece_find(cover, block_start(last) + 1);
	pieces_replace(cover, from, to, NULL);
	for (uint64_t block = first; block < last; block++)
		block_set(cover, block);
}

/* --- the interface */

int dfs_cover_init(struct dfs_cover *cover, uint64_t size)
{
	*cover = (struct dfs_cover){ .size = size };
	cover->blocks = calloc(n_blocks(size) / WORD + 1, sizeof(*cover->blocks));
	return cover->blocks ? 0 : -ENOMEM;
}

void dfs_cover_release(struct dfs_cover *cover)
{
	free(cover->blocks);
	free(cover->pieces);
	*cover = (struct dfs_cover){ 0 };
}

/* Would a bound of a range at @off leave a piece? */
static bool cuts(const struct dfs_cover *cover, uint64_t off)
{
	return off < cover->size && off % DFS_COVER_BLOCK && !block_is_there(cover, off / DFS_COVER_BLOCK);
}

int dfs_cover_promise(struct dfs_cover *cover, uint64_t off, uint64_t end)
{
	int n = off < end ? cuts(cover, off) + cuts(cover, end) : 0;
	size_t want = cover->n_pieces + cover->promised + (size_t)n;
	struct dfs_cover_piece *pieces;

	if (n == 0)
		return 0;
	if (want > DFS_COVER_PIECES)
		return -EAGAIN;
	if (want > cover->cap) {
		pieces = realloc(cover->pieces, 2 * want * sizeof(*pieces));
		if (!pieces)
			return -ENOMEM;
		cover->pieces = pieces;
		cover->cap = 2 * want;
	}
	cover->promised += (size_t)n;
	return n;
}

void dfs_cover_add(struct dfs_cover *cover, uint64_t off, uint64_t end, int promised)
{
	uint64_t first = off / DFS_COVER_BLOCK, last;

	cover->promised -= (size_t)promised;
	if (end > cover->size)
		end = cover->size;
	if (off >= end)
		return;
	last = (end - 1) / DFS_COVER_BLOCK;
	if (first == last) {
		add_in_block(cover, first, off, end);
		return;
	}
	add_in_block(cover, first, off, block_end(cover, first));
	add_blocks(cover, first + 1, last);
	add_in_block(cover, last, block_start(last), end);
}

uint64_t dfs_cover_missing(const struct dfs_cover *cover, uint64_t off, uint64_t end)
{
	uint64_t limit = end < cover->size ? end : cover->size;

	while (off < limit) {
		size_t i = piece_find(cover, off + 1);

		if (block_is_there(cover, off / DFS_COVER_BLOCK))
			off = block_start(block_find(cover, off / DFS_COVER_BLOCK, n_blocks(limit), false));
		else if (i < cover->n_pieces && cover->pieces[i].off <= off)
			off = cover->pieces[i].end;
		else
			return off;
	}
	return end;
}

uint64_t dfs_cover_present(const struct dfs_cover *cover, uint64_t off, uint64_t end)
{
	uint64_t limit = end < cover->size ? end : cover->size, start;
	size_t i;

	if (off >= limit)
		return off < end ? off : end;
	start = block_start(block_find(cover, off / DFS_COVER_BLOCK, n_blocks(limit), true));
	i = piece_find(cover, off + 1);
	if (i < cover->n_pieces && cover->pieces[i].off < start)
		start = cover->pieces[i].off;
	if (start < off)
		start = off;
	return start < limit ? start : limit;
}

bool dfs_cover_gaps(const struct dfs_cover *cover, uint64_t off, uint64_t end, uint64_t *ret_off, uint64_t *ret_end)
{
	uint64_t from = dfs_cover_missing(cover, off, end), to = end;

	if (from >= end)
		return false;
	*ret_off = from;
	for (; from < end; from = dfs_cover_missing(cover, to, end))
		to = dfs_cover_present(cover, from, end);
	*ret_end = to;
	return true;
}
