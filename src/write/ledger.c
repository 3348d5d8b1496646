/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ledger: see ledger.h. */
#include "util/clock.h"
#include "write/ledger.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Files whose reason is kept, each in the one place that its number says. More: memory; fewer: reasons that are forgotten. */
#define SLOTS 4096

struct slot {
	bool used;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct dfs_reason why;
};

struct last {
	char *rel;
	int64_t at_ms;
	bool stays;
	struct dfs_reason why;
};

struct dfs_ledger {
	pthread_mutex_t lock;
	/* under lock */
	struct dfs_ledger_totals totals;
	char *rel;			/* in work; NULL: nothing is */
	int64_t begun_ms;
	const char *step;
	uint64_t done, total;
	struct last last[DFS_LEDGER_LAST];	/* a ring */
	unsigned n_last;		/* ever noted */
	struct slot slots[SLOTS];
};

struct dfs_ledger *dfs_ledger_new(void)
{
	struct dfs_ledger *l = calloc(1, sizeof(*l));

	if (l)
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

void dfs_ledger_compressed(struct dfs_ledger *l, uint64_t original_bytes, uint64_t stored_bytes)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->totals.files++;
	l->totals.original_bytes += original_bytes;
	l->totals.stored_bytes += stored_bytes;
	l->totals.work_ms += (uint64_t)(dfs_clock_ms(CLOCK_MONOTONIC) - l->begun_ms);
	pthread_mutex_unlock(&l->lock);
}

static struct slot *slot_of(struct dfs_ledger *l, const struct stat *st)
{
	uint64_t mixed = ((uint64_t)st->st_ino ^ (uint64_t)st->st_dev << 40) * 0x9e3779b97f4a7c15u;

	return &l->slots[(mixed >> 32) % SLOTS];
}

void dfs_ledger_note(struct dfs_ledger *l, const char *rel, const struct stat *st, const struct dfs_reason *why)
{
	char *copy = l ? strdup(rel) : NULL, *pushed_out;
	struct last *last;

	if (!copy)
		return;
	pthread_mutex_lock(&l->lock);
	last = &l->last[l->n_last++ % DFS_LEDGER_LAST];
	pushed_out = last->rel;
	*last = (struct last){ copy, dfs_clock_ms(CLOCK_MONOTONIC), st != NULL, *why };
	l->totals.left += st != NULL;
	l->totals.put_off += st == NULL;
	if (st)
		*slot_of(l, st) = (struct slot){ true, st->st_dev, st->st_ino, st->st_size, st->st_mtim, *why };
	pthread_mutex_unlock(&l->lock);
	free(pushed_out);
}

/* --- asking */

static bool is_of(const struct slot *slot, const struct stat *st)
{
	return slot->used && slot->dev == st->st_dev && slot->ino == st->st_ino && slot->size == st->st_size &&
	       dfs_time_same(slot->mtime, st->st_mtim);
}

bool dfs_ledger_find(struct dfs_ledger *l, const struct stat *st, struct dfs_reason *ret_why)
{
	const struct slot *slot;
	bool found;

	if (!l)
		return false;
	pthread_mutex_lock(&l->lock);
	slot = slot_of(l, st);
	found = is_of(slot, st);
	if (found)
		*ret_why = slot->why;
	pthread_mutex_unlock(&l->lock);
	return found;
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

		more = each(arg, &view);
	}
	pthread_mutex_unlock(&l->lock);
}
