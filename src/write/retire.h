/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * retire: pins that nobody needs any more are freed.
 *
 * WRITE: beside the flow. A base that was made one automatically, and whose
 * own files are gone, lives on in its pins. It goes
 *
 *	when no container needs it, and nobody has one open that does
 *	when its pins hold more than its dependants save: those are made plain,
 *	to be coded anew, over another base or alone
 *
 * and so do pins that belong to no model (a crash left them). Models that
 * somebody added stay until he removes them.
 */
#ifndef DFS_WRITE_RETIRE_H
#define DFS_WRITE_RETIRE_H

#include "write/ingest.h"
#include "write/queue.h"

/* All borrowed. */
struct dfs_retire_config {
	struct dfs_store *store;	/* its writer lock is held */
	struct dfs_queue *queue;	/* knows of changes to the tree; what is made plain waits there */
	struct dfs_reader *reader;	/* to decode by */
	struct dfs_reader *shown;	/* by which others have the store's files open; may be NULL */
	struct dfs_log *log;
	const struct dfs_ingest_watch *watch;	/* may be NULL */
	bool calm;			/* nothing happens to the store: dependants may be coded anew, which takes room meanwhile */
};

/**
 * dfs_retire() - look whether something can go
 * @ret_held: bytes that nothing but pins holds, as it is now
 *
 * Cheap as long as every pin is a second name of a file that is there; else it
 * looks into every container. Not while bases are added or
 * containers made by another thread.
 *
 * Return: 0; -EAGAIN: not now: names changed meanwhile, somebody reads what is
 * to go, or it is not calm; -ECANCELED:
 * the queue is stopping; -ENOMEM; errors of I/O.
 */
int dfs_retire(const struct dfs_retire_config *config, uint64_t *ret_held, struct dfs_err *err);

#endif
