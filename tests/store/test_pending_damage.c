/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pending_damage: cut anywhere, with any bit flipped, with noise in it: every other line counts. */
#include "given_pending.h"

#define LINES 12

/* A file of LINES adds. Return: its length. */
static size_t given_lines(uint8_t *bytes, size_t room)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct set set = { .n = 0 };
	struct dfs_journal *pending;
	char path[32];

	unlink(PENDING);
	pending = open_pending(store, NULL, &set);
	for (int i = 0; i < LINES; i++) {
		snprintf(path, sizeof(path), "dir/model-%d", i);
		say(pending, NULL, DFS_PENDING_ADD, path, NULL);
	}
	dfs_journal_close(pending);
	return slurp(bytes, room);
}

/* Nothing else than those lines; how many are missing. */
static unsigned missing(const struct set *set)
{
	unsigned found = 0;
	char path[32];

	for (int i = 0; i < LINES; i++) {
		snprintf(path, sizeof(path), "dir/model-%d", i);
		found += set_has(set, path);
	}
	CHECK(found == set->n && set->records == found);
	return LINES - found;
}

/* A start with the damaged file, one more path, the file written anew or not: what is found next time. */
static void survives(bool anew, unsigned at_most_missing)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	struct set set = { .n = 0 };
	struct dfs_journal *pending = open_pending(store, NULL, &set);

	CHECK(missing(&set) <= at_most_missing);
	if (anew)
		CHECK_RET(0, write_anew(pending, &set));
	say(pending, &set, DFS_PENDING_ADD, "later", NULL);
	dfs_journal_close(pending);
	check_disk(&set);
	CHECK(!anew || count_damaged(set.n) == 0);
	set_clear(&set);
}

static void every_truncation_keeps_all_whole_lines(void **state)
{
	uint8_t bytes[2048];
	size_t len = given_lines(bytes, sizeof(bytes));

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		unsigned whole = 0;

		for (size_t i = 0; i < cut; i++)
			whole += bytes[i] == '\n';
		put(PENDING, bytes, cut);
		survives(cut % 8 == 0, LINES + 1 - (whole ? whole : 1));
	}
}

static void every_flipped_bit_costs_its_line_and_no_other(void **state)
{
	uint8_t bytes[2048];
	size_t len = given_lines(bytes, sizeof(bytes));

	(void)state;
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct set set = { .n = 0 };
		bool newline = bytes[bit / 8] == '\n';

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		put(PENDING, bytes, len);
		read_set(&set);
		/* without the newline after it, the next line is lost with it; the version's is nobody's path */
		CHECK(missing(&set) <= (newline ? 2u : 1u));
		set_clear(&set);
		if (bit % 37 == 0)
			survives(bit % 2, newline ? 2 : 1);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* Any bytes but few newlines, and one at the end. Return: @len. */
static size_t make_noise(uint8_t *bytes, size_t len, uint64_t *random)
{
	for (size_t i = 0; i < len; i++) {
		*random = *random * 6364136223846793005ull + 1442695040888963407ull;
		bytes[i] = (uint8_t)(*random >> 56);
		if (len > 1000 && bytes[i] == '\n') /* longer than any line may be */
			bytes[i] = 0;
	}
	bytes[len - 1] = '\n';
	return len;
}

static void noise_between_lines_is_one_line_in_the_log(void **state)
{
	static uint8_t bytes[2048], noisy[300000];
	size_t len = given_lines(bytes, sizeof(bytes)), n = 0;
	uint64_t random = 1;
	unsigned lines = 0;
	struct set set = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < len; i++) {
		noisy[n++] = bytes[i];
		if (bytes[i] == '\n')
			n += make_noise(noisy + n, lines++ % 6 ? 200 : 70000, &random);
	}
	put(PENDING, noisy, n);
	{
		DFS_AUTO(store) struct dfs_store *store = lock_store(".");
		struct dfs_log *log = dfs_log_new(DFS_LOG_TO_FILE, "log", DFS_LOG_INFO);
		struct dfs_journal *pending = open_pending(store, log, &set);

		CHECK(missing(&set) == 0);
		CHECK(count_lines("log") == 1);
		CHECK(dfs_journal_compact_in_ms(pending) == 0);
		CHECK_RET(0, write_anew(pending, &set));
		CHECK(dfs_journal_compact_in_ms(pending) == -1);
		dfs_journal_close(pending);
		dfs_log_free(log);
	}
	CHECK(count_lines(PENDING) == LINES + 1);
	check_disk(&set);
	set_clear(&set);
}

/* The end of one, beginning where a reading of 64 KiB ends, looks like a line. */
static void a_line_that_is_too_long_is_one_line(void **state)
{
	struct dfs_buf bytes = { 0 };

	(void)state;
	CHECK(mkdir(".deltafs", 0700) == 0);
	memset(dfs_buf_extend(&bytes, 65536), 'x', 65536);
	CHECK_RET(0, dfs_journal_line(&bytes, (const char *[]){ "add", "a" }, 2));
	put(PENDING, bytes.data, bytes.len);
	CHECK(count_damaged(0) == 1);
	dfs_buf_release(&bytes);
}

static const struct CMUnitTest cases[] = {
	CASE(every_truncation_keeps_all_whole_lines),
	CASE(every_flipped_bit_costs_its_line_and_no_other),
	CASE(noise_between_lines_is_one_line_in_the_log),
	CASE(a_line_that_is_too_long_is_one_line),
};

CHECK_MAIN(cases)
