/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pending: see pending.h. */
#include "store/pending.h"

#include <string.h>

const struct dfs_journal_form dfs_pending_form = {
	.path = DFS_STORE_DIR "/pending", .word = "deltafs-pending", .version = 1,
	.holds = "what waits to be compressed",
};

static const struct {
	const char *word;
	unsigned n_paths;
} kinds[DFS_PENDING_KINDS] = {
	[DFS_PENDING_ADD] = { "add", 1 },
	[DFS_PENDING_DONE] = { "done", 1 },
	[DFS_PENDING_DROP] = { "drop", 1 },
	[DFS_PENDING_MOVE] = { "move", 2 },
	[DFS_PENDING_EXCHANGE] = { "exchange", 2 },
};

/* Relative, and nothing that a lookup could not mean; nothing of ours. */
static bool is_path(const char *path)
{
	if (strcmp(path, DFS_STORE_DIR) == 0 || strncmp(path, DFS_STORE_DIR "/", sizeof(DFS_STORE_DIR)) == 0)
		return false;
	for (;;) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

struct receiver {
	dfs_pending_fn *each;
	void *arg;
};

/* Return: the kind of a line; DFS_PENDING_KINDS: it makes no sense. */
static unsigned kind_of(char **fields, size_t n)
{
	unsigned kind = 0;

	while (kind < DFS_PENDING_KINDS && strcmp(fields[0], kinds[kind].word) != 0)
		kind++;
	if (kind == DFS_PENDING_KINDS || n != kinds[kind].n_paths + 1)
		return DFS_PENDING_KINDS;
	for (size_t i = 1; i < n; i++)
		if (!is_path(fields[i]))
			return DFS_PENDING_KINDS;
	return kind;
}

bool dfs_pending_sense(void *unused, char **fields, size_t n)
{
	(void)unused;
	return kind_of(fields, n) < DFS_PENDING_KINDS;
}

/* dfs_journal_line_fn */
static bool receive(void *arg, char **fields, size_t n)
{
	const struct receiver *receiver = arg;
	unsigned kind = kind_of(fields, n);

	if (kind == DFS_PENDING_KINDS)
		return false;
	receiver->each(receiver->arg, (enum dfs_pending_kind)kind, fields[1], n > 2 ? fields[2] : "");
	return true;
}

int dfs_pending_open(struct dfs_store *store, struct dfs_log *log, dfs_pending_fn *each, void *arg,
		     struct dfs_journal **ret_journal, struct dfs_err *err)
{
	struct receiver receiver = { each, arg };

	return dfs_journal_open(store, log, &dfs_pending_form, receive, &receiver, ret_journal, err);
}

int dfs_pending_read(int fd, dfs_pending_fn *each, void *arg, struct dfs_journal_reading *ret_reading)
{
	struct receiver receiver = { each, arg };

	return dfs_journal_read(fd, &dfs_pending_form, receive, &receiver, ret_reading);
}

void dfs_pending_note(struct dfs_journal *journal, enum dfs_pending_kind kind, const char *path, const char *to)
{
	dfs_journal_note(journal, (const char *[]){ kinds[kind].word, path, to }, kinds[kind].n_paths + 1);
}

void dfs_pending_snapshot_add(struct dfs_journal *journal, const char *path)
{
	const char *const fields[] = { kinds[DFS_PENDING_ADD].word, path };

	dfs_journal_snapshot_add(journal, path ? fields : NULL, 2);
}
