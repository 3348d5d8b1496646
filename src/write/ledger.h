/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ledger: what becomes of files, for whoever asks, while the process lives.
 *
 * WRITE: background -> this <- who shows it.
 *
 * Who compresses writes it, one file at a time. The reason why a file stays
 * plain is kept by the file itself (device, inode, size, mtime), so that it
 * follows a rename and is void once the file is written again. There is room
 * for some thousands; what does not fit pushes out another.
 *
 * All calls from any thread; none waits for a disk. NULL for a ledger is fine,
 * and keeps nothing.
 */
#ifndef DFS_WRITE_LEDGER_H
#define DFS_WRITE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "write/reason.h"

struct dfs_ledger;

/* dfs_ledger_new() - Return: NULL: out of memory */
struct dfs_ledger *dfs_ledger_new(void);
void dfs_ledger_free(struct dfs_ledger *ledger);

/* --- from who compresses */

/* dfs_ledger_begin() - @rel is in work; dfs_ledger_end() follows */
void dfs_ledger_begin(struct dfs_ledger *ledger, const char *rel);
/* dfs_ledger_step() - how far. @step: "encoding", "verifying"; borrowed for ever. Cheap: call it often. */
void dfs_ledger_step(struct dfs_ledger *ledger, const char *step, uint64_t done, uint64_t total);
void dfs_ledger_end(struct dfs_ledger *ledger);

/* dfs_ledger_compressed() - what is in work became smaller, before dfs_ledger_end() */
void dfs_ledger_compressed(struct dfs_ledger *ledger, uint64_t original_bytes, uint64_t stored_bytes);

/* dfs_ledger_held() - so many bytes are held by nothing but pins */
void dfs_ledger_held(struct dfs_ledger *ledger, uint64_t bytes);

/**
 * dfs_ledger_note() - @rel is plain, and why
 * @st: of the file, which stays so; NULL: it will be looked at again
 */
void dfs_ledger_note(struct dfs_ledger *ledger, const char *rel, const struct stat *st, const struct dfs_reason *why);

/* --- asking */

/* dfs_ledger_find() - why the file of @st stays plain. Return: false: not known. */
bool dfs_ledger_find(struct dfs_ledger *ledger, const struct stat *st, struct dfs_reason *ret_why);

struct dfs_ledger_totals {
	uint64_t files, original_bytes, stored_bytes;	/* compressed */
	uint64_t work_ms;				/* that this took */
	uint64_t left;					/* times that a file was found to stay plain */
	uint64_t put_off;				/* times that one was to be tried again */
	uint64_t held_bytes;				/* by nothing but pins of bases, when it was last looked at */
};

void dfs_ledger_totals(struct dfs_ledger *ledger, struct dfs_ledger_totals *ret_totals);

/* What is in work now. */
struct dfs_ledger_work {
	char *rel;		/* free() it; NULL: nothing is */
	const char *step;
	uint64_t done, total;	/* bytes of this step */
};

/* dfs_ledger_work() - Return: 0; -ENOMEM */
int dfs_ledger_work(struct dfs_ledger *ledger, struct dfs_ledger_work *ret_work);

/* One of the last reasons, for the time of a call. */
struct dfs_ledger_view {
	const char *rel;
	uint64_t age_ms;
	bool stays;
	struct dfs_reason why;
};

#define DFS_LEDGER_LAST 16

/* dfs_ledger_last() - the last reasons, the latest first; @each: false ends it; may not call back. */
void dfs_ledger_last(struct dfs_ledger *ledger, bool (*each)(void *arg, const struct dfs_ledger_view *view), void *arg);

#endif
