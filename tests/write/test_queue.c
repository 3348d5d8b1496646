/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_queue: whose turn it is and when, by a clock that the test sets. */
#include "queued.h"

static void nothing_is_due_before_it_was_quiet_long_enough(void **state)
{
	struct queued q;
	int64_t left;

	(void)state;
	queued_new(&q, QUIET);
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, &left));
	CHECK(left == -1);
	dfs_queue_written(q.queue, "a");
	q.now += QUIET - 1;
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, &left));
	CHECK(left == 1);
	dfs_queue_written(q.queue, "a"); /* again: from the start */
	q.now += QUIET - 1;
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, &left));
	q.now += 1;
	queued_take(&q, "a");
	CHECK(!dfs_queue_cancelled(q.queue, q.item));
	CHECK(!dfs_queue_settled(q.queue, "a"));
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	CHECK(dfs_queue_settled(q.queue, "a") && dfs_queue_settled(q.queue, ""));
	queued_free(&q);
}

static void the_earliest_comes_first(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_written(q.queue, "first");
	q.now += 5;
	dfs_queue_written(q.queue, "second");
	dfs_queue_written(q.queue, "third");
	dfs_queue_add(q.queue, "asked-for", 0);
	queued_take_and_end(&q, "asked-for");
	q.now += 10 * QUIET;
	dfs_queue_written(q.queue, "not yet");
	queued_take_and_end(&q, "first");
	queued_take_and_end(&q, "second");
	queued_take_and_end(&q, "third");
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, NULL));
	queued_free(&q);
}

static void a_file_that_is_being_written_is_never_due(void **state)
{
	struct queued q;
	int64_t left;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_writing(q.queue, "a");
	q.now += 1000 * QUIET;
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, &left));
	CHECK(left == -1 && !dfs_queue_settled(q.queue, "a"));
	dfs_queue_written(q.queue, "a");
	dfs_queue_writing(q.queue, "a");
	q.now += 1000 * QUIET;
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, &left));
	/* moved while it is open: still open, at its new name */
	dfs_queue_moved(q.queue, "a", "b");
	q.now += 1000 * QUIET;
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, &left));
	dfs_queue_written(q.queue, "b");
	q.now += QUIET;
	queued_take_and_end(&q, "b");
	CHECK(dfs_queue_settled(q.queue, ""));
	queued_free(&q);
}

/* What happens to a file in work. */

static void writes(struct dfs_queue *queue)
{
	dfs_queue_written(queue, "d/a");
}

static void moves(struct dfs_queue *queue)
{
	dfs_queue_moved(queue, "d/a", "b");
}

static void moves_directory(struct dfs_queue *queue)
{
	dfs_queue_moved(queue, "d", "e/f");
}

static void exchanges(struct dfs_queue *queue)
{
	dfs_queue_exchanged(queue, "x", "d/a");
}

static void removes(struct dfs_queue *queue)
{
	dfs_queue_removed(queue, "d/a");
}

static void removes_all(struct dfs_queue *queue)
{
	dfs_queue_removed(queue, "d");
}

static void replaces(struct dfs_queue *queue)
{
	dfs_queue_moved(queue, "never/queued", "d/a");
}

static void asks(struct dfs_queue *queue)
{
	dfs_queue_add(queue, "d/a", 0);
}

static void a_change_ends_work_at_once_and_the_outcome_does_not_count(void **state)
{
	static const struct {
		void (*happens)(struct dfs_queue *queue);
		const char *waits; /* NULL: nowhere */
	} rows[] = {
		{ writes, "d/a" }, { moves, "b" }, { moves_directory, "e/f/a" }, { exchanges, "x" },
		{ removes, NULL }, { removes_all, NULL }, { replaces, NULL }, { asks, "d/a" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int end = DFS_QUEUE_DONE; end <= DFS_QUEUE_LATER; end++) {
			struct queued q;
			struct dfs_queue_item *cancelled;

			queued_new(&q, QUIET);
			dfs_queue_written(q.queue, "d/a");
			q.now += QUIET;
			queued_take(&q, "d/a");
			rows[i].happens(q.queue);
			CHECK(dfs_queue_cancelled(q.queue, q.item));
			cancelled = q.item;
			assert_string_equal(cancelled->rel, "d/a");
			dfs_queue_done(q.queue, cancelled, (enum dfs_queue_end)end, 0, NULL);
			q.now += QUIET;
			CHECK(dfs_queue_settled(q.queue, "") == !rows[i].waits);
			queued_again(&q); /* on disk as well */
			q.now += QUIET;
			if (rows[i].waits)
				queued_take_and_end(&q, rows[i].waits);
			CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, NULL));
			queued_free(&q);
		}
	}
}

