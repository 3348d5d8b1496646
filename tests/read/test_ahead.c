/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decode ahead: follows readers, stops at a tensor's end, wastes little. */
#include <stdlib.h>

#include "../check.h"
#include "pair.h"
#include "read/internal.h"

static struct pair pair;

/* Reads, lets guesses be decoded. Return: chunks decoded so far. */
static uint64_t decoded_after(uint64_t off, size_t len)
{
	struct dfs_reader_stats stats;

	CHECK(pair_is_right(&pair, off, len));
	dfs_pool_drain(pair.reader->decoders);
	dfs_reader_stats(pair.reader, &stats);
	return stats.chunks_decoded;
}

static bool is_decoded(uint64_t off)
{
	struct dfs_extent extent = dfs_extent_at(pair.view, off);
	bool there;

	pthread_mutex_lock(&pair.reader->cache.lock);
	there = dfs_chunks_find(&pair.reader->cache.chunks, pair.view, extent.chunk) != NULL;
	pthread_mutex_unlock(&pair.reader->cache.lock);
	return there;
}

static void the_first_read_of_a_tensor_has_more_decoded(void **state)
{
	uint64_t off = pair_tensor_off(&pair, "first.weight") + DFS_GRID;

	(void)state;
	pair_open(&pair, 0, 2, 1 << 20);
	decoded_after(off, DFS_GRID);
	CHECK(is_decoded(off + DFS_GRID));
	pair_close(&pair);
}

static void small_scattered_reads_have_nothing_decoded(void **state)
{
	uint64_t off = pair_tensor_off(&pair, "second.weight");
	uint64_t before = 0;

	(void)state;
	pair_open(&pair, 0, 2, 1 << 20);
	for (unsigned i = 0; i < 6; i++) {
		uint64_t now = decoded_after(off + (uint64_t)i * 2 * DFS_GRID + 1000, 4096);

		CHECK(now == before + 1);
		before = now;
	}
	pair_close(&pair);
}

static void small_reads_in_a_row_are_a_reader(void **state)
{
	uint64_t off = pair_tensor_off(&pair, "second.weight") / 4096 * 4096 + 4096;

	(void)state;
	pair_open(&pair, 0, 2, 1 << 20);
	for (unsigned i = 0; i < 4; i++)
		decoded_after(off + i * 4096, 4096);
	CHECK(is_decoded(off + 2 * DFS_GRID));
	pair_close(&pair);
}

static void a_guess_ends_with_its_tensor(void **state)
{
	uint64_t end = pair_tensor_off(&pair, "first.bias");
	uint64_t off = end - 3 * DFS_GRID;

	(void)state;
	pair_open(&pair, 0, 2, 1 << 20);
	decoded_after(off, DFS_GRID);
	decoded_after(off + DFS_GRID, DFS_GRID);
	CHECK(is_decoded(end - 1));
	CHECK(!is_decoded(pair_tensor_off(&pair, "second.weight") + 4096));
	pair_close(&pair);
}

static void two_readers_at_once_are_both_followed(void **state)
{
	uint64_t first = pair_tensor_off(&pair, "first.weight") + DFS_GRID;
	uint64_t second = pair_tensor_off(&pair, "second.weight") + DFS_GRID;

	(void)state;
	pair_open(&pair, 0, 2, 512 << 10);
	for (unsigned i = 0; i < 3; i++) {
		decoded_after(first + i * DFS_GRID, DFS_GRID);
		decoded_after(second + i * DFS_GRID, DFS_GRID);
	}
	CHECK(is_decoded(first + 4 * DFS_GRID));
	CHECK(is_decoded(second + 4 * DFS_GRID));
	pair_close(&pair);
}

static void reading_it_all_decodes_each_chunk_once(void **state)
{
	struct dfs_reader_stats stats;

	(void)state;
	pair_open(&pair, 0, 2, 0);
	for (uint64_t off = 0; off < pair.len; off += DFS_GRID)
		CHECK(pair_is_right(&pair, off, DFS_GRID));
	dfs_pool_drain(pair.reader->decoders);
	dfs_reader_stats(pair.reader, &stats);
	CHECK(stats.chunks_decoded == dfs_view_container(pair.view)->n_chunks);
	pair_close(&pair);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(the_first_read_of_a_tensor_has_more_decoded),
	cmocka_unit_test(small_scattered_reads_have_nothing_decoded),
	cmocka_unit_test(small_reads_in_a_row_are_a_reader),
	cmocka_unit_test(a_guess_ends_with_its_tensor),
	cmocka_unit_test(two_readers_at_once_are_both_followed),
	cmocka_unit_test(reading_it_all_decodes_each_chunk_once),
};

int main(int argc, char **argv)
{
	int status;

	pair_make(&pair);
	status = check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
	pair_remove(&pair);
	return status;
}
