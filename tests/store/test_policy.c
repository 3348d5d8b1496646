/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_policy: lines of a policy, records of them on directories, and whose word holds. */
#include <sys/xattr.h>

#include "given.h"
#include "store/policy.h"
#include "util/clock.h"

static void lines_that_make_no_sense_say_what_would(void **state)
{
	static const struct {
		const char *line, *says;
	} bad[] = {
		{ "colour=blue", "codec, base, quiet, ingest, existing, keep and exclude" },
		{ "ingets=on", "did you mean \"ingest\"" },
		{ "quiet", "quiet=..." }, { "quiet=", "a number of seconds" }, { "quiet=-1", "a number of seconds" },
		{ "quiet=5s", "a number of seconds" }, { "quiet=604801", "a week" }, { "quiet=99999999999999999999", "a week" },
		{ "ingest=yes", "\"on\" or \"off\"" }, { "existing=", "\"on\" or \"off\"" },
		{ "keep=", "manual" }, { "keep=7", "s, m, h, d or w" }, { "keep=0s", "ten years" }, { "keep=11000d", "ten years" }, { "base=", "missing" },
		{ "exclude=", "missing" }, { "exclude=/", "missing" }, { "exclude=a\tb", "control" }, { "=on", "no key" }, { "", "no key" },
	};
	static const char *const good[] = {
		"quiet=0", "quiet=604800", "ingest=on", "existing=off", "keep=manual", "keep=none", "keep=90s", "keep=2w", "base=auto", "base=a/b c", "codec=x:y=z", "exclude=*=*",
	};
	struct dfs_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_RET(-EINVAL, dfs_policy_check(bad[i].line, NULL, NULL, &err));
		if (!strstr(err.text, bad[i].says))
			fail_msg("%s: %s", bad[i].line, err.text);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_OK(dfs_policy_check(good[i], NULL, NULL, &err), err);
}

static struct dfs_paths split(const char *text)
{
	struct dfs_paths lines;

	CHECK_RET(0, dfs_policy_split(text, strlen(text), &lines));
	return lines;
}

static void assert_lines(const struct dfs_paths *lines, const char *text)
{
	DFS_AUTO(buf) struct dfs_buf joined = { 0 };

	CHECK_RET(0, dfs_policy_join(lines, &joined, NULL));
	assert_int_equal(joined.len, strlen(text));
	if (joined.len)
		assert_memory_equal(joined.data, text, joined.len);
}

static void a_key_has_one_line_and_patterns_add_up(void **state)
{
	DFS_AUTO(paths) struct dfs_paths lines = split("later=1\nquiet=5\n\nexclude=a\nquiet=7\nnonsense");

	(void)state;
	CHECK_RET(0, dfs_policy_put(&lines, "quiet=9"));
	CHECK_RET(0, dfs_policy_put(&lines, "exclude=b"));
	CHECK_RET(0, dfs_policy_put(&lines, "exclude=a"));
	assert_lines(&lines, "later=1\nnonsense\nquiet=9\nexclude=b\nexclude=a\n");
	CHECK(dfs_policy_drop(&lines, "exclude=b") == 1 && dfs_policy_drop(&lines, "exclude=b") == 0);
	CHECK(dfs_policy_drop(&lines, "quie") == 0);
	CHECK_RET(0, dfs_policy_put(&lines, "exclude=c"));
	CHECK(dfs_policy_drop(&lines, "exclude") == 2);
	CHECK(dfs_policy_drop(&lines, "nonsense") == 1 && dfs_policy_drop(&lines, "later") == 1);
	assert_lines(&lines, "quiet=9\n");
}

static void a_record_has_a_size(void **state)
{
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	struct dfs_err err;
	char line[600];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "exclude=", 8);
	for (char c = 'a'; c < 'e'; c++) {
		DFS_AUTO(buf) struct dfs_buf text = { 0 };

		line[8] = c;
		CHECK_RET(0, dfs_policy_put(&lines, line));
		CHECK_RET(c == 'd' ? -E2BIG : 0, dfs_policy_join(&lines, &text, &err));
	}
	CHECK(strstr(err.text, "2400 bytes"));
}

static void set(const char *dir, const char *text)
{
	if (mkdir(dir, 0755) < 0)
		CHECK(errno == EEXIST);
	if (setxattr(dir, DFS_POLICY_XATTR, text, strlen(text), 0) < 0 &&
	    setxattr(dir, DFS_POLICY_XATTR_TRUSTED, text, strlen(text), 0) < 0)
		skip();
}

static struct dfs_policy load(const char *rel)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_policy policy;
	struct dfs_err err;

	CHECK_OK(dfs_store_open(".", true, &store, &err), err);
	CHECK_RET(0, dfs_policy_load(store, rel, &policy));
	return policy;
}

