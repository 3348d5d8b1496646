/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ledger: see ledger.h. */
#include "write/ledger.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/tree.h"

struct last {
	char *rel;
	int64_t at_ms;
	bool stays;
	struct dfs_reason why;
};

struct dfs_ledger {
	struct dfs_reasons *reasons;	/* may be NULL */
	pthread_mutex_t lock;
	/* under lock */
	struct dfs_ledger_totals totals;
	char *rel;			/* in work; NULL: nothing is */
	int64_t begun_ms;
	const char *step;
	uint64_t done, total;
	struct last last[DFS_LEDGER_LAST];	/* a ring; without rel: nothing */
	unsigned n_last;		/* ever noted */
};

struct dfs_ledger *dfs_ledger_new(struct dfs_reasons *reasons)
{
	struct dfs_ledger *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->reasons = reasons;
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void dfs_ledger_free(struct dfs_ledger *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < DFS_LEDGER_LAST; i++)
		free(l->last[i].rel);
	free(l->rel);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Under the lock: the names of @rel and what is below it are nobody's. */
static void forget_below(struct dfs_ledger *l, const char *rel)
{
	for (size_t i = 0; i < DFS_LEDGER_LAST; i++) {
		struct last *last = &l->last[i];

		if (!last->rel || !dfs_tree_covers(rel, last->rel))
			continue;
		free(last->rel);
		*last = (struct last){ 0 };
	}
}

/* --- from who compresses */

void dfs_ledger_begin(struct dfs_ledger *l, const char *rel)
{
	char *copy = l ? strdup(rel) : NULL;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->rel = copy;
	l->begun_ms = dfs_clock_ms(CLOCK_MONOTONIC);
	l->step = "looking at";
	l->done = l->total = 0;
	pthread_mutex_unlock(&l->lock);
}

void dfs_ledger_step(struct dfs_ledger *l, const char *step, uint64_t done, uint64_t total)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->step = step;
	l->done = done;
	l->total = total;
	pthread_mutex_unlock(&l->lock);
}

void dfs_ledger_end(struct dfs_ledger *l)
{
	char *rel;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	rel = l->rel;
	l->rel = NULL;
	pthread_mutex_unlock(&l->lock);
	free(rel);
}

void dfs_ledger_compressed(struct dfs_ledger *l, uint64_t original_bytes, uint64_t stored_bytes, bool lossy)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->totals.files++;
	l->totals.original_bytes += original_bytes;
	l->totals.stored_bytes += stored_bytes;
	l->totals.lossy_files += lossy;
	l->totals.lossy_original_bytes += lossy ? original_bytes : 0;
	l->totals.lossy_stored_bytes += lossy ? stored_bytes : 0;
	l->totals.work_ms += (uint64_t)(dfs_clock_ms(CLOCK_MONOTONIC) - l->begun_ms);
	if (l->rel)
		forget_below(l, l->rel);
	pthread_mutex_unlock(&l->lock);
}

void dfs_ledger_exact(struct dfs_ledger *l, const struct stat *st, const struct dfs_reason *why)
{
	if (l && l->reasons)
		dfs_reasons_set(l->reasons, st, why);
}

void dfs_ledger_note(struct dfs_ledger *l, const char *rel, const struct stat *st, const struct dfs_reason *why)
{
	char *copy = l ? strdup(rel) : NULL;
	struct last *last;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	forget_below(l, rel);
	last = &l->last[l->n_last++ % DFS_LEDGER_LAST];
	free(last->rel);
	*last = (struct last){ copy, dfs_clock_ms(CLOCK_MONOTONIC), st != NULL, *why };
	l->totals.left += st != NULL;
	l->totals.put_off += st == NULL;
	pthread_mutex_unlock(&l->lock);
	/* that it is a base is told by the bases */
	if (st && l->reasons && why->id != DFS_REASON_BASE)
		dfs_reasons_set(l->reasons, st, why);
}

