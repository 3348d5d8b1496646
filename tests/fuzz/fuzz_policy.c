/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_policy: any bytes as a directory's policy, over a file of any name.
 *
 * Input: the file's path, a newline, the record. What makes sense of a record
 * is in what it is written as again; no line is made up.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/policy.h"
#include "util/auto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_settings(const struct dfs_policy *policy, const struct dfs_paths *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < lines->n; i++) {
		const char *line = lines->paths[i], *value;
		enum dfs_policy_key key;

		if (strchr(line, '\n') || !*line)
			abort();
		if (dfs_policy_check(line, &key, &value, NULL) < 0)
			continue;
		if (n == policy->n || policy->settings[n].key != key || strcmp(policy->settings[n++].value, value))
			abort();
	}
	if (n != policy->n || dfs_policy_quiet_ms(policy, 0) > 604800000)
		abort();
}

static void check_again(const struct dfs_paths *lines)
{
	DFS_AUTO(buf) struct dfs_buf text = { 0 }, again = { 0 };
	DFS_AUTO(paths) struct dfs_paths read = { 0 };

	if (dfs_policy_join(lines, &text, NULL) < 0)
		return;
	if (dfs_policy_split((const char *)text.data, text.len, &read) < 0 || dfs_policy_join(&read, &again, NULL) < 0)
		abort();
	if (text.len != again.len || (text.len && memcmp(text.data, again.data, text.len)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	DFS_AUTO(mem) char *path = end ? strndup((const char *)data, (size_t)(end - data)) : NULL;
	const struct dfs_policy_setting *excludes;

	if (!path)
		return 0;
	if (dfs_policy_split((const char *)end + 1, len - (size_t)(end + 1 - data), &lines) < 0 ||
	    dfs_policy_add(&policy, "", &lines) < 0)
		abort();
	check_settings(&policy, &lines);
	check_again(&lines);
	excludes = dfs_policy_excludes(&policy, path);
	if (excludes && excludes->key != DFS_POLICY_EXCLUDE)
		abort();
	while (lines.n) {
		DFS_AUTO(mem) char *line = strdup(lines.paths[0]);

		if (!line || dfs_policy_put(&lines, line) < 0 || !dfs_policy_drop(&lines, line) ||
		    (lines.n && strcmp(lines.paths[0], line) == 0))
			break;
	}
	return 0;
}
