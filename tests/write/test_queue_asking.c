/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_queue_asking: what somebody asked for by name, and how much is left below a directory. */
#include "queued.h"

static void below_counts_what_is_below(void **state)
{
	struct queued q;
	struct dfs_queue_stats stats;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_add(q.queue, "d/now", 0);
	dfs_queue_written(q.queue, "d/a");
	dfs_queue_sized(q.queue, "d/a", 100);
	dfs_queue_writing(q.queue, "d/e/b");
	dfs_queue_written(q.queue, "da");
	dfs_queue_sized(q.queue, "da", 7);
	queued_take(&q, "d/now");
	dfs_queue_below(q.queue, "d", &stats);
	CHECK(stats.n[DFS_QUEUE_OPEN] == 1 && stats.n[DFS_QUEUE_WAITING] == 1 && stats.n[DFS_QUEUE_IN_WORK] == 1);
	CHECK(stats.bytes == 100);
	dfs_queue_below(q.queue, "d/a", &stats);
	CHECK(stats.n[DFS_QUEUE_OPEN] == 0 && stats.n[DFS_QUEUE_WAITING] == 1 && stats.n[DFS_QUEUE_IN_WORK] == 0);
	dfs_queue_below(q.queue, "", &stats);
	CHECK(stats.n[DFS_QUEUE_WAITING] == 2 && stats.bytes == 107);
	dfs_queue_below(q.queue, "x", &stats);
	CHECK(stats.n[DFS_QUEUE_OPEN] + stats.n[DFS_QUEUE_WAITING] + stats.n[DFS_QUEUE_IN_WORK] == 0);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	queued_free(&q);
}

/* Until it is written again: then nobody asks for it any more. */
static void what_was_asked_for_is_known_as_that(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_add(q.queue, "a", 0);
	queued_take(&q, "a");
	CHECK(q.item->asked);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 10, NULL);
	q.now += 10;
	queued_take(&q, "a");
	CHECK(q.item->asked && q.item->tries == 1);
	dfs_queue_written(q.queue, "a");
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 10, NULL);
	q.now += QUIET;
	queued_take(&q, "a");
	CHECK(!q.item->asked);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	queued_free(&q);
}

static bool keep(void *arg, const struct dfs_queue_view *view)
{
	*(struct dfs_reason *)arg = view->why;
	return false;
}

static struct dfs_reason why_of(struct queued *q, const char *rel)
{
	struct dfs_reason why = { .id = DFS_REASON_NONE };

	CHECK_RET(0, dfs_queue_each(q->queue, rel, keep, &why));
	return why;
}

static void who_keeps_it_open_is_known(void **state)
{
	const struct dfs_reason open = { .id = DFS_REASON_OPEN };
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_opened(q.queue, "a", 7); /* not there: nobody's business */
	dfs_queue_writing(q.queue, "a");
	CHECK(why_of(&q, "a").id == DFS_REASON_OPEN && why_of(&q, "a").number == 0);
	dfs_queue_opened(q.queue, "a", 12);
	CHECK(why_of(&q, "a").id == DFS_REASON_OPEN && why_of(&q, "a").number == 12);
	CHECK(dfs_queue_unfinished(q.queue, "a"));
	dfs_queue_written(q.queue, "a");
	CHECK(why_of(&q, "a").id == DFS_REASON_NONE && dfs_queue_unfinished(q.queue, "a"));
	q.now += QUIET;
	CHECK(!dfs_queue_unfinished(q.queue, "a"));
	/* opened by another, who has not written yet */
	dfs_queue_opened(q.queue, "a", 13);
	queued_take(&q, "a");
	CHECK(!dfs_queue_unfinished(q.queue, "a"));
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 10, &open);
	CHECK(why_of(&q, "a").id == DFS_REASON_OPEN && why_of(&q, "a").number == 13);
	CHECK(dfs_queue_unfinished(q.queue, "a"));
	queued_free(&q);
}

static void a_wish_holds_until_it_is_fulfilled(void **state)
{
	const struct dfs_queue_wish wish = { .given = true, .base = { { 1, 2, 3 } }, .uid = 7 };
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_add_over(q.queue, "a", 0, &wish);
	dfs_queue_writing(q.queue, "a"); /* whatever happens to it */
	dfs_queue_written(q.queue, "a");
	dfs_queue_moved(q.queue, "a", "b");
	q.now += QUIET;
	queued_take(&q, "b");
	CHECK(q.item->wish.given && dfs_hash_equal(q.item->wish.base, wish.base) && q.item->wish.uid == 7);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 10, NULL);
	q.now += 10;
	queued_take(&q, "b");
	CHECK(q.item->wish.given);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	dfs_queue_written(q.queue, "b");
	q.now += QUIET;
	queued_take(&q, "b");
	CHECK(!q.item->wish.given);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	dfs_queue_add_over(q.queue, "b", 0, &wish);
	dfs_queue_add(q.queue, "b", 0); /* another wants none */
	queued_take(&q, "b");
	CHECK(!q.item->wish.given);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	queued_free(&q);
}

static const struct CMUnitTest cases[] = {
	CASE(who_keeps_it_open_is_known),
	CASE(a_wish_holds_until_it_is_fulfilled),
	CASE(below_counts_what_is_below),
	CASE(what_was_asked_for_is_known_as_that),
};

CHECK_MAIN(cases)
