/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/background.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/policy.h"
#include "util/clock.h"
#include "util/thread.h"
#include "write/relook.h"
#include "write/retire.h"
#include "write/task.h"

/*
 * Pins are looked at so often at most, and for a tenth of the time: looking may
 * be a walk of the store. Less often: the room of a base that was removed comes
 * back later.
 */
#define RETIRE_MS 1000
#define RETIRE_SHARE 10
/*
 * So long nothing must have happened before files are coded anew. In a training
 * loop that saves more often than that, they are about to be removed.
 */
#define CALM_MS 5000
/* When there is nothing to do: how late a removed name is seen, against how often an idle machine is woken. */
#define IDLE_MS 5000

struct dfs_background {
	struct dfs_background_config config;
	struct dfs_reader *reader;
	struct dfs_hand *hand;
	struct dfs_candidates *candidates;
	struct dfs_solos *solos;
	struct dfs_planned planned;	/* of the thread */
	struct dfs_relook relook;
	uint64_t retired_at;		/* dfs_queue_changes() when nothing more could go */
	int64_t retire_ms;		/* when to look again; CLOCK_MONOTONIC */
	bool worked;			/* since it was looked */
	uint64_t changes;		/* dfs_queue_changes(), and since when it is that with nothing to do */
	int64_t calm_since_ms;
	pthread_t thread;
};

/* How much of its quiet period is left. */
static unsigned early_ms(struct dfs_background *b, const struct dfs_queue_item *item, const struct dfs_policy *policy)
{
	unsigned quiet = dfs_policy_quiet_ms(policy, b->config.quiet_ms);

	if (item->asked || item->age_ms >= quiet)
		return 0;
	return quiet - (unsigned)item->age_ms;
}

/* Return: false: it was too early. */
static bool work_on(struct dfs_background *b, struct dfs_queue_item *item)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	const struct dfs_task_shared shared = { &b->config, b->reader, b->hand, b->candidates, b->solos, &b->planned, &policy };
	struct dfs_reason why = { .id = DFS_REASON_NONE };
	enum dfs_queue_end end;
	unsigned early;
	int ret = dfs_policy_load(b->config.store, item->rel, &policy);

	if (ret < 0) {
		dfs_reason_set(&why, DFS_REASON_DISK, 0, strerror(-ret));
		dfs_queue_done(b->config.queue, item, DFS_QUEUE_LATER, dfs_reason_again_ms(why.id, item->tries), &why);
		return true;
	}
	early = early_ms(b, item, &policy);
	if (early) {
		dfs_queue_done(b->config.queue, item, DFS_QUEUE_EARLY, early, NULL);
		return false;
	}
	dfs_turn_take(b->config.turn);
	dfs_ledger_begin(b->config.ledger, item->rel);
	end = dfs_task_run(&shared, item, &why);
	dfs_ledger_end(b->config.ledger);
	dfs_turn_end(b->config.turn);
	dfs_queue_done(b->config.queue, item, end, dfs_reason_again_ms(why.id, item->tries), &why);
	return true;
}

/* --- what nobody needs any more */

static void retire(struct dfs_background *b)
{
	const struct dfs_retire_config config = {
		.store = b->config.store, .queue = b->config.queue, .reader = b->reader, .shown = b->config.shown,
		.log = b->config.log, .watch = b->config.watch,
		.calm = dfs_clock_ms(CLOCK_MONOTONIC) - b->calm_since_ms >= CALM_MS && dfs_queue_settled(b->config.queue, ""),
	};
	uint64_t changes = dfs_queue_changes(b->config.queue), held;
	int64_t start = dfs_clock_ms(CLOCK_MONOTONIC), took;
	struct dfs_err err = { "" };
	int ret;

	dfs_turn_take(b->config.turn);
	ret = dfs_retire(&config, &held, &err);
	dfs_turn_end(b->config.turn);
	took = dfs_clock_ms(CLOCK_MONOTONIC) - start;
	b->retire_ms = start + took + (RETIRE_SHARE * took > RETIRE_MS ? RETIRE_SHARE * took : RETIRE_MS);
	dfs_ledger_held(b->config.ledger, held);
	if (ret == -EAGAIN)
		return;
	if (ret < 0 && ret != -ECANCELED)
		dfs_log_line(b->config.log, DFS_LOG_WARNING, "pins that nobody needs are not freed: %s", err.text);
	b->worked = false;
	b->retired_at = changes;
}

static void note_calm(struct dfs_background *b, bool worked)
{
	uint64_t changes = dfs_queue_changes(b->config.queue);

	if (worked || changes != b->changes)
		b->calm_since_ms = dfs_clock_ms(CLOCK_MONOTONIC);
	b->changes = changes;
	b->worked |= worked;
}

/* Only names that were removed or moved, and what was coded anew, make a pin free. */
static bool may_retire(const struct dfs_background *b)
{
	return b->worked || dfs_queue_changes(b->config.queue) != b->retired_at;
}

static void *background_main(void *arg)
{
	struct dfs_background *b = arg;
	struct dfs_queue_item *item;
	bool worked;
	int ret = 0;

	b->worked = true; /* by whoever was here before */
	while (ret != -ESHUTDOWN) {
		if (may_retire(b) && dfs_clock_ms(CLOCK_MONOTONIC) >= b->retire_ms)
			retire(b);
		ret = dfs_queue_take_within(b->config.queue, may_retire(b) ? RETIRE_MS : IDLE_MS, &item);
		if (ret < 0)
			dfs_candidates_drop(b->candidates);
		worked = ret == 0 && work_on(b, item);
		dfs_ledger_tidy(b->config.ledger);
		if (ret != -ESHUTDOWN)
			dfs_relook(&b->relook);
		note_calm(b, worked);
	}
	return NULL;
}

static void background_release(struct dfs_background *b)
{
	dfs_candidates_free(b->candidates);
	dfs_solos_free(b->solos);
	dfs_planned_release(&b->planned);
	dfs_reader_free(b->reader);
	dfs_hand_free(b->hand);
	free(b);
}

int dfs_background_new(const struct dfs_background_config *config, struct dfs_background **ret_background,
		       struct dfs_err *err)
{
	struct dfs_background *b = calloc(1, sizeof(*b));
	const struct dfs_reader_config reader = {
		/* What could be opened there must be verified here, with another beside it. */
		.cache_bytes = config->cache_bytes,
		.metadata_bytes = config->shown ? dfs_reader_metadata_most(config->shown) / 2 * 3 : 0,
		.threads = config->threads, .idle = true,
		.bases = config->bases, .log = config->log,
	};
	int ret = 0;

	if (!b)
		return dfs_fail(err, ENOMEM, "out of memory");
	b->config = *config;
	b->relook = (struct dfs_relook){
		.store = config->store, .queue = config->queue, .reasons = config->reasons, .log = config->log,
	};
	b->hand = dfs_hand_new();
	b->candidates = dfs_candidates_new(config->store, config->bases);
	b->solos = dfs_solos_new();
	if (!b->hand || !b->candidates || !b->solos)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	if (ret == 0)
		ret = dfs_reader_new(&reader, &b->reader, err);
	if (ret == 0 && dfs_thread_start(&b->thread, background_main, b) < 0)
		ret = dfs_fail(err, EAGAIN, "cannot start a thread");
	if (ret == 0) {
		*ret_background = b;
		return 0;
	}
	background_release(b);
	return ret;
}

void dfs_background_free(struct dfs_background *b)
{
	if (!b)
		return;
	pthread_join(b->thread, NULL);
	background_release(b);
}
