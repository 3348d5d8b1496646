/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_queue_memory: the n-th allocation fails, for every n, once and from
 * then on: a file may be forgotten until the next start, nothing else goes
 * wrong, and the disk knows what memory holds when there is memory again.
 */
#include "../no_memory.h"
#include "queued.h"
#include "write/queue_internal.h"
#include "write/reasons.h"

static bool see(void *arg, const struct dfs_queue_view *view)
{
	++((uint64_t *)arg)[view->state];
	return true;
}

/* Takes what is due, if anything is and there is memory for it. */
static struct dfs_queue_item *take(struct queued *q)
{
	struct dfs_queue_item *item = NULL;
	int ret = dfs_queue_try_take(q->queue, &item, NULL);

	CHECK(ret == 0 || ret == -EAGAIN);
	return item;
}

static void much_happens(struct queued *q)
{
	uint64_t n[DFS_QUEUE_STATES] = { 0 };
	struct dfs_queue_item *item;
	char path[32];

	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "dir-%d/file-%d", i % 3, i);
		dfs_queue_add(q->queue, path, 0);
	}
	dfs_queue_writing(q->queue, "open");
	dfs_queue_moved(q->queue, "dir-0", "new/dir");
	dfs_queue_exchanged(q->queue, "dir-1", "new/dir");
	dfs_queue_exchanged(q->queue, "dir-2/file-2", "elsewhere/x");
	dfs_queue_written(q->queue, "new/one");
	q->now += QUIET;
	item = take(q);
	if (item)
		dfs_queue_done(q->queue, item, DFS_QUEUE_LATER, 10, NULL);
	item = take(q);
	if (item)
		dfs_queue_moved(q->queue, item->rel, "moved/away");
	dfs_queue_removed(q->queue, "dir-2/file-5");
	dfs_queue_removed(q->queue, "dir-2/x.aria2");
	CHECK(dfs_queue_each(q->queue, "", see, n) == 0 || fault.fired);
	if (item)
		dfs_queue_done(q->queue, item, DFS_QUEUE_DONE, 0, NULL);
	dfs_queue_tidy(q->queue);
}

static void check_after(struct queued *q)
{
	uint64_t n[DFS_QUEUE_STATES] = { 0 };
	struct dfs_queue_stats stats;
	unsigned in_memory;
	bool told;

	fault.at = 0;
	CHECK_RET(0, dfs_queue_each(q->queue, "", see, n));
	dfs_queue_stats(q->queue, &stats);
	CHECK(memcmp(n, stats.n, sizeof(n)) == 0 && stats.n_taken == 0);
	dfs_queue_tidy(q->queue);
	told = dfs_journal_compact_in_ms(q->queue->pending) == -1;
	in_memory = queued_count(q, "");
	CHECK(in_memory >= 10 || fault.for_ever);
	queued_again(q);
	CHECK(queued_count(q, "") >= in_memory || !told); /* what memory forgot, disk may know */
}

static void a_queue_without_memory_forgets_and_no_more(void **state)
{
	unsigned n_whole = 0;

	(void)state;
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		fault.fired = true;
		for (unsigned at = 1; fault.fired; at++) {
			struct queued q;

			fault.at = 0;
			queued_new(&q, QUIET);
			fault.for_ever = for_ever;
			fault.fired = false;
			fault.calls = 0;
			fault.at = at;
			much_happens(&q);
			n_whole = fault.calls;
			check_after(&q);
			queued_free(&q);
		}
		CHECK(n_whole > 100);
	}
}

static void starting_without_memory_is_an_error_or_forgets(void **state)
{
	struct queued q;
	struct dfs_queue *queue;

	(void)state;
	fault.at = 0;
	queued_new(&q, QUIET);
	much_happens(&q);
	queued_free(&q);
	fault.for_ever = false;
	fault.fired = true;
	for (unsigned at = 1; fault.fired; at++) {
		DFS_AUTO(store) struct dfs_store *store = lock_store(".");
		struct dfs_queue_config config = { .store = store, .quiet_ms = 1 };
		int ret;

		fault.fired = false;
		fault.calls = 0;
		fault.at = at;
		ret = dfs_queue_new(&config, &queue, NULL);
		fault.at = 0;
		CHECK(ret == 0 || (ret == -ENOMEM && fault.fired));
		if (ret == 0)
			dfs_queue_free(queue);
	}
}

static void reasons_without_memory_are_not_kept(void **state)
{
	struct dfs_reason why;
	struct stat st = { .st_ino = 1 };

	(void)state;
	dfs_reason_set(&why, DFS_REASON_NO_GAIN, 98, "detail");
	fault.for_ever = false;
	fault.fired = true;
	for (unsigned at = 1; fault.fired; at++) {
		struct dfs_store *store;
		struct dfs_reasons *reasons = NULL;
		int ret;

		fault.at = 0;
		store = lock_store(".");
		fault.fired = false;
		fault.calls = 0;
		fault.at = at;
		ret = dfs_reasons_new(store, NULL, &reasons, NULL);
		CHECK(ret == 0 || (ret == -ENOMEM && fault.fired));
		if (ret == 0) {
			dfs_reasons_set(reasons, &st, &why);
			CHECK(dfs_reasons_find(reasons, &st, &why) || fault.fired);
			dfs_reasons_tidy(reasons);
			dfs_reasons_clear(reasons, &st);
			CHECK(!dfs_reasons_find(reasons, &st, &why));
		}
		fault.at = 0;
		dfs_reasons_free(reasons);
		dfs_store_close(store);
	}
}

static const struct CMUnitTest cases[] = {
	CASE(a_queue_without_memory_forgets_and_no_more),
	CASE(starting_without_memory_is_an_error_or_forgets),
	CASE(reasons_without_memory_are_not_kept),
};

CHECK_MAIN(cases)
