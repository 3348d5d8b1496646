/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survey: a walk through the directories of a store, when nobody else wants
 * the disk, for what their policies say of files that nobody writes to.
 *
 * WRITE: this -> queue. At the start, and again where a policy was changed:
 *
 *	quiet=		the queue learns the shortest quiet period there is
 *	existing=on	files below that are plain, and of which nothing is
 *			known, are queued, some dozens at a time
 *
 * Directories alone are opened, but below existing=on; other file systems
 * mounted in the store are not entered.
 */
#ifndef DFS_WRITE_SURVEY_H
#define DFS_WRITE_SURVEY_H

#include "store/store.h"
#include "util/err.h"
#include "util/log.h"
#include "write/ledger.h"
#include "write/queue.h"

/*
 * Files of the survey's in the queue at once. More: memory, and files written
 * meanwhile stand behind them; fewer: the queue runs dry between two looks.
 */
#define DFS_SURVEY_WAITING 32

struct dfs_survey;

/* All borrowed until dfs_survey_free(). */
struct dfs_survey_config {
	struct dfs_store *store;
	struct dfs_queue *queue;
	struct dfs_ledger *ledger;
	struct dfs_log *log;	/* may be NULL */
};

/**
 * dfs_survey_new() - start a thread that walks all of the store, once
 * Return: 0; -ENOMEM; -EAGAIN: no more threads.
 */
int dfs_survey_new(const struct dfs_survey_config *config, struct dfs_survey **ret_survey, struct dfs_err *err);

/* dfs_survey_look() - walk anew from @rel. Any thread; waits for nothing. */
void dfs_survey_look(struct dfs_survey *survey, const char *rel);

/* dfs_survey_free() - after dfs_queue_stop(): ends within a tenth of a second. NULL is fine. */
void dfs_survey_free(struct dfs_survey *survey);

#endif