static void the_nearest_word_holds(void **state)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 }, above = { 0 }, other = { 0 };

	(void)state;
	set(".", "quiet=60\ningest=off\nexclude=top*\n");
	set("a", "quiet=0\nexistng=on\n\nexisting=on\nexclude=x/y\nexclude=*.b");
	set("a/b", "ingest=on\nquiet=many\nexisting\n");
	mkdir("a/b/c", 0755);
	put("a/b/c/f", "f", 1);
	policy = load("a/b/c/f");
	CHECK(dfs_policy_quiet_ms(&policy, 5000) == 0);
	CHECK(dfs_policy_is(&policy, DFS_POLICY_INGEST, false) && dfs_policy_is(&policy, DFS_POLICY_EXISTING, false));
	assert_string_equal(dfs_policy_get(&policy, DFS_POLICY_INGEST)->from, "a/b");
	assert_string_equal(dfs_policy_get(&policy, DFS_POLICY_QUIET)->from, "a");
	CHECK(!dfs_policy_get(&policy, DFS_POLICY_BASE) && !dfs_policy_get(&policy, DFS_POLICY_CODEC));
	above = load("other/f");
	CHECK(dfs_policy_quiet_ms(&above, 5000) == 60000 && !dfs_policy_is(&above, DFS_POLICY_INGEST, true));
	CHECK(!dfs_policy_is(&above, DFS_POLICY_EXISTING, false) && dfs_policy_is(&above, DFS_POLICY_EXISTING, true));
	CHECK(setxattr(".", DFS_POLICY_XATTR, "", 0, 0) == 0 || setxattr(".", DFS_POLICY_XATTR_TRUSTED, "", 0, 0) == 0);
	other = load("other/f");
	CHECK(other.n == 0 && dfs_policy_quiet_ms(&other, 5000) == 5000 && dfs_policy_is(&other, DFS_POLICY_INGEST, true));
}

static void patterns_count_from_their_directory(void **state)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };

	(void)state;
	set(".", "exclude=top*\n");
	set("a", "exclude=x/y\nexclude=*.b\n");
	policy = load("a");
	CHECK(dfs_policy_excludes(&policy, "a/x/y/f") && dfs_policy_excludes(&policy, "a/f.b"));
	CHECK(dfs_policy_excludes(&policy, "a/z/topmost"));
	CHECK(!dfs_policy_excludes(&policy, "a/z/x/y") && !dfs_policy_excludes(&policy, "a/f"));
	assert_string_equal(dfs_policy_excludes(&policy, "a/topmost")->value, "top*");
	assert_string_equal(dfs_policy_excludes(&policy, "a/topmost")->from, "");
}

static void any_bytes_are_a_record(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		static const char *const parts[] = { "quiet=", "exclude=", "ingest=off", "on", "\n", "\n", "\xff", "9", "*", "[", "=" };
		DFS_AUTO(paths) struct dfs_paths lines = { 0 };
		DFS_AUTO(policy) struct dfs_policy policy = { 0 };
		char text[128] = "";
		size_t len;

		for (unsigned n = 0; n < 12; n++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			strncat(text, parts[(seed >> 33) % 11], sizeof(text) - strlen(text) - 1);
		}
		len = strlen(text);
		text[(seed >> 40) % len] = '\0';
		CHECK_RET(0, dfs_policy_split(text, len, &lines));
		CHECK_RET(0, dfs_policy_add(&policy, "a", &lines));
		CHECK(dfs_policy_quiet_ms(&policy, 1) <= 604800000);
		dfs_policy_excludes(&policy, "a/b9");
	}
}

/* As a policy of @old and @new, each a line or two, is stamped. Return: its time; -1: it has none. */
static long long stamped(const char *old, const char *new, size_t n_lines)
{
	DFS_AUTO(paths) struct dfs_paths before = { 0 };
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	const char *since;

	CHECK_RET(0, dfs_policy_split(old, strlen(old), &before));
	CHECK_RET(0, dfs_policy_split(new, strlen(new), &lines));
	CHECK_RET(0, dfs_policy_stamp(&before, &lines));
	CHECK(lines.n == n_lines);
	since = dfs_policy_line(&lines, DFS_POLICY_SINCE);
	return since ? atoll(since + strlen("since=")) : -1;
}

static void a_codec_has_a_time_from_when_it_changed(void **state)
{
	int64_t now = dfs_clock_past_files();

	(void)state;
	CHECK(stamped("", "quiet=3", 1) == -1);
	CHECK(stamped("quiet=3", "", 0) == -1);
	CHECK(stamped("", "since=5", 0) == -1);
	CHECK(stamped("", "codec=bitdelta", 2) >= now);
	CHECK(stamped("", "codec=bitdelta\nsince=5", 2) >= now);
	CHECK(stamped("codec=bitdelta\nsince=5", "codec=bitdelta\nquiet=3", 3) == 5);
	CHECK(stamped("codec=bitdelta\nsince=5", "codec=bitdelta\nsince=4", 2) == 5);
	CHECK(stamped("codec=bitdelta", "codec=bitdelta", 2) >= now);
	CHECK(stamped("codec=bitdelta\nsince=5", "codec=exact", 2) >= now);
	/* Taken back, for good: a parent's codec is not for what came under this one. */
	CHECK(stamped("codec=exact\nsince=5", "", 1) >= now);
	CHECK(stamped("since=5", "", 1) == 5);
	CHECK(stamped("since=5", "since=4", 1) == 5);
	CHECK(stamped("since=5", "codec=exact", 2) >= now);
}

static const struct CMUnitTest cases[] = {
	CASE(lines_that_make_no_sense_say_what_would),
	CASE(a_key_has_one_line_and_patterns_add_up),
	CASE(a_record_has_a_size),
	CASE(the_nearest_word_holds),
	CASE(patterns_count_from_their_directory),
	CASE(a_codec_has_a_time_from_when_it_changed),
	CASE(any_bytes_are_a_record),
};

CHECK_MAIN(cases)
