/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ledger: what becomes of files, for whoever asks, while the process lives.
 *
 * WRITE: background -> this -> reasons; this <- who shows it.
 *
 * Who compresses writes it, one file at a time. The reason why a file stays
 * plain, or a container is exact though it was not to be, is kept by the file
 * itself, across restarts (reasons.h): it follows a rename and is void once the
 * file is written again. The last few are also known by name, until the name is
 * removed or the file is written.
 *
 * All calls from any thread; those that say so do one write(2). NULL for a
 * ledger is fine, and keeps nothing.
 */
#ifndef DFS_WRITE_LEDGER_H
#define DFS_WRITE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "write/reason.h"
#include "write/reasons.h"

struct dfs_ledger;

/* dfs_ledger_new() - @reasons: where they are kept; borrowed; NULL: nowhere. Return: NULL: out of memory */
struct dfs_ledger *dfs_ledger_new(struct dfs_reasons *reasons);
void dfs_ledger_free(struct dfs_ledger *ledger);

/* --- from who compresses */

/* dfs_ledger_begin() - @rel is in work; dfs_ledger_end() follows */
void dfs_ledger_begin(struct dfs_ledger *ledger, const char *rel);
/* dfs_ledger_step() - how far. @step: "encoding", "verifying"; borrowed for ever. Cheap: call it often. */
void dfs_ledger_step(struct dfs_ledger *ledger, const char *step, uint64_t done, uint64_t total);
void dfs_ledger_end(struct dfs_ledger *ledger);

/* dfs_ledger_compressed() - what is in work became smaller, before dfs_ledger_end(). @lossy: and gave up bits. */
void dfs_ledger_compressed(struct dfs_ledger *ledger, uint64_t original_bytes, uint64_t stored_bytes, bool lossy);

/* dfs_ledger_exact() - the container of @st is exact, or partly, though bits were to be given up. One write(2). */
void dfs_ledger_exact(struct dfs_ledger *ledger, const struct stat *st, const struct dfs_reason *why);

/* dfs_ledger_held() - so many bytes are held by nothing but pins */
void dfs_ledger_held(struct dfs_ledger *ledger, uint64_t bytes);

/**
 * dfs_ledger_note() - @rel is plain, and why
 * @st: of the file, which stays so; NULL: it will be looked at again
 * One write(2), if @st has not this reason already.
 */
void dfs_ledger_note(struct dfs_ledger *ledger, const char *rel, const struct stat *st, const struct dfs_reason *why);

/* dfs_ledger_tidy() - dfs_reasons_tidy() */
void dfs_ledger_tidy(struct dfs_ledger *ledger);

/* --- from who changes the tree */

/* dfs_ledger_written() - the file of @st, at @rel, is about to be another: no reason holds. One write(2), if there was one. */
void dfs_ledger_written(struct dfs_ledger *ledger, const char *rel, const struct stat *st);

/* dfs_ledger_touched() - the file that looked like @before looks like @now, and has the same bytes. As dfs_ledger_written(). */
void dfs_ledger_touched(struct dfs_ledger *ledger, const struct stat *before, const struct stat *now);

/* dfs_ledger_removed() - @rel is gone, and all below it */
void dfs_ledger_removed(struct dfs_ledger *ledger, const char *rel);

/* dfs_ledger_gone() - the file of @st has no name any more, or is another. As dfs_ledger_written(). */
void dfs_ledger_gone(struct dfs_ledger *ledger, const struct stat *st);

/* dfs_ledger_moved() - @from, and all below it, has the name @to now; what had it is gone. @exchanged: it is @from now. */
void dfs_ledger_moved(struct dfs_ledger *ledger, const char *from, const char *to, bool exchanged);

/* --- asking */

/* dfs_ledger_find() - why the file of @st stays plain. Return: false: not known, or what was known is over: of several names one is left. */
bool dfs_ledger_find(struct dfs_ledger *ledger, const struct stat *st, struct dfs_reason *ret_why);

struct dfs_ledger_totals {
	uint64_t files, original_bytes, stored_bytes;	/* compressed */
	uint64_t lossy_files, lossy_original_bytes, lossy_stored_bytes;	/* those of them that gave up bits */
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

/* dfs_ledger_last() - the last reasons, the latest first, each file once; @each: false ends it; may not call back. */
void dfs_ledger_last(struct dfs_ledger *ledger, bool (*each)(void *arg, const struct dfs_ledger_view *view), void *arg);

#endif
