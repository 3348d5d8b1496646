/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy: see policy.h. Here: lines, and records of them. */
#include "store/policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/duration.h"
#include "util/nearest.h"

/* A week. Who wants to wait longer wants ingest=off. */
#define QUIET_MAX_S 604800

/* --- one line */

static const char *check_text(const char *value)
{
	return *value ? NULL : "a value is missing";
}

static const char *check_switch(const char *value)
{
	return strcmp(value, "on") && strcmp(value, "off") ? "it is \"on\" or \"off\"" : NULL;
}

static const char *check_quiet(const char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || value[digits] || digits > 7 || atol(value) > QUIET_MAX_S)
		return "it is a number of seconds, 604800 (a week) at most";
	return NULL;
}

static const char *check_keep(const char *value)
{
	int64_t seconds;
	int ret = strcmp(value, "manual") && strcmp(value, "none") ? dfs_duration_parse(value, &seconds) : 0;

	if (ret == -ERANGE)
		return "from a second to ten years";
	return ret < 0 ? "it is \"manual\", \"none\", or a number with s, m, h, d or w behind it: 30m, 12h, 7d, 2w" : NULL;
}

static const char *check_since(const char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || value[digits] || digits > 19 || (digits == 19 && strcmp(value, "9223372036854775807") > 0))
		return "it is a number of nanoseconds since 1970";
	return NULL;
}

static const char *check_glob(const char *value)
{
	return value[strspn(value, "/")] ? NULL : "a pattern is missing";
}

static const struct {
	const char *word;
	const char *(*check)(const char *value);	/* what is wrong with it; NULL: nothing */
} keys[DFS_POLICY_KEYS] = {
	[DFS_POLICY_CODEC] = { "codec", check_text },
	[DFS_POLICY_BASE] = { "base", check_text },
	[DFS_POLICY_QUIET] = { "quiet", check_quiet },
	[DFS_POLICY_INGEST] = { "ingest", check_switch },
	[DFS_POLICY_EXISTING] = { "existing", check_switch },
	[DFS_POLICY_KEEP] = { "keep", check_keep },
	[DFS_POLICY_EXCLUDE] = { "exclude", check_glob },
	[DFS_POLICY_SINCE] = { "since", check_since },
};

const char *dfs_policy_word(enum dfs_policy_key key)
{
	return (unsigned)key < DFS_POLICY_KEYS ? keys[key].word : "?";
}

static int unknown(const char *word, struct dfs_err *err)
{
	const char *words[DFS_POLICY_KEYS], *near;

	for (unsigned i = 0; i < DFS_POLICY_KEYS; i++)
		words[i] = keys[i].word;
	near = dfs_nearest(word, words, DFS_POLICY_KEYS);
	return dfs_fail(err, EINVAL, "no key \"%s\"%s%s%s: codec, base, quiet, ingest, existing, keep and exclude are known", word,
			near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

/* Return: DFS_POLICY_KEYS: none */
static unsigned key_of(const char *word, size_t len)
{
	unsigned i = 0;

	while (i < DFS_POLICY_KEYS && (strlen(keys[i].word) != len || strncmp(keys[i].word, word, len)))
		i++;
	return i;
}

static bool has_control(const char *line)
{
	while (*line && !iscntrl((unsigned char)*line))
		line++;
	return *line;
}

int dfs_policy_check(const char *line, enum dfs_policy_key *ret_key, const char **ret_value, struct dfs_err *err)
{
	size_t len = strcspn(line, "=");
	unsigned key = key_of(line, len);
	const char *wrong;
	char word[64];

	if (key == DFS_POLICY_KEYS) {
		snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word) - 1), line);
		return unknown(word, err);
	}
	if (!line[len])
		return dfs_fail(err, EINVAL, "\"%s\" has no value: %s=...", line, line);
	wrong = has_control(line) ? "it has control characters" : keys[key].check(line + len + 1);
	if (wrong)
		return dfs_fail(err, EINVAL, "%s: %s", line, wrong);
	if (ret_key)
		*ret_key = (enum dfs_policy_key)key;
	if (ret_value)
		*ret_value = line + len + 1;
	return 0;
}

/* --- lines */

int dfs_policy_split(const char *text, size_t len, struct dfs_paths *ret_lines)
{
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };

	for (size_t at = 0, n; at < len; at += n + 1) {
		DFS_AUTO(mem) char *line = NULL;

		for (n = 0; at + n < len && text[at + n] && text[at + n] != '\n'; n++)
			;
		line = n ? strndup(text + at, n) : NULL;
		if (n && (!line || dfs_paths_add(&lines, line) < 0))
			return -ENOMEM;
	}
	*ret_lines = lines;
	lines = (struct dfs_paths){ 0 };
	return 0;
}

int dfs_policy_join(const struct dfs_paths *lines, struct dfs_buf *ret_text, struct dfs_err *err)
{
	for (size_t i = 0; i < lines->n; i++)
		if (dfs_buf_append(ret_text, lines->paths[i], strlen(lines->paths[i])) < 0 ||
		    dfs_buf_append(ret_text, "\n", 1) < 0)
			return dfs_fail(err, ENOMEM, "out of memory");
	if (ret_text->len > DFS_POLICY_MAX)
		return dfs_fail(err, E2BIG, "a policy of %zu bytes: %d are the most", ret_text->len, DFS_POLICY_MAX);
	return 0;
}

static void drop_at(struct dfs_paths *lines, size_t i)
{
	free(lines->paths[i]);
	lines->n--;
	memmove(&lines->paths[i], &lines->paths[i + 1], (lines->n - i) * sizeof(*lines->paths));
}

size_t dfs_policy_drop(struct dfs_paths *lines, const char *what)
{
	size_t len = strlen(what), before = lines->n;
	bool whole = strchr(what, '=') != NULL;

	for (size_t i = 0; i < lines->n;) {
		const char *line = lines->paths[i];

		if (whole ? !strcmp(line, what) : !strncmp(line, what, len) && (line[len] == '=' || !line[len]))
			drop_at(lines, i);
		else
			i++;
	}
	return before - lines->n;
}

int dfs_policy_put(struct dfs_paths *lines, const char *line)
{
	size_t len = strcspn(line, "=");
	unsigned key = key_of(line, len);

	dfs_policy_drop(lines, key == DFS_POLICY_EXCLUDE || key == DFS_POLICY_KEYS ? line : keys[key].word);
	return dfs_paths_add(lines, line);
}

const char *dfs_policy_line(const struct dfs_paths *lines, enum dfs_policy_key wanted)
{
	enum dfs_policy_key key;

	for (size_t i = 0; i < lines->n; i++)
		if (dfs_policy_check(lines->paths[i], &key, NULL, NULL) == 0 && key == wanted)
			return lines->paths[i];
	return NULL;
}

int dfs_policy_stamp(const struct dfs_paths *old, struct dfs_paths *lines)
{
	const char *before = dfs_policy_line(old, DFS_POLICY_CODEC), *now = dfs_policy_line(lines, DFS_POLICY_CODEC);
	const char *since = dfs_policy_line(old, DFS_POLICY_SINCE);
	bool same = before && now ? strcmp(before, now) == 0 : before == now;
	char stamp[64];

	dfs_policy_drop(lines, dfs_policy_word(DFS_POLICY_SINCE));
	if (same && !since && !now)
		return 0;
	if (same && since)
		return dfs_policy_put(lines, since);
	snprintf(stamp, sizeof(stamp), "%s=%lld", dfs_policy_word(DFS_POLICY_SINCE), (long long)dfs_clock_past_files());
	return dfs_policy_put(lines, stamp);
}
