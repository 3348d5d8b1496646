/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_due: the earliest first, against looking at all of them. */
#include "util/due.h"

#include <errno.h>
#include <stdlib.h>

#include "../check.h"

#define N 300

struct thing {
	struct dfs_due due;
	int64_t at_ms;
	uint64_t turn;
	int in;
};

static struct thing things[N];
static uint64_t turns;

static unsigned next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(*state >> 33);
}

static void put(struct dfs_due_heap *heap, struct thing *thing, int64_t at_ms)
{
	dfs_due_put(heap, &thing->due, at_ms);
	thing->at_ms = at_ms;
	thing->turn = turns++;
	thing->in = 1;
}

static void take_out(struct dfs_due_heap *heap, struct thing *thing)
{
	dfs_due_remove(heap, &thing->due);
	thing->in = 0;
}

static struct dfs_due *earliest(size_t *ret_n)
{
	struct thing *best = NULL;

	*ret_n = 0;
	for (struct thing *t = things; t < things + N; t++) {
		if (!t->in)
			continue;
		++*ret_n;
		if (!best || t->at_ms < best->at_ms || (t->at_ms == best->at_ms && t->turn < best->turn))
			best = t;
	}
	return best ? &best->due : NULL;
}

static void the_first_is_the_earliest_whatever_happens(void **state)
{
	struct dfs_due_heap heap = { 0 };
	uint64_t random = 42;
	size_t n;

	(void)state;
	CHECK_RET(0, dfs_due_reserve(&heap, N));
	for (int round = 0; round < 40000; round++) {
		struct thing *thing = &things[next_random(&random) % N];

		/* the number of them goes up and down */
		if (next_random(&random) % 100 < (round / 5000 % 2 ? 30u : 70u))
			put(&heap, thing, next_random(&random) % 50);
		else if (next_random(&random) % 2)
			take_out(&heap, thing);
		else if (dfs_due_first(&heap))
			take_out(&heap, (struct thing *)dfs_due_first(&heap));
		CHECK(dfs_due_first(&heap) == earliest(&n));
		CHECK(heap.n == n);
	}
	for (struct dfs_due *due; (due = dfs_due_first(&heap)); take_out(&heap, (struct thing *)due))
		CHECK(due == earliest(&n));
	CHECK(!earliest(&n));
	dfs_due_release(&heap);
}

static void room_is_made_once(void **state)
{
	struct dfs_due_heap heap = { 0 };

	(void)state;
	CHECK(dfs_due_first(&heap) == NULL);
	CHECK_RET(0, dfs_due_reserve(&heap, 1000));
	CHECK(heap.cap >= 1000);
	CHECK_RET(0, dfs_due_reserve(&heap, 10));
	CHECK(heap.cap >= 1000);
	dfs_due_release(&heap);
	dfs_due_release(&heap);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(the_first_is_the_earliest_whatever_happens),
	cmocka_unit_test(room_is_made_once),
};

CHECK_MAIN(cases)
