/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/spared.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/log.h"

/* In the order in which they are told. */
static const struct {
	enum dfs_scope scope;
	const char *one, *many;
} rows[DFS_SPARED_SCOPES] = {
	{ DFS_SCOPE_NOT_FINITE, "it has NaN, infinity or numbers too large", "they have NaN, infinity or numbers too large" },
	{ DFS_SCOPE_DECLINED, "the codec would keep nothing of it", "the codec would keep nothing of them" },
	{ DFS_SCOPE_SMALLER, "that takes no more bytes", "that takes no more bytes" },
	{ DFS_SCOPE_NO_BASE, "the base has none like it", "the base has none like them" },
	{ DFS_SCOPE_UNEVEN, "its shape does not suit the codec's options", "their shapes do not suit the codec's options" },
	{ DFS_SCOPE_UNPLANNED, "it was not there when its model was planned", "they were not there when their model was planned" },
};

/* Return: DFS_SPARED_SCOPES: none. */
static unsigned row_of(enum dfs_scope scope)
{
	unsigned i = 0;

	while (i < DFS_SPARED_SCOPES && rows[i].scope != scope)
		i++;
	return i;
}

void dfs_spared_add(struct dfs_spared *s, enum dfs_scope scope, const char *name)
{
	unsigned i = row_of(scope);

	if (i < DFS_SPARED_SCOPES && !s->n[i]++)
		snprintf(s->first[i], sizeof(s->first[i]), "%s", name);
}

static uint32_t n_tried(const struct dfs_spared *s)
{
	return s->n[row_of(DFS_SCOPE_NOT_FINITE)] + s->n[row_of(DFS_SCOPE_DECLINED)] + s->n[row_of(DFS_SCOPE_UNPLANNED)];
}

bool dfs_spared_tried(const struct dfs_spared *s)
{
	return n_tried(s) > 0;
}

bool dfs_spared_mostly_smaller(const struct dfs_spared *s)
{
	uint32_t n = s->n[row_of(DFS_SCOPE_SMALLER)];

	return n && n >= n_tried(s);
}

char *dfs_spared_text(const struct dfs_spared *s, char ret_text[DFS_SPARED_TEXT])
{
	size_t len = 0;

	ret_text[0] = '\0';
	for (unsigned i = 0; i < DFS_SPARED_SCOPES && len < DFS_SPARED_TEXT; i++) {
		char name[4 * DFS_SPARED_NAME];
		uint32_t n = s->n[i];

		if (!n)
			continue;
		dfs_log_escape(s->first[i], name, sizeof(name));
		len += (size_t)snprintf(ret_text + len, DFS_SPARED_TEXT - len, "%s%" PRIu32 " matri%s exact, since %s: %s%s",
					len ? "; " : "", n, n == 1 ? "x is" : "ces are",
					n == 1 ? rows[i].one : rows[i].many, name, n == 1 ? "" : ", ...");
	}
	return ret_text;
}

void dfs_spared_reason(const struct dfs_spared *s, struct dfs_reason *ret_reason)
{
	char text[DFS_SPARED_TEXT];

	dfs_spared_text(s, text);
	dfs_reason_set(ret_reason, *text ? DFS_REASON_EXACT_PARTLY : DFS_REASON_NONE, 0, text);
}
