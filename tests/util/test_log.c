/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_log: what is written to a log file, and what is not. */
#include "util/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"

/* The log is read back whole; tests write less than this. */
static char text[1 << 20];

static const char *log_text(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static int make_dir(void **state)
{
	char *dir = strdup("/tmp/test_log.XXXXXX");

	*state = dir ? mkdtemp(dir) : NULL;
	return *state ? 0 : -1;
}

static int remove_dir(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/log", (char *)*state);
	unlink(path);
	rmdir(*state);
	free(*state);
	return 0;
}

static struct dfs_log *open_log(void **state, char path[64], enum dfs_log_level level)
{
	struct dfs_log *log;

	snprintf(path, 64, "%s/log", (char *)*state);
	log = dfs_log_new(DFS_LOG_TO_FILE, path, level);
	assert_non_null(log);
	return log;
}

static unsigned count(const char *hay, const char *needle)
{
	unsigned n = 0;

	for (const char *at = hay; (at = strstr(at, needle)); at++)
		n++;
	return n;
}

static void one_line_an_event_private_to_the_owner(void **state)
{
	char path[64];
	struct dfs_log *log = open_log(state, path, DFS_LOG_INFO);
	struct stat st;

	dfs_log_line(log, DFS_LOG_ERROR, "file %s", "x");
	dfs_log_line(log, DFS_LOG_DEBUG, "too much");
	dfs_log_free(log);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(count(log_text(path), "\n"), 1);
	CHECK(strstr(text, "error: file x\n"));
}

static void control_characters_cannot_forge_lines(void **state)
{
	char path[64];
	struct dfs_log *log = open_log(state, path, DFS_LOG_INFO);

	dfs_log_line(log, DFS_LOG_ERROR, "%s", "a\nb\x1b[31m\x7f \xc3\xa4 \xc2\x9b \xff\xc3");
	dfs_log_free(log);
	CHECK(strstr(log_text(path), "a\\x0ab\\x1b[31m\\x7f \xc3\xa4 \\xc2\\x9b \\xff\\xc3\n"));
	assert_int_equal(count(text, "\n"), 1);
}

static void long_lines_are_cut(void **state)
{
	char path[64], big[5000];
	struct dfs_log *log = open_log(state, path, DFS_LOG_INFO);

	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	dfs_log_line(log, DFS_LOG_ERROR, "%s", big);
	dfs_log_free(log);
	assert_int_equal(count(log_text(path), "\n"), 1);
	CHECK(strlen(text) < 2200);
}

static void a_flood_is_counted_not_written(void **state)
{
	char path[64];
	struct dfs_log *log = open_log(state, path, DFS_LOG_INFO);
	unsigned written, told = 0;
	const char *at;

	for (unsigned i = 0; i < 5000; i++)
		dfs_log_line(log, DFS_LOG_WARNING, "flood");
	dfs_log_free(log);
	written = count(log_text(path), "flood\n");
	at = strstr(text, " lines left out");
	CHECK(at);
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	told = (unsigned)strtoul(at, NULL, 10);
	CHECK(written >= 100 && written <= 1000);
	assert_int_equal(written + told, 5000);
}

static void no_log_is_fine_and_no_place_is_told(void **state)
{
	(void)state;
	dfs_log_line(NULL, DFS_LOG_ERROR, "dropped");
	dfs_log_free(NULL);
	errno = 0;
	CHECK(!dfs_log_new(DFS_LOG_TO_FILE, "/nonexistent/log", DFS_LOG_INFO));
	assert_int_equal(errno, ENOENT);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test_setup_teardown(one_line_an_event_private_to_the_owner, make_dir, remove_dir),
	cmocka_unit_test_setup_teardown(control_characters_cannot_forge_lines, make_dir, remove_dir),
	cmocka_unit_test_setup_teardown(long_lines_are_cut, make_dir, remove_dir),
	cmocka_unit_test_setup_teardown(a_flood_is_counted_not_written, make_dir, remove_dir),
	cmocka_unit_test(no_log_is_fine_and_no_place_is_told),
};

CHECK_MAIN(cases)
