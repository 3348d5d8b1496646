/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: what every unit test here includes: cmocka, a main, a few claims.
 *
 *	static void empty_input_is_refused(void **state) { ... }
 *
 *	static const struct CMUnitTest cases[] = {
 *		cmocka_unit_test(empty_input_is_refused),
 *	};
 *
 *	CHECK_MAIN(cases)
 *
 * `test_x` runs all cases; `test_x PATTERN` those whose name contains PATTERN
 * (or matches it, if it holds * or ?). No match is a failure, not a success.
 */
#ifndef DFS_TESTS_CHECK_H
#define DFS_TESTS_CHECK_H

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* CHECK() - a claim; a false one ends the case and shows itself. */
#define CHECK(claim) _assert_true((uintmax_t)!!(claim), #claim, __FILE__, __LINE__)

/* CHECK_OK() - a call that returns 0, or -errno and a sentence in @err (struct dfs_err). */
#define CHECK_OK(call, err)						\
	do {								\
		int check_ret_ = (call);				\
									\
		if (check_ret_ != 0)					\
			fail_msg("%s: %d, %s", #call, check_ret_, (err).text); \
	} while (0)

/* CHECK_RET() - a call that returns just this; @expected first, as read aloud: "-EINVAL from parse()". */
#define CHECK_RET(expected, call) assert_int_equal((call), (expected))

/* CHECK_BYTES() - two buffers of @len bytes are the same. */
#define CHECK_BYTES(got, want, len) assert_memory_equal((got), (want), (len))

static inline int check_matches(const char *pattern, const char *name)
{
	if (strpbrk(pattern, "*?"))
		return fnmatch(pattern, name, 0) == 0;
	return strstr(name, pattern) != NULL;
}

/* check_main() - run the cases that argv[1] picks. Return: an exit code. */
static inline int check_main(const struct CMUnitTest *cases, size_t n, int argc, char **argv)
{
	struct CMUnitTest picked[256]; /* more cases than that want a second file */
	size_t n_picked = 0;

	for (size_t i = 0; i < n && n_picked < 256; i++)
		if (argc < 2 || check_matches(argv[1], cases[i].name))
			picked[n_picked++] = cases[i];
	if (n_picked == 0) {
		fprintf(stderr, "%s: no case matches %s\n", argv[0], argc < 2 ? "" : argv[1]);
		return 1;
	}
	return _cmocka_run_group_tests(argv[0], picked, n_picked, NULL, NULL) != 0;
}

#define CHECK_MAIN(cases)						\
	int main(int argc, char **argv)					\
	{								\
		return check_main(cases, sizeof(cases) / sizeof((cases)[0]), argc, argv); \
	}

#endif
