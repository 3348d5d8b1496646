/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_queue_quiet: quiet periods that are not the mount's own. */
#include "queued.h"

static void give_back_early(struct queued *q, const char *rel, unsigned ms)
{
	queued_take(q, rel);
	dfs_queue_done(q->queue, q->item, DFS_QUEUE_EARLY, ms, NULL);
}

static void the_shortest_there_is_counts(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_quiet(q.queue, 60000);
	dfs_queue_written(q.queue, "before");
	dfs_queue_quiet(q.queue, 100);
	dfs_queue_quiet(q.queue, 3000);
	dfs_queue_written(q.queue, "a");
	CHECK(queued_look(&q, "a").left_ms == 100 && queued_look(&q, "before").left_ms == QUIET);
	q.now += 100;
	queued_take(&q, "a");
	CHECK(q.item->age_ms == 100 && q.item->tries == 0);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	queued_free(&q);
}

static void what_was_taken_too_early_was_not_tried(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, 100);
	dfs_queue_written(q.queue, "a");
	q.now += 150;
	give_back_early(&q, "a", 850);
	CHECK(queued_look(&q, "a").left_ms == 850 && queued_look(&q, "a").why.id == DFS_REASON_NONE);
	q.now += 850;
	queued_take(&q, "a");
	CHECK(q.item->age_ms == 1000 && q.item->tries == 0);
	dfs_queue_written(q.queue, "a");	/* meanwhile: its age begins anew */
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_EARLY, 5, NULL);
	CHECK(queued_look(&q, "a").left_ms == 100);
	q.now += 100;
	queued_take(&q, "a");
	CHECK(q.item->age_ms == 100);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	queued_free(&q);
}

static void who_looks_again_changes_no_age(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_written(q.queue, "d/waits");
	dfs_queue_writing(q.queue, "d/open");
	dfs_queue_add(q.queue, "d/tried", 0);
	dfs_queue_written(q.queue, "other");
	queued_take(&q, "d/tried");
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 9000, NULL);
	q.now += 10;
	dfs_queue_look(q.queue, "d");
	dfs_queue_look(q.queue, "nothing/there");
	CHECK(queued_look(&q, "d/tried").left_ms == 8990 && queued_look(&q, "other").left_ms == QUIET - 10);
	CHECK(queued_look(&q, "d/open").state == DFS_QUEUE_OPEN);
	queued_take(&q, "d/waits");
	CHECK(q.item->age_ms == 10);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	queued_free(&q);
}

static void what_is_found_is_as_old_as_it_is(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_found(q.queue, "old", 7 * QUIET);
	queued_take(&q, "old");
	CHECK(q.item->age_ms == 7 * QUIET && !q.item->asked);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	dfs_queue_found(q.queue, "young", 1000);
	CHECK(queued_look(&q, "young").left_ms == QUIET - 1000);
	dfs_queue_written(q.queue, "there");
	dfs_queue_found(q.queue, "there", 7 * QUIET);
	CHECK(queued_look(&q, "there").left_ms == QUIET);
	queued_again(&q);
	CHECK(queued_count(&q, "") == 2);
	queued_free(&q);
}

static const struct CMUnitTest cases[] = {
	CASE(the_shortest_there_is_counts),
	CASE(what_was_taken_too_early_was_not_tried),
	CASE(who_looks_again_changes_no_age),
	CASE(what_is_found_is_as_old_as_it_is),
};

CHECK_MAIN(cases)
