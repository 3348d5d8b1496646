/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: see check.h. */
#include "store/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/check_internal.h"
#include "store/internal.h"

static const struct {
	const char *word;
	enum dfs_check_repair level;	/* that mends it */
	const char *done;
	const char *cure;		/* where it cannot be mended */
} kinds[DFS_CHECK_KINDS] = {
	[DFS_CHECK_VERSION] = { "version", DFS_REPAIR_NONE, NULL,
		"if the store is of version 1, put \"deltafs store 1\" there; until then it is only read" },
	[DFS_CHECK_TMP] = { "tmp", DFS_REPAIR_SAFE, "removed", "remove it when nobody writes to the store" },
	[DFS_CHECK_JOURNAL] = { "journal", DFS_REPAIR_SAFE, "written anew without them", "remove it when nobody writes to the store: files that wait are found again" },
	[DFS_CHECK_HASH] = { "hash", DFS_REPAIR_SAFE, "removed", "remove it: its file is read once more" },
	[DFS_CHECK_STATE] = { "state", DFS_REPAIR_NONE, NULL, "deltafs did not put it there: look at it, and move it away" },
	[DFS_CHECK_KEPT_RECORD] = { "kept-record", DFS_REPAIR_NONE, NULL,
		"the original lies beside it, without .record: move it to where it is wanted, and remove the record" },
	[DFS_CHECK_KEPT_STRAY] = { "kept-stray", DFS_REPAIR_ALL, "removed",
		"look at it, and move it to where it is wanted, if it is; its record ends in .record" },
	[DFS_CHECK_KEPT_ALTERED] = { "kept-altered", DFS_REPAIR_NONE, NULL,
		"its file is as it was, and cannot be reverted; bring the original back from a backup, or let go of it: deltafsctl accept" },
	[DFS_CHECK_MODEL] = { "model", DFS_REPAIR_SAFE, "written anew from its pins",
		"give the model once more: deltafsctl base add STORE PATH" },
	[DFS_CHECK_PIN_LOST] = { "pin-lost", DFS_REPAIR_SAFE, "pinned", "give it once more: deltafsctl base add STORE PATH" },
	[DFS_CHECK_PIN_ALTERED] = { "pin-altered", DFS_REPAIR_SAFE, "made anew",
		"give it once more: deltafsctl base add STORE PATH" },
	[DFS_CHECK_PIN_SPARE] = { "pin-spare", DFS_REPAIR_SAFE, "removed", "deltafsctl base remove frees it, once all containers can be read" },
	[DFS_CHECK_PIN_STRAY] = { "pin-stray", DFS_REPAIR_ALL, "removed", "deltafsctl base remove frees it, once all containers can be read" },
	[DFS_CHECK_REFERENCE] = { "reference", DFS_REPAIR_NONE, NULL,
		"put it back, or give it from elsewhere: deltafsctl base add STORE PATH" },
	[DFS_CHECK_UNREADABLE] = { "unreadable", DFS_REPAIR_NONE, NULL, "call fsck.deltafs as who may read it, or look at the disk" },
	[DFS_CHECK_BROKEN] = { "broken", DFS_REPAIR_NONE, NULL, "put the file there again from where it came" },
	[DFS_CHECK_OVERWRITTEN] = { "overwritten", DFS_REPAIR_ALL, "its mark is removed, and it is plain", "remove the attribute" },
	[DFS_CHECK_NEWER] = { "newer", DFS_REPAIR_NONE, NULL, "a newer deltafs reads it" },
	[DFS_CHECK_METADATA] = { "metadata", DFS_REPAIR_NONE, NULL, "put the file there again from where it came" },
	[DFS_CHECK_CONTENT] = { "content", DFS_REPAIR_NONE, NULL,
		"the rest of it can be read; if its base is right, put the file there again from where it came" },
	[DFS_CHECK_SUPERBLOCK] = { "superblock", DFS_REPAIR_SAFE, "written anew from the other one",
		"deltafsctl decode makes it plain from the one that is right, if all else is" },
	[DFS_CHECK_TRAILING] = { "trailing", DFS_REPAIR_SAFE, "cut off", "look at them; truncate -s to that length takes them away" },
	[DFS_CHECK_MARK] = { "mark", DFS_REPAIR_SAFE, "removed", "deltafsctl decode and encode give it one of its own" },
	[DFS_CHECK_BASE] = { "base", DFS_REPAIR_NONE, NULL, "the file is whole once its base is back" },
};

/* What asks for more than was allowed, in words of the program. */
static const char *const ask[] = {
	[DFS_REPAIR_SAFE] = "-p repairs it", [DFS_REPAIR_ALL] = "-y repairs it",
};

const char *dfs_check_word(enum dfs_check_kind kind)
{
	return kinds[kind].word;
}

void dfs_check_found(struct dfs_check *check, enum dfs_check_kind kind, const char *path, const char *what,
		     dfs_check_mend_fn *mend, void *arg)
{
	struct dfs_finding finding = { kind, DFS_CHECK_LEFT, path, what, kinds[kind].cure };
	enum dfs_check_repair level = mend ? kinds[kind].level : DFS_REPAIR_NONE;
	struct dfs_err err = { "" };

	if (level && check->repair < level) {
		finding.outcome = DFS_CHECK_REPAIRABLE;
		finding.then = ask[level];
	} else if (level) {
		int ret = dfs_store_lock(check->store, "", &err);

		if (ret == 0)
			ret = mend(arg, &err);
		if (ret == 0)
			finding.outcome = DFS_CHECK_REPAIRED;
		finding.then = ret == 0 ? kinds[kind].done : err.text;
	}
	check->found(check->arg, &finding);
}

void dfs_check_end(struct dfs_check *check)
{
	struct dfs_check_base *seen = (struct dfs_check_base *)check->seen.data;

	for (size_t i = 0; i < check->seen.len / sizeof(*seen); i++)
		free(seen[i].name);
	dfs_buf_release(&check->seen);
	dfs_buf_release(&check->lost);
}

int dfs_check_names(const struct dfs_store *store, const char *rel, struct dfs_paths *ret_names)
{
	DFS_AUTO(paths) struct dfs_paths names = { 0 };
	DFS_AUTO(dir) DIR *dir = NULL;
	const char *name;
	int ret = dfs_dir_open(store, rel, &dir);

	*ret_names = (struct dfs_paths){ 0 };
	if (ret < 0)
		return ret == -ENOENT || ret == -ENOTDIR || ret == -ELOOP ? 0 : ret;
	while ((ret = dfs_dir_next(dir, &name)) > 0) {
		DFS_AUTO(mem) char *path = NULL;

		if (asprintf(&path, "%s/%s", rel, name) < 0 || dfs_paths_add(&names, path) < 0)
			return -ENOMEM;
	}
	if (ret < 0)
		return ret;
	*ret_names = names;
	names = (struct dfs_paths){ 0 };
	return 0;
}

int dfs_check_remove(void *arg, struct dfs_err *err)
{
	const struct dfs_check_removing *r = arg;

	if (unlinkat(r->store->fd, r->path, 0) < 0 && errno != ENOENT)
		return dfs_fail_errno(err, "remove");
	return 0;
}
