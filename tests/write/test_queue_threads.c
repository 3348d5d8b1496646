/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_queue_threads: who changes files and who works on them, at once and in real time. */
#include <pthread.h>
#include <sched.h>

#include "queued.h"

#define PATHS 40
#define WRITERS 3
#define TAKERS 2
#define WRITES 3000

static struct dfs_queue *queue;
static struct dfs_store *store;

static void open_queue(unsigned quiet_ms)
{
	struct dfs_queue_config config = { .quiet_ms = quiet_ms };
	struct dfs_err err = { "" };

	config.store = store = lock_store(".");
	CHECK_OK(dfs_queue_new(&config, &queue, &err), err);
}

static void close_queue(void)
{
	dfs_queue_free(queue);
	dfs_store_close(store);
}

/* --- the newest content is what ends up compressed */

static atomic_uint written[PATHS];	/* version of each file */
static atomic_uint compressed[PATHS];	/* version that was done last */
static atomic_uint n_cancelled, n_done;
static atomic_uint n_shared;		/* files that two had in work, and both counted; told by the main thread, where a check may fail */

/* Who has each file in work; a second may only have it once the first was cancelled. */
static pthread_mutex_t hands_lock = PTHREAD_MUTEX_INITIALIZER;
static struct dfs_queue_item *hands[PATHS];

static void path_of(int i, char *ret_path)
{
	snprintf(ret_path, 32, "dir-%d/file-%d", i % 4, i);
}

