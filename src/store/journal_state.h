/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_state: what journal.c (appending) and journal_anew.c (writing anew) share.
 *
 * Whoever sets writing has the descriptor, alone, until he clears it: a flush,
 * or the last step of writing anew. Others only add to out meanwhile.
 */
#ifndef DFS_STORE_JOURNAL_STATE_H
#define DFS_STORE_JOURNAL_STATE_H

#include <pthread.h>

#include "store/internal.h"
#include "store/journal.h"

/* Below it nothing is written anew: some thousand records, read in a millisecond. */
#define COMPACT_MIN (256u << 10)

/* After a failure: soon enough for a person who made room, too seldom to be noticed on a full disk. */
#define RETRY_MS 30000

struct dfs_journal {
	const struct dfs_journal_form *form;
	struct dfs_store *store;
	struct dfs_log *log;
	bool disabled;			/* nothing is ever written; fixed once open */
	bool frozen;			/* part of it could not be read: only appended to; fixed once open */

	pthread_mutex_t lock;
	pthread_cond_t written;		/* writing became false */
	struct dfs_buf out;		/* noted, and not in the file; under lock, as all below */
	struct dfs_buf since;		/* noted since the snapshot */
	bool compacting;		/* between snapshot and the last step of compact */
	bool since_lost;		/* since lacks something */
	bool stale;			/* the file lacks something: nothing is appended until it is written anew */
	bool told;			/* the log knows that it is stale */
	bool writing;
	bool unsynced;			/* something was appended since */
	uint64_t size;			/* of the file */
	uint64_t compact_size;		/* beyond it, the file is to be written anew */
	int64_t retry_ms;		/* CLOCK_MONOTONIC; not before */

	int fd;				/* of who set writing; -1: there is none, and the file is stale */
	bool glue;			/* the same: the file ends in a torn line */
	struct dfs_buf snapshot;	/* of who compacts, and the next */
	bool snapshot_lost;
};

/* dfs_journal_be_stale() - the file lacks something now. Under the lock, or before there are others. */
void dfs_journal_be_stale(struct dfs_journal *journal);

/* dfs_journal_tell() - a sentence about a failure, once until all is well again. Not under the lock. */
void dfs_journal_tell(struct dfs_journal *journal, const char *why);

#endif
