/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode: a plain file in, a container out.
 *
 * WRITE: classify -> choose base -> layout -> this -> verify -> publish.
 */
#ifndef DFS_WRITE_ENCODE_H
#define DFS_WRITE_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "format/container.h"
#include "tensor/norms.h"
#include "util/err.h"
#include "util/pool.h"
#include "write/reason.h"
#include "write/spared.h"

struct dfs_plan;
struct dfs_model; /* an opened base model: its files, headers, hashes (write/model.h) */

/* Called now and then from the encoding thread. Return: false to cancel (-ECANCELED). */
typedef bool dfs_progress_fn(void *arg, uint64_t done_bytes, uint64_t total_bytes);

struct dfs_encode_config {
	const struct dfs_model *base;	/* NULL: alone */
	const char *codec;		/* SPEC; NULL: "exact" */
	struct dfs_norms norms;		/* of the base: what the codec may compare the model with; 0: none known */
	const struct dfs_plan *plan;	/* of the whole model, with this codec and base (write/plan.h); NULL: the file is one */
	unsigned threads;		/* 0: one a CPU */
	bool idle;			/* they run when nobody else wants the CPU */
	dfs_progress_fn *progress;	/* may be NULL */
	void *progress_arg;
};

struct dfs_encode_result {
	struct dfs_superblock sb;
	uint64_t original_bytes;
	uint64_t stored_bytes;
	struct dfs_norms norms;		/* of the model, if the codec wants that of a base; else 0 */
	enum dfs_reason_id why_exact;	/* though its codec gives up bits; DFS_REASON_NONE: it did, or does not */
	struct dfs_spared spared;	/* what its codec was to have, and has not */
	bool shrunk;			/* false: not worth keeping; out_fd holds a valid container all the same */
};

/**
 * dfs_encode() - write a container of @in_fd to @out_fd
 * @in_fd: a regular file, any content; must not change meanwhile (size, mtime, ctime are compared at the end: -ESTALE)
 * @out_fd: empty, read-write; not synced
 *
 * Memory: bounded by threads and chunk size, not by the file. Same bytes at
 * any thread count. Return: 0; -ECANCELED; -ESTALE; errors of I/O; -ENOMEM.
 */
int dfs_encode(int in_fd, const char *in_name, int out_fd, const struct dfs_encode_config *config,
	       struct dfs_encode_result *ret_result, struct dfs_err *err);

#endif
