/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ledger: what became of files is told as it was noted, and of no other file. */
#include <stdlib.h>
#include <string.h>

#include "../store/given.h"
#include "write/ledger.h"

static struct dfs_store *store;
static struct dfs_reasons *reasons;

static struct dfs_ledger *ledger_open(void)
{
	struct dfs_err err = { "" };

	store = lock_store(".");
	CHECK_OK(dfs_reasons_new(store, NULL, &reasons, &err), err);
	return dfs_ledger_new(reasons);
}

static void ledger_close(struct dfs_ledger *l)
{
	dfs_ledger_free(l);
	dfs_reasons_free(reasons);
	dfs_store_close(store);
}

static struct stat file(ino_t ino, off_t size, time_t mtime)
{
	struct stat st = { .st_dev = 7, .st_ino = ino, .st_size = size };

	st.st_mtim.tv_sec = mtime;
	return st;
}

static void a_reason_is_the_file_s(void **state)
{
	struct dfs_ledger *l = ledger_open();
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
	ledger_close(l);
}

static void a_reason_outlives_the_process(void **state)
{
	struct dfs_ledger *l = ledger_open();
	const struct dfs_reason by_hand = { .id = DFS_REASON_BY_HAND }, base = { .id = DFS_REASON_BASE };
	struct stat st = file(12, 100, 1000), other = file(13, 100, 1000), later = file(12, 100, 2000);
	struct dfs_reason why;

	(void)state;
	dfs_ledger_note(l, "a", &st, &by_hand);
	dfs_ledger_note(l, "base", &other, &base);
	ledger_close(l);
	l = ledger_open();
	CHECK(dfs_ledger_find(l, &st, &why) && why.id == DFS_REASON_BY_HAND);
	CHECK(!dfs_ledger_find(l, &other, &why)); /* who is a base is told by the bases */
	dfs_ledger_touched(l, &st, &later);
	CHECK(!dfs_ledger_find(l, &st, &why) && dfs_ledger_find(l, &later, &why) && why.id == DFS_REASON_BY_HAND);
	dfs_ledger_touched(l, &st, &other);
	CHECK(!dfs_ledger_find(l, &other, &why));
	dfs_ledger_written(l, "a", &later);
	CHECK(!dfs_ledger_find(l, &later, &why));
	ledger_close(l);
	l = ledger_open();
	CHECK(!dfs_ledger_find(l, &later, &why));
	ledger_close(l);
}

static void names_that_are_left_out_are_no_reason_any_more(void **state)
{
	struct dfs_ledger *l = ledger_open();
	const struct dfs_reason links = { .id = DFS_REASON_LINKS, .number = 2 };
	struct stat st = file(12, 100, 1000);
	struct dfs_reason why;

	(void)state;
	st.st_nlink = 2;
	dfs_ledger_note(l, "a", &st, &links);
	CHECK(dfs_ledger_find(l, &st, &why));
	st.st_nlink = 1;
	CHECK(!dfs_ledger_find(l, &st, &why));
	ledger_close(l);
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
	struct dfs_ledger *l = dfs_ledger_new(NULL);
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
	dfs_ledger_note(l, "f39", &st, &why); /* a second time: once in the list */
	dfs_ledger_last(l, see, &seen);
	CHECK(seen.n == DFS_LEDGER_LAST - 1); /* the place of the first f39 */
	assert_string_equal(seen.names[0], "f39");
	assert_string_equal(seen.names[1], "f38");
	assert_string_equal(seen.names[DFS_LEDGER_LAST - 2], "f25");
	CHECK(seen.stays[0] && !seen.stays[1]);
	dfs_ledger_last(l, see, &two);
	CHECK(two.n == 2);
	dfs_ledger_totals(l, &totals);
	CHECK(totals.left == 21 && totals.put_off == 20 && totals.files == 0);
	dfs_ledger_free(l);
}

/* The names in the list, the latest first, with spaces between. */
static const char *names(struct dfs_ledger *l, char text[256])
{
	struct seen seen = { 0 };

	size_t len = 0;

	text[0] = '\0';
	dfs_ledger_last(l, see, &seen);
	for (unsigned i = 0; i < seen.n; i++)
		len += (size_t)snprintf(text + len, 256 - len, "%s%s", i ? " " : "", seen.names[i]);
	return text;
}

static void the_list_follows_names(void **state)
{
	static const char *const at_first[] = { "d/a", "d/b", "da", "e", "f" };
	struct dfs_ledger *l = dfs_ledger_new(NULL);
	const struct dfs_reason why = { .id = DFS_REASON_NO_GAIN };
	struct stat st = file(1, 1, 1);
	char text[256];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		dfs_ledger_note(l, at_first[i], &st, &why);
	assert_string_equal(names(l, text), "f e da d/b d/a");
	dfs_ledger_moved(l, "d", "x/y", false);
	assert_string_equal(names(l, text), "f e da x/y/b x/y/a");
	dfs_ledger_moved(l, "e", "f", false); /* over another */
	assert_string_equal(names(l, text), "f da x/y/b x/y/a");
	dfs_ledger_moved(l, "da", "x/y", true);
	assert_string_equal(names(l, text), "f x/y da/b da/a");
	dfs_ledger_removed(l, "da");
	assert_string_equal(names(l, text), "f x/y");
	dfs_ledger_written(l, "x/y", NULL);
	assert_string_equal(names(l, text), "f");
	dfs_ledger_begin(l, "f");
	dfs_ledger_compressed(l, 10, 1, false);
	dfs_ledger_end(l);
	assert_string_equal(names(l, text), "");
	dfs_ledger_free(l);
}

static void work_is_told_from_its_beginning_to_its_end(void **state)
{
	struct dfs_ledger *l = dfs_ledger_new(NULL);
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
	dfs_ledger_compressed(l, 1000, 100, true);
	dfs_ledger_compressed(l, 500, 50, false);
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
	dfs_ledger_compressed(NULL, 1, 1, true);
	dfs_ledger_note(NULL, "a", &st, &why);
	dfs_ledger_end(NULL);
	dfs_ledger_written(NULL, "a", &st);
	dfs_ledger_moved(NULL, "a", "b", true);
	dfs_ledger_touched(NULL, &st, &st);
	dfs_ledger_gone(NULL, &st);
	dfs_ledger_tidy(NULL);
	dfs_ledger_totals(NULL, &totals);
	CHECK(totals.files == 0 && dfs_ledger_work(NULL, &work) == 0 && !work.rel && !dfs_ledger_find(NULL, &st, &found));
	dfs_ledger_last(NULL, see, NULL);
	dfs_ledger_free(NULL);
}

static const struct CMUnitTest cases[] = {
	CASE(a_reason_is_the_file_s),
	CASE(a_reason_outlives_the_process),
	CASE(names_that_are_left_out_are_no_reason_any_more),
	CASE(the_last_reasons_come_latest_first),
	CASE(the_list_follows_names),
	CASE(work_is_told_from_its_beginning_to_its_end),
	CASE(none_is_fine),
};

CHECK_MAIN(cases)
