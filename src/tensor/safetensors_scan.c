/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * safetensors_scan: what a header would cost a JSON parser, before one sees it.
 *
 * A parser recurses with the depth and allocates with the number of values,
 * and a file is anybody's. So brackets, commas and colons outside of strings
 * are counted first: no container holds more values than its commas plus one.
 */
#include <errno.h>
#include <stdbool.h>

#include "tensor/internal.h"

struct scan {
	unsigned depth;
	unsigned values;
	unsigned keys;
	unsigned entries;	/* objects at depth 1: tensors and "__metadata__" */
};

static int scan_open(struct scan *scan, char c, struct dfs_err *err)
{
	if (c == '{' && scan->depth == 1)
		scan->entries++;
	scan->values++;
	if (++scan->depth > DFS_HEADER_DEPTH_MAX)
		return dfs_fail(err, E2BIG, "header is nested deeper than %d", DFS_HEADER_DEPTH_MAX);
	if (scan->entries > DFS_HEADER_TENSORS_MAX + 1)
		return dfs_fail(err, E2BIG, "header has more than %u tensors",
				DFS_HEADER_TENSORS_MAX);
	return 0;
}

/* The closing quote of the string that begins at @p, or @end. */
static const char *string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\')
			p++;
	}
	return p < end ? p : end;
}

static int scan_string(const struct scan *scan, size_t len, struct dfs_err *err)
{
	/* Deeper strings are keys nobody reads and values of "__metadata__", which do get long. */
	if (scan->depth <= 1 && len > DFS_HEADER_NAME_MAX)
		return dfs_fail(err, E2BIG, "header has a name of %zu bytes", len);
	return 0;
}

static int scan_byte(struct scan *scan, char c, struct dfs_err *err)
{
	switch (c) {
	case '{':
	case '[':
		return scan_open(scan, c, err);
	case '}':
	case ']':
		scan->depth -= scan->depth > 0;
		return 0;
	case ',':
		if (++scan->values > DFS_HEADER_VALUES_MAX)
			return dfs_fail(err, E2BIG, "header has more than %u values",
					DFS_HEADER_VALUES_MAX);
		return 0;
	case ':':
		if (++scan->keys > DFS_HEADER_KEYS_MAX)
			return dfs_fail(err, E2BIG, "header has more than %u keys",
					DFS_HEADER_KEYS_MAX);
		return 0;
	default:
		return 0;
	}
}

int dfs_header_scan(const char *json, size_t len, struct dfs_err *err)
{
	const char *end = json + len;
	struct scan scan = { 0 };

	for (const char *p = json; p < end; p++) {
		int ret;

		if (*p == '"') {
			const char *close = string_end(p, end);

			ret = scan_string(&scan, (size_t)(close - p) - 1, err);
			p = close;
		} else {
			ret = scan_byte(&scan, *p, err);
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}
