/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thaw_state: a thaw under way; shared by thaw.c, thaw_data.c and thaw_step.c.
 *
 * Who puts bytes into the temporary takes a turn for the range, under the
 * lock, and writes without it. Old bytes and new ones never have a turn in the
 * same place at once: a writer waits for old bytes that are on their way; old
 * bytes announce themselves, wait for the writers that came before, and then
 * leave out what is there. A writer who has his turn waits for nobody.
 */
#ifndef DFS_WRITE_THAW_STATE_H
#define DFS_WRITE_THAW_STATE_H

#include <pthread.h>

#include "write/cover.h"
#include "write/thaw.h"

/* Decoded at once: a few chunks, so that several threads decode. Larger: a cancel and a writer in the same place wait longer. */
#define DFS_THAW_WINDOW (1u << 20)
_Static_assert(DFS_THAW_WINDOW % DFS_COVER_BLOCK == 0, "what is decoded ends with a block");

struct dfs_thaw_turn {
	uint64_t off, end;
	bool old;			/* of old bytes, not of a write */
	struct dfs_thaw_turn *next;
};

enum dfs_thaw_state { DFS_THAW_IDLE, DFS_THAW_RUNNING, DFS_THAW_COMPLETE, DFS_THAW_FAILED };

struct dfs_thaw {
	struct dfs_store *store;
	struct dfs_pool *pool;
	struct dfs_view *view;
	char *name;
	char *tmp_name;			/* NULL: taken; under lock */
	int fd;
	uint64_t old_size;

	pthread_mutex_t lock;
	pthread_cond_t changed;		/* a turn or the window's read is over, submitting ended, or it was cancelled */
	unsigned refs;			/* the owner's, the job's, the window's read's; under lock */
	enum dfs_thaw_state state;	/* under lock */
	int ret;			/* of FAILED; under lock */
	struct dfs_err err;		/* its sentence; under lock */
	struct dfs_cover cover;		/* of the old size's bytes; under lock */
	uint64_t size;			/* the old one, or the end of what was written; under lock */
	struct dfs_thaw_turn *turns;	/* under lock */
	struct dfs_thaw_wait *waits, **last_wait;	/* under lock */

	/* thaw_step.c */
	struct dfs_job job;
	uint64_t cursor;		/* all before it is there; under lock */
	struct dfs_read read;		/* of the window */
	uint8_t *window;		/* the job's; once cancelled, the read's until that is over */
	bool submitting;		/* the job uses the view; under lock */
	bool over;			/* the read; under lock */
	int read_ret;			/* then; under lock */
	struct dfs_err read_err;	/* then; under lock */
};

/*
 * thaw.c
 */

/* dfs_thaw_start() - begin, under the lock */
void dfs_thaw_start(struct dfs_thaw *thaw);
/* dfs_thaw_end() - @ret 0: complete; else it failed, for @err; if it runs still. Under the lock. */
void dfs_thaw_end(struct dfs_thaw *thaw, int ret, const struct dfs_err *err);
/* dfs_thaw_unref() - under the lock, which is gone afterwards */
void dfs_thaw_unref(struct dfs_thaw *thaw);

/*
 * thaw_data.c
 */

/**
 * dfs_thaw_put_old() - old bytes go into the temporary where nothing is there yet
 * @off, @end: as dfs_cover_add() takes them without a promise
 *
 * Nothing happens if it does not run. Return: 0; errors of pwrite(2).
 */
int dfs_thaw_put_old(struct dfs_thaw *thaw, uint64_t off, uint64_t end, const uint8_t *bytes, struct dfs_err *err);

/*
 * thaw_step.c
 */

/* dfs_thaw_run() - of struct dfs_thaw's job: decode a window, then queue the next */
void dfs_thaw_run(struct dfs_job *job, void *local);

#endif
