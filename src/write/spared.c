/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/spared.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/log.h"

static const struct {
	const char *one, *many;
} why_text[DFS_SPARED_WHYS] = {
	[DFS_SPARED_NUMBERS] = { "it has NaN, infinity or numbers too large", "they have NaN, infinity or numbers too large" },
	[DFS_SPARED_DECLINED] = { "the codec would keep nothing of it", "the codec would keep nothing of them" },
	[DFS_SPARED_SMALLER] = { "that takes no more bytes", "that takes no more bytes" },
	[DFS_SPARED_NO_BASE] = { "the base has none like it", "the base has none like them" },
	[DFS_SPARED_SHAPE] = { "its shape does not suit the codec's options", "their shapes do not suit the codec's options" },
	[DFS_SPARED_UNPLANNED] = { "it was not there when its model was planned", "they were not there when their model was planned" },
};

void dfs_spared_add(struct dfs_spared *s, enum dfs_spared_why why, const char *name)
{
	if (!s->n[why]++)
		snprintf(s->first[why], sizeof(s->first[why]), "%s", name);
}

static uint32_t n_tried(const struct dfs_spared *s)
{
	return s->n[DFS_SPARED_NUMBERS] + s->n[DFS_SPARED_DECLINED] + s->n[DFS_SPARED_UNPLANNED];
}

bool dfs_spared_tried(const struct dfs_spared *s)
{
	return n_tried(s) > 0;
}

bool dfs_spared_mostly_smaller(const struct dfs_spared *s)
{
	return s->n[DFS_SPARED_SMALLER] && s->n[DFS_SPARED_SMALLER] >= n_tried(s);
}

char *dfs_spared_text(const struct dfs_spared *s, char ret_text[DFS_SPARED_TEXT])
{
	size_t len = 0;

	ret_text[0] = '\0';
	for (unsigned why = 0; why < DFS_SPARED_WHYS && len < DFS_SPARED_TEXT; why++) {
		char name[4 * DFS_SPARED_NAME];
		uint32_t n = s->n[why];

		if (!n)
			continue;
		dfs_log_escape(s->first[why], name, sizeof(name));
		len += (size_t)snprintf(ret_text + len, DFS_SPARED_TEXT - len, "%s%" PRIu32 " matri%s exact, since %s: %s%s",
					len ? "; " : "", n, n == 1 ? "x is" : "ces are",
					n == 1 ? why_text[why].one : why_text[why].many, name, n == 1 ? "" : ", ...");
	}
	return ret_text;
}

void dfs_spared_reason(const struct dfs_spared *s, struct dfs_reason *ret_reason)
{
	char text[DFS_SPARED_TEXT];

	dfs_spared_text(s, text);
	dfs_reason_set(ret_reason, *text ? DFS_REASON_EXACT_PARTLY : DFS_REASON_NONE, 0, text);
}
