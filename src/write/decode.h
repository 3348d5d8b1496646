/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode: a container in, the plain file out; through the READ flow.
 */
#ifndef DFS_WRITE_DECODE_H
#define DFS_WRITE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "read/reader.h"
#include "util/err.h"
#include "write/encode.h"

struct dfs_decode_config {
	struct dfs_reader *reader;	/* borrowed */
	dfs_progress_fn *progress;	/* may be NULL */
	void *progress_arg;
};

/**
 * dfs_decode() - write what a file shows, front to back
 * @fd: a container, or a plain file (then copied); only read
 * @name: for sentences
 * @out_fd: a pipe or a terminal too, written at its own position; not synced
 *
 * A regular @out_fd is given its room first, so that a full disk shows before
 * anything is decoded. The hash of the whole file is checked at the end.
 * Return: 0; -ENOSPC; -ECANCELED; -EUCLEAN; errors of dfs_view_open() and dfs_view_read().
 */
int dfs_decode(int fd, const char *name, int out_fd, const struct dfs_decode_config *config,
	       struct dfs_err *err);

#endif
