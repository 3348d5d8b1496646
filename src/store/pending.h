/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pending: what waits to be compressed, across restarts.
 *
 * .deltafs/pending is a journal (journal.h: how it is written, what it
 * withstands) of a set of paths:
 *
 *	deltafs-pending	1
 *	add	PATH
 *	done	PATH		alone
 *	drop	PATH		and all below it
 *	move	FROM	TO	and all below it; what was at TO is dropped
 *	exchange	A	B
 *
 * Paths are relative to the store, without empty components, "." and "..".
 */
#ifndef DFS_STORE_PENDING_H
#define DFS_STORE_PENDING_H

#include "store/journal.h"

enum dfs_pending_kind {
	DFS_PENDING_ADD,
	DFS_PENDING_DONE,
	DFS_PENDING_DROP,
	DFS_PENDING_MOVE,
	DFS_PENDING_EXCHANGE,
	DFS_PENDING_KINDS
};

/* A record that was read. @to: "" where there is one path. */
typedef void dfs_pending_fn(void *arg, enum dfs_pending_kind kind, const char *path, const char *to);

/* dfs_pending_open() - dfs_journal_open() of .deltafs/pending; flushed, written anew and closed as any journal */
int dfs_pending_open(struct dfs_store *store, struct dfs_log *log, dfs_pending_fn *each, void *arg,
		     struct dfs_journal **ret_journal, struct dfs_err *err);

/* dfs_pending_note() - dfs_journal_note(); @to: of DFS_PENDING_MOVE and DFS_PENDING_EXCHANGE; else NULL */
void dfs_pending_note(struct dfs_journal *journal, enum dfs_pending_kind kind, const char *path, const char *to);

/* dfs_pending_snapshot_add() - dfs_journal_snapshot_add() of a path that waits; NULL: no memory for it */
void dfs_pending_snapshot_add(struct dfs_journal *journal, const char *path);

/* Its form, and a dfs_journal_line_fn that says whether a line makes sense and keeps nothing: for dfs_check_journal(). */
extern const struct dfs_journal_form dfs_pending_form;
bool dfs_pending_sense(void *unused, char **fields, size_t n);

/* dfs_pending_read() - dfs_journal_read(), of records */
int dfs_pending_read(int fd, dfs_pending_fn *each, void *arg, struct dfs_journal_reading *ret_reading);

#endif
