/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_turn: one at a time, who asks before who takes, and who gives up keeps nobody waiting. */
#include "../check.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "write/turn.h"

struct taker {
	struct dfs_turn *turn;
	atomic_uint *inside, *taken;
	atomic_bool *enough;
};

static void *take_again_and_again(void *arg)
{
	struct taker *t = arg;

	while (!atomic_load(t->enough)) {
		dfs_turn_take(t->turn);
		CHECK(atomic_fetch_add(t->inside, 1) == 0);
		atomic_fetch_add(t->taken, 1);
		atomic_fetch_sub(t->inside, 1);
		dfs_turn_end(t->turn);
	}
	return NULL;
}

static bool always(void *arg)
{
	(void)arg;
	return true;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void who_asks_gets_it_from_who_takes_it_all_the_time(void **state)
{
	struct dfs_turn *turn = dfs_turn_new();
	atomic_uint inside = 0, taken = 0;
	atomic_bool enough = false;
	struct taker taker = { turn, &inside, &taken, &enough };
	pthread_t threads[2];

	(void)state;
	CHECK(turn);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, take_again_and_again, &taker) == 0);
	for (int i = 0; i < 200; i++) {
		unsigned before;

		CHECK_RET(0, dfs_turn_ask(turn, always, NULL));
		CHECK(atomic_load(&inside) == 0);
		before = atomic_load(&taken);
		usleep(100);
		CHECK(atomic_load(&taken) == before);
		dfs_turn_end(turn);
	}
	atomic_store(&enough, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	dfs_turn_free(turn);
}

static void who_gives_up_has_nothing_and_holds_up_nobody(void **state)
{
	struct dfs_turn *turn = dfs_turn_new();

	(void)state;
	dfs_turn_take(turn);
	CHECK_RET(-ECANCELED, dfs_turn_ask(turn, never, NULL));
	dfs_turn_end(turn);
	dfs_turn_take(turn); /* would wait for ever */
	dfs_turn_end(turn);
	CHECK_RET(0, dfs_turn_ask(turn, never, NULL)); /* not asked when it is free */
	dfs_turn_end(turn);
	dfs_turn_free(turn);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(who_asks_gets_it_from_who_takes_it_all_the_time),
	cmocka_unit_test(who_gives_up_has_nothing_and_holds_up_nobody),
};

CHECK_MAIN(cases)
