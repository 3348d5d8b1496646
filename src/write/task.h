/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * task: what becomes of one file that is due, and why.
 *
 * WRITE: queue -> this (policy_of -> rest -> candidates -> elect -> ingest) -> queue.
 */
#ifndef DFS_WRITE_TASK_H
#define DFS_WRITE_TASK_H

#include "store/policy.h"
#include "write/background.h"
#include "write/candidates.h"
#include "write/planned.h"
#include "write/solos.h"

/* What one thread has for all its files, and the policy for the one in work. All borrowed. */
struct dfs_task_shared {
	const struct dfs_background_config *config;
	struct dfs_reader *reader;
	struct dfs_hand *hand;
	struct dfs_candidates *candidates;
	struct dfs_solos *solos;
	struct dfs_planned *planned;
	const struct dfs_policy *policy;
};

/**
 * dfs_task_run() - compress a file, or say why not
 * @item: taken from the queue; for dfs_queue_done() afterwards
 * @ret_why: set unless it was compressed
 *
 * The log gets one line for each decision, the ledger a note. Return: how it ended.
 */
enum dfs_queue_end dfs_task_run(const struct dfs_task_shared *shared, struct dfs_queue_item *item,
				struct dfs_reason *ret_why);

#endif
