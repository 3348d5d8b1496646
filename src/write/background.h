/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * background: what comes to rest is compressed, unasked.
 *
 * WRITE: queue -> rest -> this: choose base -> ingest. One file at a time, by
 * a thread of its own whose helpers run when nobody else wants the CPU.
 *
 * A file stays as it is, whatever goes wrong: the reason goes to the log,
 * into the queue and into the ledger.
 */
#ifndef DFS_WRITE_BACKGROUND_H
#define DFS_WRITE_BACKGROUND_H

#include "store/bases.h"
#include "store/store.h"
#include "util/err.h"
#include "util/log.h"
#include "write/ingest.h"
#include "write/ledger.h"
#include "write/queue.h"
#include "write/turn.h"

struct dfs_background;

/* All borrowed until dfs_background_free(). */
struct dfs_background_config {
	struct dfs_store *store;	/* its writer lock is held */
	struct dfs_bases *bases;
	struct dfs_queue *queue;
	struct dfs_ledger *ledger;	/* may be NULL */
	struct dfs_reasons *reasons;	/* the ledger's; may be NULL */
	struct dfs_log *log;
	const char *codec;		/* SPEC; NULL: exact; of what comes after since */
	int64_t since;			/* nanoseconds since 1970 */
	unsigned quiet_ms;		/* where no policy says otherwise */
	unsigned threads;		/* that encode; 0: one a CPU */
	size_t cache_bytes;		/* for decoding what is verified */
	const struct dfs_ingest_watch *watch;	/* may be NULL */
	struct dfs_reader *shown;	/* by which others have the store's files open; may be NULL */
	struct dfs_turn *turn;		/* who else changes the bases */
};

/**
 * dfs_background_new() - start
 * Return: 0; -ENOMEM, -EAGAIN: no more threads.
 */
int dfs_background_new(const struct dfs_background_config *config, struct dfs_background **ret_background,
		       struct dfs_err *err);

/* dfs_background_free() - after dfs_queue_stop(): what is in work is given up within a tenth of a second. NULL is fine. */
void dfs_background_free(struct dfs_background *background);

#endif
