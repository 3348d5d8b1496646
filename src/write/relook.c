/* SPDX-License-Identifier: GPL-2.0-or-later */
/* relook: see relook.h. */
#include "write/relook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/registry.h"
#include "store/walk.h"
#include "util/auto.h"
#include "util/clock.h"

/* A directory that changed so short a time ago may change again without another mtime. */
#define TICK_S 1

static int look_at(void *arg, const struct dfs_walk_file *file)
{
	struct dfs_relook *l = arg;
	struct dfs_reason why;

	if (dfs_queue_stopping(l->queue))
		return -ECANCELED;
	if (file->claim.kind != DFS_PLAIN || !dfs_reasons_find(l->reasons, &file->st, &why) ||
	    !dfs_reason_wants_base(why.id))
		return 0;
	dfs_queue_written(l->queue, file->path);
	dfs_queue_sized(l->queue, file->path, (uint64_t)file->st.st_size);
	dfs_reasons_clear(l->reasons, &file->st);
	return 0;
}

/* Return: whether all was looked at. */
static bool walk(struct dfs_relook *l)
{
	static const struct dfs_walk_ops ops = { .file = look_at };
	struct dfs_err err = { "" };
	int ret = dfs_walk(dfs_store_fd(l->store), "", &ops, l, &err);

	if (ret < 0 && ret != -ECANCELED)
		dfs_log_line(l->log, DFS_LOG_WARNING, "files that a new base may suit are not looked for: %s", err.text);
	return ret == 0;
}

static void compare(struct dfs_relook *l, const struct dfs_registry *registry)
{
	DFS_AUTO(mem) struct dfs_hash *ids = calloc(registry->n + 1, sizeof(*ids));

	for (size_t i = 0; ids && i < registry->n; i++)
		ids[i] = registry->models[i].id;
	if (ids && (!dfs_reasons_outdated(l->reasons, ids, registry->n) || walk(l)))
		dfs_reasons_bases(l->reasons, ids, registry->n);
}

void dfs_relook(struct dfs_relook *l)
{
	struct dfs_registry registry = { 0 };
	struct stat st = { 0 };

	if (!l->reasons)
		return;
	if (fstatat(dfs_store_fd(l->store), DFS_STORE_DIR "/bases", &st, AT_SYMLINK_NOFOLLOW) < 0)
		st.st_mtim = (struct timespec){ 0 };
	if (l->looked && dfs_time_same(st.st_mtim, l->changed))
		return;
	if (dfs_registry_list(l->store, &registry, NULL) >= 0)
		compare(l, &registry);
	dfs_registry_release(&registry);
	l->changed = st.st_mtim;
	l->looked = time(NULL) - st.st_mtim.tv_sec > TICK_S;
}