static void changes_of_others_cost_it_nothing(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_written(q.queue, "d/a");
	q.now += QUIET;
	queued_take(&q, "d/a");
	dfs_queue_written(q.queue, "d/ab");
	dfs_queue_written(q.queue, "d/b");
	dfs_queue_moved(q.queue, "d/b", "c");
	dfs_queue_removed(q.queue, "d/ab");
	dfs_queue_removed(q.queue, "d/a/nothing-is-below-a-file");
	dfs_queue_moved(q.queue, "d/a", "d/a"); /* the same inode under two names */
	dfs_queue_moved(q.queue, "d", "d/below");
	dfs_queue_exchanged(q.queue, "d", "d/a");
	CHECK(!dfs_queue_cancelled(q.queue, q.item));
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_STAYS, 0, NULL);
	CHECK(dfs_queue_settled(q.queue, "d"));
	queued_free(&q);
}

static void later_is_later_and_a_write_makes_it_new(void **state)
{
	struct queued q;
	struct dfs_reason why;

	(void)state;
	queued_new(&q, QUIET);
	dfs_reason_set(&why, DFS_REASON_ROOM, 14000000000, NULL);
	dfs_queue_written(q.queue, "a");
	q.now += QUIET;
	for (unsigned tries = 0; tries < 3; tries++) {
		queued_take(&q, "a");
		CHECK(q.item->tries == tries);
		dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 5000, &why);
		q.now += 4999;
		CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, NULL));
		CHECK(queued_look(&q, "a").why.id == DFS_REASON_ROOM);
		CHECK(queued_look(&q, "a").left_ms == 1 && queued_look(&q, "a").tries == tries + 1);
		q.now++;
	}
	dfs_queue_written(q.queue, "a");
	CHECK(queued_look(&q, "a").why.id == DFS_REASON_NONE && queued_look(&q, "a").tries == 0);
	q.now += QUIET;
	queued_take_and_end(&q, "a");
	queued_free(&q);
}

static void the_end_of_an_aria2_download_is_noticed(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_written(q.queue, "d/m");
	q.now += QUIET;
	queued_take(&q, "d/m");
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 600000, NULL);
	dfs_queue_removed(q.queue, "d/m.aria2");
	dfs_queue_removed(q.queue, "d/other.aria2");
	dfs_queue_removed(q.queue, ".aria2");
	q.now += QUIET;
	queued_take_and_end(&q, "d/m");
	queued_free(&q);
}

static void what_waits_survives_and_waits_anew(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_writing(q.queue, "open");
	dfs_queue_written(q.queue, "waiting");
	dfs_queue_add(q.queue, "in-work", 0);
	dfs_queue_add(q.queue, "done", 0);
	dfs_queue_add(q.queue, "stays", 0);
	dfs_queue_add(q.queue, "later", 0);
	queued_take(&q, "in-work");
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 0, NULL);
	queued_take_and_end(&q, "done");
	queued_take(&q, "stays");
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_STAYS, 0, NULL);
	queued_again(&q);
	CHECK(queued_count(&q, "") == 4);
	CHECK_RET(-EAGAIN, dfs_queue_try_take(q.queue, &q.item, NULL));
	q.now += QUIET;
	queued_take_and_end(&q, "open");
	queued_take_and_end(&q, "waiting");
	queued_take_and_end(&q, "in-work");
	queued_take_and_end(&q, "later");
	queued_again(&q);
	CHECK(queued_count(&q, "") == 0);
	queued_free(&q);
}

static void stopping_cancels_and_keeps_what_is_in_work(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_add(q.queue, "a", 0);
	dfs_queue_add(q.queue, "b", 0);
	queued_take(&q, "a");
	dfs_queue_stop(q.queue);
	CHECK(dfs_queue_cancelled(q.queue, q.item));
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_LATER, 0, NULL);
	CHECK_RET(-ESHUTDOWN, dfs_queue_try_take(q.queue, &q.item, NULL));
	CHECK_RET(-ESHUTDOWN, dfs_queue_take(q.queue, &q.item));
	dfs_queue_written(q.queue, "c"); /* by who is still being answered */
	queued_again(&q);
	CHECK(queued_count(&q, "") == 3);
	queued_free(&q);
}

