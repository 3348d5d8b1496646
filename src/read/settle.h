/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settle: is a base the content that containers were made against? Found out
 * in the background.
 *
 * READ: bases.c -> this -> store/bases
 *
 * Each chunk that is decoded over a base is checked against its own hash, so
 * no read waits for the answer. It tells a base that was altered before
 * anybody reads what was, and lets the next read look for the right one
 * elsewhere. Two occasions:
 *
 *	first use	hashed when nothing was read for a while, with a pause
 *			whenever something is; only where the configuration says
 *	suspicion	a chunk did not match: hashed at once
 *
 * One thread, at the lowest priority there is for CPU and disk; a base is in
 * its queue once; a first use gives its turn to a suspicion. No view is held
 * meanwhile: who closes a file gets its room back.
 */
#ifndef DFS_READ_SETTLE_H
#define DFS_READ_SETTLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "store/bases.h"
#include "util/log.h"
#include "util/pool.h"

struct dfs_settling;

struct dfs_settler {
	struct dfs_pool *pool;
	struct dfs_bases *bases;		/* borrowed; may be NULL */
	struct dfs_log *log;			/* borrowed; may be NULL */
	unsigned after_ms;			/* 0: first uses settle nothing */
	atomic_int_least64_t read_ms;		/* when something was last read */
	pthread_mutex_t lock;
	pthread_cond_t wake;			/* ending was set, or a suspicion came */
	struct dfs_settling *list;		/* under lock, as all below: queued or running */
	unsigned suspicions;			/* how many of them */
	bool ending;
};

/* dfs_settler_init() - Return: 0 or -errno: no thread to be had. */
int dfs_settler_init(struct dfs_settler *settler, struct dfs_bases *bases, struct dfs_log *log, unsigned after_ms);
/* dfs_settler_end() - start nothing more, and give up what runs: after the next 256 KiB; waits for nothing */
void dfs_settler_end(struct dfs_settler *settler);
void dfs_settler_release(struct dfs_settler *settler); /* calls dfs_settler_end(); nobody submits any more */

/* dfs_settler_note_read() - somebody reads: first uses wait */
void dfs_settler_note_read(struct dfs_settler *settler);
/* dfs_settler_first_use() - @base was opened for @want and is read now; cheap when there is nothing to do */
void dfs_settler_first_use(struct dfs_settler *settler, const struct dfs_base_file *want, struct dfs_base *base);
void dfs_settler_suspect(struct dfs_settler *settler, const struct dfs_base_file *want);

#endif