void dfs_ledger_tidy(struct dfs_ledger *l)
{
	if (l && l->reasons)
		dfs_reasons_tidy(l->reasons);
}

/* --- from who changes the tree */

void dfs_ledger_removed(struct dfs_ledger *l, const char *rel)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	forget_below(l, rel);
	pthread_mutex_unlock(&l->lock);
}

void dfs_ledger_gone(struct dfs_ledger *l, const struct stat *st)
{
	if (l && l->reasons)
		dfs_reasons_clear(l->reasons, st);
}

void dfs_ledger_written(struct dfs_ledger *l, const char *rel, const struct stat *st)
{
	dfs_ledger_removed(l, rel);
	if (st)
		dfs_ledger_gone(l, st);
}

void dfs_ledger_touched(struct dfs_ledger *l, const struct stat *before, const struct stat *now)
{
	struct dfs_reason why;

	if (l && l->reasons && dfs_reasons_find(l->reasons, before, &why))
		dfs_reasons_set(l->reasons, now, &why);
}

/* Out of memory: nobody's, as well. */
static void move_name(struct last *last, const char *from, const char *to)
{
	const char *below = last->rel + strlen(from);
	char *moved;

	if (asprintf(&moved, "%s%s", to, below) < 0)
		moved = NULL;
	free(last->rel);
	last->rel = moved;
}

void dfs_ledger_moved(struct dfs_ledger *l, const char *from, const char *to, bool exchanged)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	if (!exchanged)
		forget_below(l, to);
	for (size_t i = 0; i < DFS_LEDGER_LAST; i++) {
		struct last *last = &l->last[i];

		if (last->rel && dfs_tree_covers(from, last->rel))
			move_name(last, from, to);
		else if (last->rel && exchanged && dfs_tree_covers(to, last->rel))
			move_name(last, to, from);
	}
	pthread_mutex_unlock(&l->lock);
}

/* --- asking */

bool dfs_ledger_find(struct dfs_ledger *l, const struct stat *st, struct dfs_reason *ret_why)
{
	struct dfs_reason why;

	if (!l || !l->reasons || !dfs_reasons_find(l->reasons, st, &why) ||
	    (why.id == DFS_REASON_LINKS && st->st_nlink < 2))
		return false;
	*ret_why = why;
	return true;
}

void dfs_ledger_totals(struct dfs_ledger *l, struct dfs_ledger_totals *ret_totals)
{
	*ret_totals = (struct dfs_ledger_totals){ 0 };
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	*ret_totals = l->totals;
	pthread_mutex_unlock(&l->lock);
}

void dfs_ledger_held(struct dfs_ledger *l, uint64_t bytes)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->totals.held_bytes = bytes;
	pthread_mutex_unlock(&l->lock);
}

int dfs_ledger_work(struct dfs_ledger *l, struct dfs_ledger_work *ret_work)
{
	int ret = 0;

	*ret_work = (struct dfs_ledger_work){ 0 };
	if (!l)
		return 0;
	pthread_mutex_lock(&l->lock);
	if (l->rel) {
		*ret_work = (struct dfs_ledger_work){ strdup(l->rel), l->step, l->done, l->total };
		ret = ret_work->rel ? 0 : -ENOMEM;
	}
	pthread_mutex_unlock(&l->lock);
	return ret;
}

void dfs_ledger_last(struct dfs_ledger *l, bool (*each)(void *arg, const struct dfs_ledger_view *view), void *arg)
{
	int64_t now = dfs_clock_ms(CLOCK_MONOTONIC);
	bool more = true;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < DFS_LEDGER_LAST && i < l->n_last && more; i++) {
		const struct last *last = &l->last[(l->n_last - 1 - i) % DFS_LEDGER_LAST];
		struct dfs_ledger_view view = { last->rel, (uint64_t)(now - last->at_ms), last->stays, last->why };

		more = !last->rel || each(arg, &view);
	}
	pthread_mutex_unlock(&l->lock);
}
