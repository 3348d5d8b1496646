/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pending_threads: many threads and rewrites, over a disk that now and then takes its time. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "given_pending.h"

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);

static void (*during_write)(void); /* once */

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	static atomic_uint calls;
	void (*now)(void) = during_write;

	if (now) {
		during_write = NULL;
		now();
	}
	if (++calls % 8 == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	return __real_write(fd, data, len);
}

#define THREADS 4
#define EACH 1000

static struct dfs_journal *shared;
static struct set shared_set;
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int running;

static void shared_say(enum dfs_pending_kind kind, const char *path, const char *to)
{
	pthread_mutex_lock(&shared_lock);
	set_apply(&shared_set, kind, path, to ? to : "");
	dfs_pending_note(shared, kind, path, to);
	pthread_mutex_unlock(&shared_lock);
	dfs_journal_flush(shared);
}

static void *changer(void *arg)
{
	char path[32], to[32];

	for (int i = 0; i < EACH; i++) {
		snprintf(path, sizeof(path), "%d/%d", (int)(intptr_t)arg, i % 40);
		snprintf(to, sizeof(to), "%d/%d", i % THREADS, 40 + i % 7);
		shared_say(DFS_PENDING_ADD, path, NULL);
		if (i % 3 == 0)
			shared_say(DFS_PENDING_MOVE, path, to);
		if (i % 5 == 0)
			shared_say(DFS_PENDING_DROP, to, NULL);
	}
	running--;
	return NULL;
}

static void records_keep_their_order_among_threads_and_rewrites(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	pthread_t threads[THREADS];
	unsigned anew = 0;

	(void)state;
	shared = open_pending(store, NULL, &shared_set);
	running = THREADS;
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, changer, (void *)i) == 0);
	for (; running && anew < 4; anew++) { /* a later one would hide what is out of order */
		pthread_mutex_lock(&shared_lock);
		dfs_journal_snapshot(shared);
		for (size_t i = 0; i < shared_set.n; i++)
			dfs_pending_snapshot_add(shared, shared_set.paths[i]);
		pthread_mutex_unlock(&shared_lock);
		CHECK_RET(0, dfs_journal_compact(shared));
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(anew > 0);
	dfs_journal_close(shared);
	check_disk(&shared_set);
	set_clear(&shared_set);
}

static atomic_bool rewritten;
static pthread_t rewriter;

static void *rewriter_main(void *arg)
{
	CHECK_RET(0, write_anew(shared, arg));
	rewritten = true;
	return NULL;
}

static void rewrite_now(void)
{
	CHECK(pthread_create(&rewriter, NULL, rewriter_main, &shared_set) == 0);
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	CHECK(!rewritten);
}

/* Or his descriptor would be closed, and perhaps another file's by then. */
static void a_rewrite_waits_for_who_writes(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");

	(void)state;
	shared = open_pending(store, NULL, &shared_set);
	say(shared, &shared_set, DFS_PENDING_ADD, "a", NULL);
	set_apply(&shared_set, DFS_PENDING_ADD, "b", "");
	during_write = rewrite_now;
	say(shared, NULL, DFS_PENDING_ADD, "b", NULL);
	pthread_join(rewriter, NULL);
	CHECK(rewritten);
	dfs_journal_close(shared);
	check_disk(&shared_set);
	set_clear(&shared_set);
}

static const struct CMUnitTest cases[] = {
	CASE(a_rewrite_waits_for_who_writes),
	CASE(records_keep_their_order_among_threads_and_rewrites),
};

CHECK_MAIN(cases)
