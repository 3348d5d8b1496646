/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relook: files that were refused for want of a base are looked at again when
 * there is another one, whoever added it, and also if it was added while
 * nothing was mounted.
 *
 * WRITE: reasons -> this -> queue. All calls from one thread.
 */
#ifndef DFS_WRITE_RELOOK_H
#define DFS_WRITE_RELOOK_H

#include <stdbool.h>
#include <time.h>

#include "store/store.h"
#include "util/log.h"
#include "write/queue.h"
#include "write/reasons.h"

/* Zero but for what is borrowed. */
struct dfs_relook {
	struct dfs_store *store;
	struct dfs_queue *queue;
	struct dfs_reasons *reasons;	/* NULL: nothing is to be done */
	struct dfs_log *log;		/* may be NULL */
	/* private */
	bool looked;
	struct timespec changed;	/* .deltafs/bases, when it was looked at */
};

/**
 * dfs_relook() - queue what a new base may be of use to
 *
 * Costs a stat(2) while the bases stay as they are, and a walk of the store
 * when one was added that some file may have wanted. Ends early when the queue
 * stops; what was missed is found at the next start.
 */
void dfs_relook(struct dfs_relook *relook);

#endif
