/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_admit: metadata of open containers is part of the memory that was allowed. */
#include "read/cache.h"

#include "../check.h"

#define LIMIT (6u << 20)

static void metadata_beyond_half_of_the_memory_is_refused_and_not_counted(void **state)
{
	struct dfs_cache cache;

	(void)state;
	CHECK(dfs_cache_init(&cache, LIMIT) == 0);
	CHECK(!dfs_cache_admit(&cache, (1u << 20) + 1));
	CHECK(!dfs_cache_admit(&cache, UINT64_MAX));
	CHECK(cache.metadata == 0);
	dfs_cache_release(&cache);
}

static void what_was_admitted_counts_until_it_is_dismissed(void **state)
{
	struct dfs_cache cache;

	(void)state;
	CHECK(dfs_cache_init(&cache, LIMIT) == 0);
	CHECK(dfs_cache_admit(&cache, 1u << 20));
	CHECK(dfs_cache_admit(&cache, 1000));
	CHECK(cache.metadata == DFS_METADATA_COST * ((1u << 20) + 1000));
	CHECK(cache.peak == cache.metadata);
	dfs_cache_dismiss(&cache, 1u << 20);
	dfs_cache_dismiss(&cache, 1000);
	CHECK(cache.metadata == 0);
	dfs_cache_release(&cache);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(metadata_beyond_half_of_the_memory_is_refused_and_not_counted),
	cmocka_unit_test(what_was_admitted_counts_until_it_is_dismissed),
};

CHECK_MAIN(cases)
