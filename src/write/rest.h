/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rest: is a file finished, as far as it can be told from the file itself.
 *
 * WRITE: queue -> this -> classify.
 *
 * Asked when its quiet time is over; that no handle may still write to it is
 * known to who asks. Not at rest is
 *
 *	by its name	*.incomplete (Hugging Face), *.part, *.partial,
 *			*.filepart, *.crdownload, *.download, *.aria2, *.tmp,
 *			.tmpXXXXXX (safetensors, tempfile), .name.XXXXXX (rsync):
 *			writers rename such a file when it is whole, and that
 *			counts as writing it. One that keeps its name stays
 *			plain: no harm but its size
 *	by a sibling	NAME.aria2: aria2 gives a file its name, its size and a
 *			random part of its bytes first
 *	by content	a safetensors header that says more bytes than there are
 *
 * A wrong "at rest" costs an encode, never a byte: a later write makes the
 * file plain again.
 */
#ifndef DFS_WRITE_REST_H
#define DFS_WRITE_REST_H

#include "store/store.h"
#include "util/err.h"
#include "write/reason.h"

/**
 * dfs_rest_check() - look at a file of the store
 * @rel: its path there
 * @ret_why: why it is not to be compressed now; written for -EAGAIN and -EINVAL; may be NULL
 *
 * Reads a few pages: the header, and opens a sibling. Not to be called where
 * the kernel waits for an answer.
 *
 * Return: 0: at rest, a safetensors file as long as it says; -EAGAIN: not
 * finished (dfs_reason_again_ms() tells whether looking again makes sense before
 * an event); -EINVAL: nothing that is compressed by itself (no regular file,
 * empty, not safetensors, beyond the limits of a header, a container already).
 * With a sentence in @err: -ENOENT: gone; -EMFILE, -EIO, ...: errors of open
 * and pread; -ENOMEM.
 */
int dfs_rest_check(const struct dfs_store *store, const char *rel, struct dfs_reason *ret_why, struct dfs_err *err);

#endif