static void totals_and_settled_are_by_directory(void **state)
{
	struct queued q;
	struct dfs_queue_stats stats;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_written(q.queue, "d/a");
	dfs_queue_written(q.queue, "d/e/b");
	dfs_queue_writing(q.queue, "c");
	dfs_queue_add(q.queue, "w", 0);
	dfs_queue_sized(q.queue, "d/a", 100);
	dfs_queue_sized(q.queue, "d/e/b", 30);
	dfs_queue_sized(q.queue, "d/e/b", 20);
	dfs_queue_sized(q.queue, "nobody", 7);
	queued_take(&q, "w");
	dfs_queue_stats(q.queue, &stats);
	CHECK(stats.n[DFS_QUEUE_OPEN] == 1 && stats.n[DFS_QUEUE_WAITING] == 2 && stats.n[DFS_QUEUE_IN_WORK] == 1);
	CHECK(stats.bytes == 120 && stats.n_taken == 1);
	CHECK(queued_count(&q, "d") == 2 && queued_count(&q, "d/e") == 1 && queued_count(&q, "x") == 0);
	CHECK(queued_look(&q, "w").state == DFS_QUEUE_IN_WORK && queued_look(&q, "c").state == DFS_QUEUE_OPEN);
	CHECK(queued_look(&q, "d/a").left_ms == QUIET && queued_look(&q, "d/a").bytes == 100);
	CHECK(!dfs_queue_settled(q.queue, "d") && !dfs_queue_settled(q.queue, "d/e") && !dfs_queue_settled(q.queue, "w"));
	CHECK(dfs_queue_settled(q.queue, "d/b") && dfs_queue_settled(q.queue, "d/ab"));
	dfs_queue_removed(q.queue, "w");
	dfs_queue_stats(q.queue, &stats);
	CHECK(stats.n[DFS_QUEUE_IN_WORK] == 0 && stats.n_taken == 1); /* its encoder has yet to notice */
	dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	dfs_queue_removed(q.queue, "d");
	dfs_queue_stats(q.queue, &stats);
	CHECK(stats.bytes == 0 && stats.n_taken == 0 && stats.n[DFS_QUEUE_WAITING] == 0);
	CHECK(dfs_queue_settled(q.queue, "d"));
	queued_free(&q);
}

static void ten_thousand_are_no_burden(void **state)
{
	struct queued q;
	clock_t begin = clock(); /* CPU time: the machine may be busy */
	char path[64];

	(void)state;
	queued_new(&q, QUIET);
	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "models/run/checkpoint-%d/model.safetensors", i);
		dfs_queue_written(q.queue, path);
	}
	for (int i = 0; i < 100; i++)
		dfs_queue_moved(q.queue, i % 2 ? "moved" : "models", i % 2 ? "models" : "moved");
	for (int i = 0; i < 100000; i++) { /* an rm -r of what was never queued */
		snprintf(path, sizeof(path), "models/run/checkpoint-%d/optimizer.pt", i % 10000);
		dfs_queue_removed(q.queue, path);
	}
	queued_again(&q);
	CHECK(queued_count(&q, "models/run") == 10000);
	q.now += QUIET;
	for (int i = 0; i < 5000; i++) {
		CHECK_RET(0, dfs_queue_try_take(q.queue, &q.item, NULL));
		dfs_queue_done(q.queue, q.item, DFS_QUEUE_DONE, 0, NULL);
	}
	dfs_queue_removed(q.queue, "models");
	CHECK(dfs_queue_settled(q.queue, ""));
	CHECK(clock() - begin < 20 * CLOCKS_PER_SEC); /* 0.25 s; 4 under TSan */
	queued_free(&q);
}

static void who_waits_for_a_time_gets_nothing_after_it(void **state)
{
	struct dfs_queue_item *item;
	struct queued q;
	double begin = queued_seconds();

	(void)state;
	queued_new(&q, QUIET);
	CHECK_RET(-EAGAIN, dfs_queue_take_within(q.queue, 150, &item));
	CHECK(queued_seconds() - begin >= 0.15);
	dfs_queue_add(q.queue, "a", 0);
	CHECK_RET(0, dfs_queue_take_within(q.queue, 0, &item));
	dfs_queue_done(q.queue, item, DFS_QUEUE_DONE, 0, NULL);
	dfs_queue_stop(q.queue);
	CHECK(dfs_queue_stopping(q.queue));
	CHECK_RET(-ESHUTDOWN, dfs_queue_take_within(q.queue, 150, &item));
	queued_free(&q);
}

static void names_that_change_are_counted(void **state)
{
	struct queued q;

	(void)state;
	queued_new(&q, QUIET);
	dfs_queue_written(q.queue, "a");
	CHECK(dfs_queue_changes(q.queue) == 0);
	dfs_queue_moved(q.queue, "a", "b");
	dfs_queue_moved(q.queue, "never/heard/of", "this");
	dfs_queue_exchanged(q.queue, "b", "c");
	dfs_queue_removed(q.queue, "nor/of/this");
	CHECK(dfs_queue_changes(q.queue) == 4);
	queued_free(&q);
}

static const struct CMUnitTest cases[] = {
	CASE(who_waits_for_a_time_gets_nothing_after_it),
	CASE(names_that_change_are_counted),
	CASE(nothing_is_due_before_it_was_quiet_long_enough),
	CASE(the_earliest_comes_first),
	CASE(a_file_that_is_being_written_is_never_due),
	CASE(a_change_ends_work_at_once_and_the_outcome_does_not_count),
	CASE(changes_of_others_cost_it_nothing),
	CASE(later_is_later_and_a_write_makes_it_new),
	CASE(the_end_of_an_aria2_download_is_noticed),
	CASE(what_waits_survives_and_waits_anew),
	CASE(stopping_cancels_and_keeps_what_is_in_work),
	CASE(totals_and_settled_are_by_directory),
	CASE(ten_thousand_are_no_burden),
};

CHECK_MAIN(cases)
