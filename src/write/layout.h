/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout: how a file is cut into segments, and which base bytes predict each.
 *
 * WRITE: match -> this -> encode.
 *
 * Segments tile [0, file_len) in order. A file that is no safetensors file is
 * one opaque segment. Of any other, the header is a segment; a tensor is one,
 * or two where only its first rows have a base; and runs of neighbouring
 * small tensors share one, a bundle, so that ten thousand biases do not cost
 * ten thousand tables. Everything in a segment has a base or nothing has.
 */
#ifndef DFS_WRITE_LAYOUT_H
#define DFS_WRITE_LAYOUT_H

#include <stdint.h>

#include "format/container.h"
#include "tensor/safetensors.h"
#include "util/err.h"
#include "write/match.h"

/*
 * A tensor shorter than SMALL joins its neighbours. More: large tensors lose
 * tables of their own. Less: more segments, each some 100 bytes of metadata
 * and a payload of its own.
 */
#define DFS_BUNDLE_SMALL (64u << 10)
/* A bundle that has reached this is closed: one to two chunks. */
#define DFS_BUNDLE_FULL (128u << 10)
/*
 * A tensor up to this size joins a bundle of another dtype and is read as that
 * dtype, as long as strays are at most one byte in STRAY_SHARE. More: worse
 * coding of the bundle. Less: counters between biases cost a segment each.
 */
#define DFS_BUNDLE_STRAY 1024u
#define DFS_BUNDLE_STRAY_SHARE 8

/*
 * What dfs_segment and dfs_piece_record arrays of a container hold after
 * layout: off, len, cols, first_chunk, n_chunks (chunk_rows 0), first_piece,
 * n_pieces, kind, dtype, predictor. Zero until the encoder fills them in:
 * drop (it takes a look at the data, dfs_common_low_zeros()), tables, params.
 */
struct dfs_layout {
	struct dfs_segment *segments;
	struct dfs_piece_record *pieces; /* .file: index into the base files that were matched */
	uint32_t n_segments;
	uint32_t n_pieces;
};

/**
 * dfs_layout_make() - cut a file into segments
 * @header: its header; NULL: opaque
 * @file_len: its size; with @header, header->file_len
 * @matches: header->n_tensors, from dfs_match_model(); NULL: no base
 * @ret_layout: dfs_layout_release() it
 *
 * Only @header, @file_len and @matches decide. An empty file has no segment.
 * Return: 0; -EINVAL if @file_len is not the header's; -E2BIG if counts
 * exceed the format's; -ENOMEM.
 */
int dfs_layout_make(const struct dfs_header *header, uint64_t file_len,
		    const struct dfs_match *matches, struct dfs_layout *ret_layout,
		    struct dfs_err *err);

/**
 * dfs_layout_number_files() - leave out base files that no piece uses
 * @n_files: base files that were matched against
 * @ret_used: room for @n_files; ret_used[new index] = old index
 *
 * Pieces are renumbered; files keep their order. Return: how many are used.
 */
uint32_t dfs_layout_number_files(struct dfs_layout *layout, uint32_t n_files, uint32_t *ret_used);

/* dfs_layout_count() - first_chunk and n_chunks of all segments, anew: chunk_rows of some was set. Return: 0; -E2BIG. */
int dfs_layout_count(struct dfs_segment *segments, uint32_t n_segments);

void dfs_layout_release(struct dfs_layout *layout);

#endif
