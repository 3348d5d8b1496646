/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reasons: why files are plain, or exact though bits were to be given up,
 * remembered across restarts.
 *
 * A reason is kept for an inode as it was: with another size or mtime it is
 * not this file's any more, and none is found. So "decoded by hand" ends with
 * the next write by itself, and a rename changes nothing. The newest
 * DFS_REASONS_KEPT are kept; whoever falls out is merely looked at once more.
 *
 * .deltafs/reasons is a journal (store/journal.h):
 *
 *	deltafs-reasons	1
 *	set	DEVICE	INODE	SIZE	MTIME-NS	ID	NUMBER	DETAIL
 *	clear	DEVICE	INODE
 *	base	HASH
 *	no-base	HASH
 *
 * Numbers are decimal; DEVICE is 0 for that of the store's root, whose number
 * may be another after a reboot. ID is an enum dfs_reason_id. The bases are
 * those that the reasons know of: another one may be what a file was refused
 * for want of.
 *
 * All calls from any thread; no I/O under the lock. dfs_reasons_set(),
 * dfs_reasons_clear() and dfs_reasons_bases() do one write(2) when they change
 * something.
 */
#ifndef DFS_WRITE_REASONS_H
#define DFS_WRITE_REASONS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/journal_line.h"
#include "store/store.h"
#include "util/err.h"
#include "util/hash.h"
#include "util/log.h"
#include "write/reason.h"

/* Some 8 MiB of memory when full, with details; a store with more files that stay plain asks again for some of them. */
#define DFS_REASONS_KEPT 32768

struct dfs_reasons;

/**
 * dfs_reasons_new() - what was known
 * @store: its lock is held, or nothing survives a restart; borrowed
 * @log: borrowed; may be NULL
 * Return: 0; -ENOMEM. What cannot be read or written on disk is told by the log.
 */
int dfs_reasons_new(struct dfs_store *store, struct dfs_log *log, struct dfs_reasons **ret_reasons, struct dfs_err *err);
void dfs_reasons_free(struct dfs_reasons *reasons); /* NULL is fine */

/* dfs_reasons_set() - @why holds for the file that looks like @st; DFS_REASON_NONE: none does. Without memory it is not kept. */
void dfs_reasons_set(struct dfs_reasons *reasons, const struct stat *st, const struct dfs_reason *why);

/* dfs_reasons_clear() - the inode is gone, compressed, or written to */
void dfs_reasons_clear(struct dfs_reasons *reasons, const struct stat *st);

/* dfs_reasons_find() - Return: whether one is known for the file that looks like @st */
bool dfs_reasons_find(struct dfs_reasons *reasons, const struct stat *st, struct dfs_reason *ret_why);

/* dfs_reasons_outdated() - is one of @ids no base that the reasons know of, while some file wants a base? */
bool dfs_reasons_outdated(struct dfs_reasons *reasons, const struct dfs_hash *ids, size_t n);

/* dfs_reasons_bases() - the bases are @ids, and files that want one were looked at with these; copied. Without memory they are not known. */
void dfs_reasons_bases(struct dfs_reasons *reasons, const struct dfs_hash *ids, size_t n);
/* Its form, and a dfs_journal_line_fn that says whether a line makes sense and keeps nothing: for dfs_check_journal(). */
extern const struct dfs_journal_form dfs_reasons_form;
bool dfs_reasons_sense(void *unused, char **fields, size_t n);

/* dfs_reasons_tidy() - as dfs_queue_tidy(): now and then, from a thread that may wait for the disk; one at a time */
void dfs_reasons_tidy(struct dfs_reasons *reasons);

#endif
