/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_admit: metadata of open containers is part of the memory that was allowed. */
#include "read/cache.h"

#include <errno.h>

#include "../check.h"

#define LIMIT (6u << 20)

static void metadata_beyond_half_of_the_memory_is_refused_and_not_counted(void **state)
{
	struct dfs_cache cache;

	(void)state;
	CHECK(dfs_cache_init(&cache, LIMIT, 0) == 0);
	CHECK(dfs_cache_admit(&cache, (1u << 20) + 1) == -E2BIG);
	CHECK(dfs_cache_admit(&cache, UINT64_MAX) == -E2BIG);
	CHECK(cache.metadata == 0);
	dfs_cache_release(&cache);
}

static void what_was_admitted_counts_until_it_is_dismissed(void **state)
{
	struct dfs_cache cache;

	(void)state;
	CHECK(dfs_cache_init(&cache, LIMIT, 0) == 0);
	CHECK(dfs_cache_admit(&cache, 1u << 19) == 0);
	CHECK(dfs_cache_admit(&cache, 1000) == 0);
	CHECK(cache.metadata == DFS_METADATA_COST * ((1u << 19) + 1000));
	CHECK(cache.peak == cache.metadata);
	dfs_cache_dismiss(&cache, DFS_METADATA_COST * (1u << 19));
	dfs_cache_dismiss(&cache, DFS_METADATA_COST * (1000));
	CHECK(cache.metadata == 0);
	dfs_cache_release(&cache);
}

static void that_of_all_together_leaves_a_quarter_for_chunks(void **state)
{
	struct dfs_cache cache;

	(void)state;
	CHECK(dfs_cache_init(&cache, LIMIT, 0) == 0);
	CHECK(dfs_cache_admit(&cache, 1u << 20) == 0); /* 3 of 6 MiB, so 1.5 are left of 4.5 */
	CHECK(dfs_cache_admit(&cache, (1u << 19) + 1) == -ENOMEM);
	CHECK(dfs_cache_admit(&cache, 1u << 19) == 0);
	CHECK(dfs_cache_admit(&cache, 1) == -ENOMEM);
	CHECK(cache.metadata == LIMIT / 4 * 3);
	dfs_cache_dismiss(&cache, DFS_METADATA_COST * (1u << 20));
	CHECK(dfs_cache_admit(&cache, 1) == 0);
	dfs_cache_release(&cache);
}

static void metadata_with_room_of_its_own_takes_none_of_the_chunks(void **state)
{
	struct dfs_cache cache;

	(void)state;
	CHECK(dfs_cache_init(&cache, LIMIT, 3 * LIMIT) == 0);
	CHECK(dfs_cache_metadata_most(&cache) == 2 * LIMIT);
	CHECK(dfs_cache_admit(&cache, 2 * LIMIT / DFS_METADATA_COST + 1) == -E2BIG);
	CHECK(dfs_cache_admit(&cache, 2 * LIMIT / DFS_METADATA_COST) == 0);
	CHECK(dfs_cache_admit(&cache, LIMIT / DFS_METADATA_COST + 1) == -ENOMEM);
	CHECK(dfs_cache_admit(&cache, LIMIT / DFS_METADATA_COST) == 0);
	CHECK(cache.peak == 0);
	dfs_cache_release(&cache);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(metadata_beyond_half_of_the_memory_is_refused_and_not_counted),
	cmocka_unit_test(what_was_admitted_counts_until_it_is_dismissed),
	cmocka_unit_test(that_of_all_together_leaves_a_quarter_for_chunks),
	cmocka_unit_test(metadata_with_room_of_its_own_takes_none_of_the_chunks),
};

CHECK_MAIN(cases)
