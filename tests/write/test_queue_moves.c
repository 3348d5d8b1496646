/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_queue_moves: what is found out and told between a rename(2) and its notice. */
#include "queued.h"

static void what_was_looked_for_in_vain_waits_under_its_new_name(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_written(q.queue, "a");
	q.now += QUIET;
	queued_take(&q, "a");
	dfs_queue_move_begin(q.queue);
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_STAYS, 0, NULL);
	dfs_queue_moved(q.queue, "a", "b");
	dfs_queue_move_end(q.queue);
	CHECK(dfs_queue_settled(q.queue, "a") && queued_look(&q, "b").state == DFS_QUEUE_WAITING);
	/* and when nothing moves, it is forgotten */
	q.now += QUIET;
	queued_take(&q, "b");
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_STAYS, 0, NULL);
	CHECK(dfs_queue_settled(q.queue, "b"));
	queued_free(&q);
}

static void who_is_closed_under_the_new_name_waits(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_writing(q.queue, "d/open");
	dfs_queue_writing(q.queue, "d/closed");
	dfs_queue_written(q.queue, "e/old");
	dfs_queue_move_begin(q.queue);
	dfs_queue_written(q.queue, "e/closed");
	dfs_queue_written(q.queue, "e/fresh");
	dfs_queue_moved(q.queue, "d", "e");
	dfs_queue_move_end(q.queue);
	CHECK(dfs_queue_settled(q.queue, "d") && dfs_queue_settled(q.queue, "e/old"));
	CHECK(queued_look(&q, "e/open").state == DFS_QUEUE_OPEN);
	CHECK(queued_look(&q, "e/closed").state == DFS_QUEUE_WAITING);
	CHECK(queued_look(&q, "e/fresh").state == DFS_QUEUE_WAITING);
	queued_again(&q);
	CHECK(queued_count(&q, "") == 3);
	queued_free(&q);
}

static void so_it_is_of_two_that_change_places(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_writing(q.queue, "x");
	dfs_queue_writing(q.queue, "z");
	dfs_queue_move_begin(q.queue);
	dfs_queue_written(q.queue, "y");
	dfs_queue_exchanged(q.queue, "x", "y");
	dfs_queue_written(q.queue, "z");
	dfs_queue_exchanged(q.queue, "z", "w");
	dfs_queue_move_end(q.queue);
	CHECK(queued_look(&q, "y").state == DFS_QUEUE_WAITING);
	CHECK(queued_look(&q, "z").state == DFS_QUEUE_WAITING);
	queued_free(&q);
}

static void what_was_told_before_is_replaced(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_written(q.queue, "old");
	dfs_queue_writing(q.queue, "new");
	dfs_queue_move_begin(q.queue);
	dfs_queue_moved(q.queue, "new", "old");
	dfs_queue_move_end(q.queue);
	CHECK(queued_look(&q, "old").state == DFS_QUEUE_OPEN);
	queued_free(&q);
}

static const struct CMUnitTest cases[] = {
	CASE(what_was_looked_for_in_vain_waits_under_its_new_name),
	CASE(who_is_closed_under_the_new_name_waits),
	CASE(so_it_is_of_two_that_change_places),
	CASE(what_was_told_before_is_replaced),
};

CHECK_MAIN(cases)
