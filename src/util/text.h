/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text: how strings begin and end.
 */
#ifndef DFS_UTIL_TEXT_H
#define DFS_UTIL_TEXT_H

#include <stdbool.h>
#include <string.h>

static inline bool dfs_text_begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* dfs_text_ends() - does it end so, with something before it? */
static inline bool dfs_text_ends(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

#endif
