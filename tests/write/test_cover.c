/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cover: the same as an array of a flag for each byte. */
#include "write/cover.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../check.h"

#define BLOCK DFS_COVER_BLOCK
#define ROOM (80 * BLOCK)

static bool there[ROOM];

static uint32_t random_below(uint32_t n)
{
	static uint64_t state = 42;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % n;
}

static uint64_t first(uint64_t off, uint64_t end, bool want)
{
	while (off < end && there[off] != want)
		off++;
	return off < end ? off : end;
}

static void check_range(const struct dfs_cover *cover, uint64_t off, uint64_t end)
{
	uint64_t from = 0, to = 0, last = end;
	bool gaps = dfs_cover_gaps(cover, off, end, &from, &to);

	assert_int_equal(dfs_cover_missing(cover, off, end), first(off, end, false));
	assert_int_equal(dfs_cover_present(cover, off, end), first(off, end, true));
	while (last > off && there[last - 1])
		last--;
	CHECK(gaps == (last > off));
	if (gaps) {
		assert_int_equal(from, first(off, end, false));
		assert_int_equal(to, last);
	}
}

static void add(struct dfs_cover *cover, uint64_t off, uint64_t end)
{
	int promised = dfs_cover_promise(cover, off, end);

	CHECK(promised >= 0);
	dfs_cover_add(cover, off, end, promised);
	for (uint64_t i = off; i < end; i++)
		there[i] = true;
}

/* Ranges of bytes, around bounds of blocks, and of blocks. */
static void pick(uint64_t size, uint64_t *off, uint64_t *end)
{
	uint64_t max = size + 2 * BLOCK;

	*off = random_below((uint32_t)max);
	if (random_below(2))
		*off -= *off % BLOCK;
	*end = *off + random_below(random_below(3) ? 700 : 20 * BLOCK);
	if (random_below(2))
		*end -= *end % BLOCK;
	if (random_below(8) == 0)
		*end = size;
	if (*end > max)
		*end = max;
	if (*end < *off)
		*end = *off;
}

static void compare(uint64_t size, int rounds)
{
	struct dfs_cover cover;

	for (uint64_t i = 0; i < ROOM; i++)
		there[i] = i >= size;
	CHECK_RET(0, dfs_cover_init(&cover, size));
	for (int i = 0; i < rounds; i++) {
		uint64_t off, end;

		pick(size, &off, &end);
		check_range(&cover, off, end);
		add(&cover, off, end);
		check_range(&cover, off, end);
		pick(size, &off, &end);
		check_range(&cover, off, end);
		check_range(&cover, 0, size);
	}
	add(&cover, 0, size);
	assert_int_equal(cover.n_pieces, 0);
	assert_int_equal(cover.promised, 0);
	assert_int_equal(dfs_cover_missing(&cover, 0, UINT64_MAX), UINT64_MAX);
	dfs_cover_release(&cover);
}

static void it_is_the_same_as_a_flag_for_each_byte(void **state)
{
	static const uint64_t sizes[] = {
		0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 64 * BLOCK - 1, 64 * BLOCK, 64 * BLOCK + 1, 70 * BLOCK + 1234,
	};
	(void)state;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (int pass = 0; pass < 8; pass++)
			compare(sizes[i], 10 << pass % 5);
}

static void blocks_need_no_pieces(void **state)
{
	struct dfs_cover cover;
	(void)state;

	CHECK_RET(0, dfs_cover_init(&cover, 10 * BLOCK + 7));
	CHECK_RET(0, dfs_cover_promise(&cover, BLOCK, 4 * BLOCK));
	CHECK_RET(0, dfs_cover_promise(&cover, 10 * BLOCK, 10 * BLOCK + 7));
	CHECK_RET(0, dfs_cover_promise(&cover, 10 * BLOCK, 20 * BLOCK));
	CHECK_RET(1, dfs_cover_promise(&cover, BLOCK, 4 * BLOCK + 1));
	CHECK_RET(2, dfs_cover_promise(&cover, BLOCK + 1, 4 * BLOCK + 1));
	/* Nor do bounds in blocks that are there. */
	dfs_cover_add(&cover, BLOCK, 5 * BLOCK, 0);
	CHECK_RET(0, dfs_cover_promise(&cover, BLOCK + 1, 4 * BLOCK + 1));
	dfs_cover_release(&cover);
}

static void pieces_are_bounded_and_promises_kept(void **state)
{
	uint64_t size = 4ull * DFS_COVER_PIECES;
	struct dfs_cover cover;
	unsigned n = 0;
	int promised;
	(void)state;

	CHECK_RET(0, dfs_cover_init(&cover, size));
	for (uint64_t off = 1; (promised = dfs_cover_promise(&cover, off, off + 1)) >= 0; off += 4, n++)
		dfs_cover_add(&cover, off, off + 1, promised);
	CHECK_RET(-EAGAIN, promised);
	/* The very last one fits only if one piece is all it may leave. */
	assert_int_equal(n, DFS_COVER_PIECES - 1);
	assert_int_equal(cover.n_pieces, n);
	CHECK_RET(0, dfs_cover_promise(&cover, 0, size));
	dfs_cover_add(&cover, 0, size, 0);
	assert_int_equal(cover.n_pieces, 0);
	dfs_cover_release(&cover);
}

static void a_promise_is_given_back_by_adding_nothing(void **state)
{
	struct dfs_cover cover;
	(void)state;

	CHECK_RET(0, dfs_cover_init(&cover, 1 << 20));
	for (int i = 0; i < DFS_COVER_PIECES; i++) {
		CHECK_RET(2, dfs_cover_promise(&cover, 1, 5));
		dfs_cover_add(&cover, 1, 1, 2);
	}
	assert_int_equal(cover.n_pieces, 0);
	CHECK(cover.cap <= 4);
	/* Many under way at once count as if they were over. */
	for (int i = 0; i < DFS_COVER_PIECES / 2; i++)
		CHECK_RET(2, dfs_cover_promise(&cover, 1, 5));
	CHECK_RET(-EAGAIN, dfs_cover_promise(&cover, 1, 5));
	dfs_cover_release(&cover);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(it_is_the_same_as_a_flag_for_each_byte),
	cmocka_unit_test(blocks_need_no_pieces),
	cmocka_unit_test(pieces_are_bounded_and_promises_kept),
	cmocka_unit_test(a_promise_is_given_back_by_adding_nothing),
};

CHECK_MAIN(cases)
