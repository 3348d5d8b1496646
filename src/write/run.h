/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run: the state of an encode under way; shared by schedule.c and measure.c.
 */
#ifndef DFS_WRITE_RUN_H
#define DFS_WRITE_RUN_H

#include <pthread.h>

#include "util/pool.h"
#include "write/expect.h"
#include "write/output.h"
#include "write/span.h"
#include "write/ticker.h"

/* Spans in the ring, at most: each holds half a megabyte of payload. */
#define DFS_RING_MAX 32
/*
 * Measured spans whose bytes are kept until they are encoded, a megabyte each;
 * the rest is read a second time. Most tensors of most models fit.
 */
#define DFS_KEPT 48

struct dfs_cursor {
	uint32_t segment, chunk;
};

struct dfs_run;

/* A span in the ring: being encoded, or waiting to be written. */
struct dfs_slot {
	struct dfs_job job;
	struct dfs_run *run;
	struct dfs_coded coded;
	struct dfs_span_bytes own;	/* of spans that were not kept */
	bool done;			/* under run->lock */
};

/* Bytes of a span that was measured and is to be encoded. */
struct dfs_kept {
	struct dfs_span_bytes bytes;
	uint64_t span;		/* whose: its number in the file, from 1 */
};

/* A span that is being measured. */
struct dfs_look {
	struct dfs_job job;
	struct dfs_run *run;
	struct dfs_span_place place;
	struct dfs_span_bytes *bytes;	/* NULL: not kept */
	struct dfs_look *next;		/* while idle; under run->lock */
};

struct dfs_run {
	struct dfs_work *w;
	struct dfs_output *out;
	const struct dfs_encode_config *config;
	struct dfs_pool *pool;
	struct dfs_slot *slots;
	unsigned n_slots;
	struct dfs_look *looks;
	struct dfs_kept kept[DFS_KEPT];		/* span n in [n % DFS_KEPT], until it is written */

	/* the caller's thread only */
	struct dfs_cursor measure, encode;
	uint64_t head, tail;		/* spans written, handed out; slots [head, tail) modulo n_slots are in use */
	uint64_t measured_spans;	/* handed out to be measured, or passed over */
	uint64_t written;		/* bytes of the file */
	struct dfs_ticker ticker;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t events;		/* under lock; grows with each that the caller may wait for */
	struct dfs_look *idle;		/* under lock */
	uint64_t measured;		/* bytes of the file; under lock */
	int ret;			/* the first failure; under lock */
	struct dfs_err err;		/* its sentence; under lock */
};

/* dfs_run_note() - something happened that the caller's thread may wait for; under the lock */
void dfs_run_note(struct dfs_run *r);
/* dfs_run_fail() - note the first failure; not under the lock */
void dfs_run_fail(struct dfs_run *r, int ret, const struct dfs_err *err);
bool dfs_run_failed(struct dfs_run *r);

/* dfs_run_prepare() - all of a segment is measured, or nothing is to be: make its tables. Once a segment. Return: 0; -ENOMEM. */
int dfs_run_prepare(struct dfs_run *r, uint32_t segment, struct dfs_err *err);

/* dfs_look_run() - of a struct dfs_look: measure its span, and prepare the segment if it was the last */
void dfs_look_run(struct dfs_job *job, void *hand);

#endif
