/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shards: see shards.h. */
#include "write/shards.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/auto.h"
#include "write/elect.h"

/* More than the detail of a reason holds, which is cut. */
#define LIST_SIZE 160

static bool is_complete(const struct dfs_store *store, struct dfs_queue *queue, struct dfs_ledger *ledger, const char *rel)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_reason why;
	struct stat st;

	if (dfs_store_openat(store, rel, O_PATH, &fd) < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size == 0 || dfs_queue_unfinished(queue, rel))
		return false;
	return !dfs_ledger_find(ledger, &st, &why) || why.id != DFS_REASON_INCOMPLETE;
}

static void add_number(char list[LIST_SIZE], size_t number)
{
	size_t len = strlen(list);

	snprintf(list + len, LIST_SIZE - len, "%s%zu", len ? "," : "", number);
}

int dfs_shards_check(const struct dfs_store *store, struct dfs_queue *queue, struct dfs_ledger *ledger,
		     const char *rel, struct dfs_reason *ret_why)
{
	DFS_AUTO(paths) struct dfs_paths rels = { 0 };
	char list[LIST_SIZE] = "";

	if (dfs_elect_shards(rel, &rels) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < rels.n; i++)
		if (strcmp(rels.paths[i], rel) != 0 && !is_complete(store, queue, ledger, rels.paths[i]))
			add_number(list, i + 1);
	if (*list) {
		dfs_reason_set(ret_why, DFS_REASON_SHARDS, 0, list);
		return -EAGAIN;
	}
	for (size_t i = 0; i < rels.n; i++) {
		dfs_queue_hurry(queue, rels.paths[i], DFS_REASON_SHARDS);
		dfs_queue_hurry(queue, rels.paths[i], DFS_REASON_WHOLE);
	}
	return 0;
}
