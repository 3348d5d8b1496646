/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stat shows of files that were replaced, and of those that get their numbers. */
#include <stdlib.h>
#include <sys/stat.h>

#include "../check.h"
#include "fuse/shown.h"

static struct stat file(ino_t ino, time_t ctime)
{
	return (struct stat){ .st_dev = 7, .st_ino = ino, .st_ctim.tv_sec = ctime };
}

static struct stat shows(struct dfs_shown *shown, ino_t ino, time_t ctime)
{
	struct stat st = file(ino, ctime);

	dfs_shown_apply(shown, &st);
	return st;
}

static void replace(struct dfs_shown *shown, ino_t before, time_t before_ctime, ino_t after, time_t after_ctime, bool keep)
{
	struct stat old = file(before, before_ctime), now = file(after, after_ctime);

	CHECK_RET(0, dfs_shown_replaced(shown, &old, &now, keep));
}

static void a_replaced_file_keeps_number_and_ctime(void **state)
{
	struct dfs_shown *shown = dfs_shown_new();

	(void)state;
	CHECK(shows(shown, 12, 100).st_ino == 12);
	replace(shown, 12, 100, 13, 200, true);
	CHECK(shows(shown, 13, 200).st_ino == 12);
	CHECK(shows(shown, 13, 200).st_ctim.tv_sec == 100);
	CHECK(shows(shown, 13, 300).st_ctim.tv_sec == 300); /* somebody changed its mode */
	CHECK(dfs_shown_number(shown, 7, 13) == 12);
	CHECK(dfs_shown_number(shown, 8, 13) == 13); /* another file system's */
	replace(shown, 13, 200, 14, 400, true); /* thawed, and compressed again */
	CHECK(shows(shown, 14, 400).st_ino == 12);
	CHECK(shows(shown, 14, 400).st_ctim.tv_sec == 100);
	replace(shown, 14, 400, 15, 500, false); /* its content changed */
	CHECK(shows(shown, 15, 500).st_ino == 12);
	CHECK(shows(shown, 15, 500).st_ctim.tv_sec == 500);
	dfs_shown_free(shown);
}

static void a_newcomer_with_a_number_in_use_is_shown_another_and_keeps_it(void **state)
{
	struct dfs_shown *shown = dfs_shown_new();
	struct stat gone = file(13, 0);
	uint64_t number;

	(void)state;
	replace(shown, 12, 100, 13, 200, true);
	number = shows(shown, 12, 300).st_ino; /* the file system gave 12 to a new file */
	CHECK(number != 12 && number != 13);
	CHECK(dfs_shown_number(shown, 7, 12) == number);
	replace(shown, 12, 300, 16, 400, true); /* and that is compressed as well */
	CHECK(shows(shown, 16, 400).st_ino == number);
	number = shows(shown, 12, 500).st_ino; /* and the next new file gets it */
	CHECK(number != 12 && number != shows(shown, 16, 400).st_ino);
	dfs_shown_removed(shown, &gone);
	CHECK(shows(shown, 12, 500).st_ino == number); /* it does not change while the file lives */
	CHECK(shows(shown, 13, 600).st_ino == 13); /* a new file, with no history */
	dfs_shown_free(shown);
}

static void a_directory_stays_what_it_was_whatever_is_replaced_in_it(void **state)
{
	struct dfs_shown *shown = dfs_shown_new();
	struct stat gone = file(13, 0);
	uint64_t number;

	(void)state;
	replace(shown, 12, 100, 13, 200, true);
	number = shows(shown, 12, 300).st_ino; /* a new directory */
	replace(shown, 12, 300, 12, 400, true);
	dfs_shown_removed(shown, &gone);
	CHECK(shows(shown, 12, 400).st_ino == number);
	CHECK(shows(shown, 12, 400).st_ctim.tv_sec == 300);
	replace(shown, 12, 400, 12, 500, true);
	CHECK(shows(shown, 12, 500).st_ino == number);
	CHECK(shows(shown, 12, 500).st_ctim.tv_sec == 300);
	replace(shown, 12, 600, 12, 700, true); /* something else happened in it before */
	CHECK(shows(shown, 12, 700).st_ctim.tv_sec == 600);
	dfs_shown_free(shown);
}

static void no_two_of_many_show_one_number(void **state)
{
	enum { N = 3000 };
	struct dfs_shown *shown = dfs_shown_new();
	uint64_t *numbers = calloc(2 * N, sizeof(*numbers));

	(void)state;
	/* Each file is replaced by one of number N + i, and a new one gets its old number. */
	for (ino_t i = 0; i < N; i++)
		replace(shown, 1000 + i, 1, 1000 + N + i, 2, true);
	for (size_t i = 0; i < 2 * N; i++)
		numbers[i] = shows(shown, 1000 + i, 2).st_ino;
	for (size_t i = 0; i < N; i++)
		CHECK(numbers[N + i] == 1000 + i);
	for (size_t i = 0; i < N; i++) {
		CHECK(numbers[i] >> 63 && numbers[i] << 1 >> 1 == 1000 + i);
	}
	free(numbers);
	dfs_shown_free(shown);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(a_replaced_file_keeps_number_and_ctime),
	cmocka_unit_test(a_newcomer_with_a_number_in_use_is_shown_another_and_keeps_it),
	cmocka_unit_test(a_directory_stays_what_it_was_whatever_is_replaced_in_it),
	cmocka_unit_test(no_two_of_many_show_one_number),
};

int main(int argc, char **argv)
{
	return check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