static void *writer_main(void *arg)
{
	unsigned random = (unsigned)(uintptr_t)arg;
	char path[32];

	for (int k = 0; k < WRITES; k++) {
		int i;

		random = random * 1103515245 + 12345;
		i = (int)(random >> 16) % PATHS;
		path_of(i, path);
		if (k % 3 == 0)
			dfs_queue_writing(queue, path);
		written[i]++;
		dfs_queue_written(queue, path);
		if (k % 64 == 0)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return NULL;
}

static void take_in_hand(int i, struct dfs_queue_item *item)
{
	pthread_mutex_lock(&hands_lock);
	/* Whoever took it first may come here last, and then that one is the cancelled. */
	if (!hands[i] || dfs_queue_cancelled(queue, hands[i]))
		hands[i] = item;
	else if (!dfs_queue_cancelled(queue, item))
		n_shared++;
	pthread_mutex_unlock(&hands_lock);
}

static void put_down(int i, struct dfs_queue_item *item)
{
	pthread_mutex_lock(&hands_lock);
	if (hands[i] == item)
		hands[i] = NULL;
	pthread_mutex_unlock(&hands_lock);
}

static void *taker_main(void *arg)
{
	struct dfs_queue_item *item;

	(void)arg;
	while (dfs_queue_take(queue, &item) == 0) {
		int i = atoi(strrchr(item->rel, '-') + 1);
		unsigned version;

		take_in_hand(i, item);
		version = written[i];
		sched_yield();
		put_down(i, item);
		if (dfs_queue_cancelled(queue, item)) {
			n_cancelled++;
			dfs_queue_done(queue, item, DFS_QUEUE_STAYS, 0, NULL);
			continue;
		}
		compressed[i] = version;
		n_done++;
		dfs_queue_done(queue, item, n_done % 5 ? DFS_QUEUE_DONE : DFS_QUEUE_LATER, 1, NULL);
	}
	return NULL;
}

static void the_last_write_is_never_forgotten(void **state)
{
	pthread_t writers[WRITERS], takers[TAKERS];
	double end;

	(void)state;
	open_queue(0); /* as many races as there can be */
	for (uintptr_t i = 0; i < TAKERS; i++)
		CHECK(pthread_create(&takers[i], NULL, taker_main, NULL) == 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		CHECK(pthread_create(&writers[i], NULL, writer_main, (void *)(i + 1)) == 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	end = queued_seconds() + 60;
	while (!dfs_queue_settled(queue, "") && queued_seconds() < end)
		sched_yield();
	CHECK(dfs_queue_settled(queue, ""));
	dfs_queue_stop(queue);
	for (int i = 0; i < TAKERS; i++)
		pthread_join(takers[i], NULL);
	CHECK(n_shared == 0);
	for (int i = 0; i < PATHS; i++)
		CHECK(written[i] > 0 && compressed[i] == written[i]);
	print_message("%u done, %u cancelled\n", (unsigned)n_done, (unsigned)n_cancelled);
	close_queue();
	open_queue(0); /* and nothing is left on disk */
	CHECK(dfs_queue_settled(queue, ""));
	close_queue();
}

/* --- waiting */

static void *one_take(void *arg)
{
	struct dfs_queue_item **ret_item = arg;

	if (dfs_queue_take(queue, ret_item) < 0)
		*ret_item = NULL;
	return NULL;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL);
}

static void who_waits_wakes_for_what_is_due_earlier(void **state)
{
	struct dfs_queue_item *item = NULL;
	double begin;
	pthread_t taker;

	(void)state;
	open_queue(3600000);
	dfs_queue_written(queue, "in an hour");
	CHECK(pthread_create(&taker, NULL, one_take, &item) == 0);
	nap();
	begin = queued_seconds();
	dfs_queue_add(queue, "soon", 50);
	pthread_join(taker, NULL);
	CHECK(item && strcmp(item->rel, "soon") == 0);
	CHECK(queued_seconds() - begin >= 0.045 && queued_seconds() - begin < 10);
	dfs_queue_done(queue, item, DFS_QUEUE_DONE, 0, NULL);
	close_queue();
}

static void who_waits_wakes_when_it_stops(void **state)
{
	struct dfs_queue_item *item = NULL;
	double begin;
	pthread_t taker;

	(void)state;
	open_queue(3600000);
	dfs_queue_written(queue, "in an hour");
	CHECK(pthread_create(&taker, NULL, one_take, &item) == 0);
	nap();
	begin = queued_seconds();
	dfs_queue_stop(queue);
	pthread_join(taker, NULL);
	CHECK(!item && queued_seconds() - begin < 5);
	close_queue();
}

/* --- everything at once */

static void *anything_main(void *arg)
{
	unsigned random = (unsigned)(uintptr_t)arg;
	char a[32], b[32];

	for (int k = 0; k < WRITES; k++) {
		random = random * 1103515245 + 12345;
		snprintf(a, sizeof(a), "%u/%u", random >> 8 & 3, random >> 10 & 7);
		snprintf(b, sizeof(b), "%u/%u", random >> 13 & 3, random >> 15 & 7);
		if (k % 2 == 0)
			dfs_queue_written(queue, a);
		else if (k % 8 == 1)
			dfs_queue_moved(queue, a, b);
		else if (k % 8 == 3)
			dfs_queue_removed(queue, a);
		else if (k % 16 == 5)
			dfs_queue_exchanged(queue, a, b);
		else
			dfs_queue_moved(queue, (char[]){ a[0], '\0' }, (char[]){ b[0], '\0' });
		dfs_queue_settled(queue, a);
		if (k % 100 == 0)
			dfs_queue_tidy(queue);
	}
	return NULL;
}

static void *any_taker_main(void *arg)
{
	struct dfs_queue_item *item;

	while (dfs_queue_take(queue, &item) == 0)
		dfs_queue_done(queue, item, (enum dfs_queue_end)(++*(unsigned *)arg % 3), 1, NULL);
	return NULL;
}

static bool note(void *arg, const struct dfs_queue_view *view)
{
	char (*paths)[32] = arg;
	size_t i = 0;

	while (paths[i][0])
		i++;
	snprintf(paths[i], 32, "%s", view->rel);
	return i < 62;
}

static void what_is_on_disk_is_what_is_in_memory(void **state)
{
	static char before[64][32], after[64][32];
	pthread_t threads[WRITERS], takers[TAKERS];
	unsigned ends[TAKERS] = { 0 };

	(void)state;
	open_queue(1);
	for (uintptr_t i = 0; i < TAKERS; i++)
		CHECK(pthread_create(&takers[i], NULL, any_taker_main, &ends[i]) == 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		CHECK(pthread_create(&threads[i], NULL, anything_main, (void *)(i + 10)) == 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	dfs_queue_stop(queue);
	for (int i = 0; i < TAKERS; i++)
		pthread_join(takers[i], NULL);
	dfs_queue_add(queue, "something", 0);
	CHECK_RET(0, dfs_queue_each(queue, "", note, before));
	close_queue();
	open_queue(1);
	CHECK_RET(0, dfs_queue_each(queue, "", note, after));
	for (size_t i = 0; i < 64; i++) {
		size_t k = 0;

		while (k < 64 && strcmp(before[i], after[k]) != 0)
			k++;
		CHECK(k < 64);
	}
	CHECK(strcmp(after[0], "") != 0);
	close_queue();
}

static const struct CMUnitTest cases[] = {
	CASE(the_last_write_is_never_forgotten),
	CASE(who_waits_wakes_for_what_is_due_earlier),
	CASE(who_waits_wakes_when_it_stops),
	CASE(what_is_on_disk_is_what_is_in_memory),
};

CHECK_MAIN(cases)
