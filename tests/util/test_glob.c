/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_glob: patterns cover what fnmatch(3) says they match, component by component, and none takes long. */
#include "util/glob.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../check.h"

static void names_and_paths_are_covered(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool covers;
	} cases[] = {
		{ "*.bin", "a.bin", true }, { "*.bin", "x/y/a.bin", true }, { "*.bin", "a.bin/x", true },
		{ "*.bin", "a.bins", false }, { "*", "a", true }, { "*", ".a", true }, { "a*", "", false },
		{ "x/*.bin", "x/a.bin", true }, { "x/*.bin", "y/x/a.bin", false }, { "x/*.bin", "x/y/a.bin", false },
		{ "x/*.bin", "x/a.bin/z", true }, { "x/y", "x", false }, { "/x", "x/y", true }, { "/x", "y/x", false },
		{ "x/", "x/y", true }, { "x/", "y/x", true }, { "x/y/", "x/y", true }, { "/", "x", false }, { "", "x", false },
		{ "?", "\xc3\xa9", true }, { "??", "\xc3\xa9", false }, { "*\xa9", "\xc3\xa9", true },
		{ "[a-c]x", "bx", true }, { "[!a-c]x", "bx", false }, { "[^a-c]x", "dx", true }, { "[]]", "]", true },
		{ "[a-]", "-", true }, { "[", "[", true }, { "[a", "[a", true }, { "[a", "a", false },
		{ "[\\]]", "]", true }, { "\\*", "*", true }, { "\\*", "x", false }, { "\\", "\\", true },
		{ "a**b", "ab", true }, { "a*b*c", "a-b-b-c", true }, { "a*b*c", "a-b-b", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (dfs_glob_covers(cases[i].pattern, cases[i].path) != cases[i].covers)
			fail_msg("\"%s\" %s \"%s\"", cases[i].pattern, cases[i].covers ? "does not cover" : "covers", cases[i].path);
}

static void draw(char *text, size_t room, const char *letters)
{
	size_t len = 1 + (size_t)random() % (room - 1);

	for (size_t i = 0; i < len; i++)
		text[i] = letters[(size_t)random() % strlen(letters)];
	text[len] = '\0';
}

/* Where the two agree on what a pattern means: every bracket has an end, and no backslash is the last. */
static void one_name_as_fnmatch(void **state)
{
	static const char *const sets[] = { "[ab]", "[!a]", "[a-c]", "\\*", "*", "?", "a", "b" };
	unsigned matches = 0;

	(void)state;
	srandom(7);
	for (unsigned i = 0; i < 200000; i++) {
		char pattern[64] = "", name[8];

		for (long n = 1 + random() % 6; n; n--)
			strncat(pattern, sets[random() % 8], sizeof(pattern) - strlen(pattern) - 1);
		draw(name, sizeof(name), "aabbc*");
		matches += dfs_glob_covers(pattern, name);
		if (dfs_glob_covers(pattern, name) != (fnmatch(pattern, name, 0) == 0))
			fail_msg("\"%s\" and \"%s\": fnmatch says otherwise", pattern, name);
	}
	CHECK(matches > 1000);
}

static void any_bytes_end_soon(void **state)
{
	char pattern[256], name[256];
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 3);
	memcpy(pattern + 250, "b", 2);
	memset(name, 'a', 255);
	name[255] = '\0';
	for (int i = 0; i < 100; i++)
		CHECK(!dfs_glob_covers(pattern, name));
	srandom(11);
	for (unsigned i = 0; i < 100000; i++) {
		draw(pattern, 40, "[]!^-\\*?/ab");
		draw(name, 40, "[]-/ab");
		dfs_glob_covers(pattern, name);
	}
	CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 10);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(names_and_paths_are_covered),
	cmocka_unit_test(one_name_as_fnmatch),
	cmocka_unit_test(any_bytes_end_soon),
};

CHECK_MAIN(cases)
