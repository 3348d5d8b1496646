/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allowance: together within the bound, what is larger alone, and all get their turn. */
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "../check.h"
#include "write/allowance.h"

#define MOST 100
#define THREADS 8
#define TURNS 2000

struct takers {
	struct dfs_allowance allowance;
	atomic_size_t taken, holders, broken, largest;
};

static void hold(struct takers *t, size_t bytes)
{
	size_t all, holders, largest;

	dfs_allowance_take(&t->allowance, bytes);
	all = atomic_fetch_add(&t->taken, bytes) + bytes;
	holders = atomic_fetch_add(&t->holders, 1) + 1;
	if (all > MOST && holders > 1)
		atomic_fetch_add(&t->broken, 1);
	for (largest = atomic_load(&t->largest); all > largest;)
		if (atomic_compare_exchange_weak(&t->largest, &largest, all))
			break;
	sched_yield();	/* others look in */
	/* before it is given back, or others would be seen with it */
	atomic_fetch_sub(&t->holders, 1);
	atomic_fetch_sub(&t->taken, bytes);
	dfs_allowance_give(&t->allowance, bytes);
}

static void *take_turns(void *data)
{
	static const size_t sizes[] = { 1, 60, 40, 100, 250, 20, 30 };

	for (unsigned i = 0; i < TURNS; i++)
		hold(data, sizes[i % 7]);
	return NULL;
}

static void threads_stay_within_the_bound(void **state)
{
	struct takers t = { .taken = 0 };
	pthread_t threads[THREADS];

	(void)state;
	dfs_allowance_init(&t.allowance, MOST);
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, take_turns, &t) == 0);
	for (unsigned i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(t.broken == 0 && t.largest >= 250);
	CHECK(t.allowance.taken == 0);
	dfs_allowance_release(&t.allowance);
}

struct waiter {
	struct dfs_allowance *allowance;
	size_t bytes;
	atomic_bool in;
};

static void *wait_in(void *data)
{
	struct waiter *w = data;

	dfs_allowance_take(w->allowance, w->bytes);
	atomic_store(&w->in, true);
	dfs_allowance_give(w->allowance, w->bytes);
	return NULL;
}

static void what_fits_goes_in_beside_others_and_what_does_not_waits(void **state)
{
	struct dfs_allowance allowance;
	struct waiter large = { .allowance = &allowance, .bytes = 250 };
	pthread_t thread;

	(void)state;
	dfs_allowance_init(&allowance, MOST);
	dfs_allowance_take(&allowance, 60);
	dfs_allowance_take(&allowance, 40);	/* or this would never return */
	CHECK(pthread_create(&thread, NULL, wait_in, &large) == 0);
	dfs_allowance_give(&allowance, 60);
	usleep(20000);	/* time enough to go in wrongly */
	CHECK(!large.in);
	dfs_allowance_give(&allowance, 40);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(large.in);
	dfs_allowance_release(&allowance);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(threads_stay_within_the_bound),
	cmocka_unit_test(what_fits_goes_in_beside_others_and_what_does_not_waits),
};

CHECK_MAIN(cases)
