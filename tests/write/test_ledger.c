/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ledger: what became of files is told as it was noted, and of no other file. */
#include <stdlib.h>
#include <string.h>

#include "../check.h"
#include "write/ledger.h"

static struct stat file(ino_t ino, off_t size, time_t mtime)
{
	struct stat st = { .st_dev = 7, .st_ino = ino, .st_size = size };

	st.st_mtim.tv_sec = mtime;
	return st;
}

static void a_reason_is_the_file_s(void **state)
{
	struct dfs_ledger *l = dfs_ledger_new();
	const struct dfs_reason empty = { .id = DFS_REASON_EMPTY };
	struct stat st = file(12, 100, 1000), other;
	struct dfs_reason why;

	(void)state;
	CHECK(!dfs_ledger_find(l, &st, &why));
	dfs_ledger_note(l, "a", &st, &empty);
	CHECK(dfs_ledger_find(l, &st, &why) && why.id == DFS_REASON_EMPTY);
	/* written to, grown, replaced, on another file system */
	other = st, other.st_mtim.tv_nsec = 1;
	CHECK(!dfs_ledger_find(l, &other, &why));
	other = file(12, 101, 1000);
	CHECK(!dfs_ledger_find(l, &other, &why));
	other = file(13, 100, 1000);
	CHECK(!dfs_ledger_find(l, &other, &why));
	other = st, other.st_dev = 8;
	CHECK(!dfs_ledger_find(l, &other, &why));
	/* what does not stay so is not kept by the file */
	other = file(14, 1, 1);
	dfs_ledger_note(l, "b", NULL, &empty);
	CHECK(!dfs_ledger_find(l, &other, &why));
	dfs_ledger_free(l);
}

static void many_files_push_out_some_and_mix_up_none(void **state)
{
	struct dfs_ledger *l = dfs_ledger_new();
	struct dfs_reason why;
	unsigned kept = 0;

	(void)state;
	for (unsigned i = 1; i <= 20000; i++) {
		struct stat st = file(i, i, i);
		struct dfs_reason reason = { .id = DFS_REASON_NO_GAIN, .number = i };

		dfs_ledger_note(l, "x", &st, &reason);
	}
	for (unsigned i = 1; i <= 20000; i++) {
		struct stat st = file(i, i, i);

		if (!dfs_ledger_find(l, &st, &why))
			continue;
		CHECK(why.number == i);
		kept++;
	}
	CHECK(kept > 1000 && kept < 20000);
	dfs_ledger_free(l);
}

struct seen {
	unsigned n, stop;
	char names[DFS_LEDGER_LAST + 1][8];
	bool stays[DFS_LEDGER_LAST + 1];
};

static bool see(void *arg, const struct dfs_ledger_view *view)
{
	struct seen *seen = arg;

	snprintf(seen->names[seen->n], sizeof(seen->names[0]), "%s", view->rel);
	seen->stays[seen->n] = view->stays;
	return ++seen->n != seen->stop && seen->n <= DFS_LEDGER_LAST;
}

static void the_last_reasons_come_latest_first(void **state)
{
	struct dfs_ledger *l = dfs_ledger_new();
	const struct dfs_reason why = { .id = DFS_REASON_ROOM };
	struct dfs_ledger_totals totals;
	struct seen seen = { 0 }, two = { .stop = 2 };
	struct stat st = file(1, 1, 1);
	char name[8];

	(void)state;
	dfs_ledger_last(l, see, &seen);
	CHECK(seen.n == 0);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		dfs_ledger_note(l, name, i % 2 ? &st : NULL, &why);
	}
	dfs_ledger_last(l, see, &seen);
	CHECK(seen.n == DFS_LEDGER_LAST);
	assert_string_equal(seen.names[0], "f39");
	assert_string_equal(seen.names[DFS_LEDGER_LAST - 1], "f24");
	CHECK(seen.stays[0] && !seen.stays[1]);
	dfs_ledger_last(l, see, &two);
	CHECK(two.n == 2);
	dfs_ledger_totals(l, &totals);
	CHECK(totals.left == 20 && totals.put_off == 20 && totals.files == 0);
	dfs_ledger_free(l);
}

static void work_is_told_from_its_beginning_to_its_end(void **state)
{
	struct dfs_ledger *l = dfs_ledger_new();
	struct dfs_ledger_totals totals;
	struct dfs_ledger_work work;

	(void)state;
	CHECK(dfs_ledger_work(l, &work) == 0 && !work.rel);
	dfs_ledger_begin(l, "d/a");
	dfs_ledger_step(l, "encoding", 3, 10);
	CHECK(dfs_ledger_work(l, &work) == 0 && work.done == 3 && work.total == 10);
	assert_string_equal(work.rel, "d/a");
	assert_string_equal(work.step, "encoding");
	free(work.rel);
	dfs_ledger_compressed(l, 1000, 100);
	dfs_ledger_compressed(l, 500, 50);
	dfs_ledger_end(l);
	CHECK(dfs_ledger_work(l, &work) == 0 && !work.rel);
	dfs_ledger_totals(l, &totals);
	CHECK(totals.files == 2 && totals.original_bytes == 1500 && totals.stored_bytes == 150);
	dfs_ledger_free(l);
}

static void none_is_fine(void **state)
{
	const struct dfs_reason why = { .id = DFS_REASON_ROOM };
	struct dfs_ledger_totals totals;
	struct dfs_ledger_work work;
	struct stat st = file(1, 1, 1);
	struct dfs_reason found;

	(void)state;
	dfs_ledger_begin(NULL, "a");
	dfs_ledger_step(NULL, "encoding", 1, 2);
	dfs_ledger_compressed(NULL, 1, 1);
	dfs_ledger_note(NULL, "a", &st, &why);
	dfs_ledger_end(NULL);
	dfs_ledger_totals(NULL, &totals);
	CHECK(totals.files == 0 && dfs_ledger_work(NULL, &work) == 0 && !work.rel && !dfs_ledger_find(NULL, &st, &found));
	dfs_ledger_last(NULL, see, NULL);
	dfs_ledger_free(NULL);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(a_reason_is_the_file_s),
	cmocka_unit_test(many_files_push_out_some_and_mix_up_none),
	cmocka_unit_test(the_last_reasons_come_latest_first),
	cmocka_unit_test(work_is_told_from_its_beginning_to_its_end),
	cmocka_unit_test(none_is_fine),
};

CHECK_MAIN(cases)
