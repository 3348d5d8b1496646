/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trouble: files whose reads failed, for who asks afterwards; the log has it
 * all. One place a file; what has not failed for longest gives way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuse/internal.h"
#include "util/clock.h"
#include "util/tree.h"

static void clear(struct dfs_trouble *trouble)
{
	free(trouble->path);
	*trouble = (struct dfs_trouble){ 0 };
}

/* Under mount->lock: the one of @path, else the one to give way. */
static struct dfs_trouble *place(struct dfs_mount *mount, const char *path)
{
	struct dfs_trouble *best = &mount->troubles[0];

	for (size_t i = 0; i < DFS_TROUBLES; i++) {
		struct dfs_trouble *trouble = &mount->troubles[i];

		if (trouble->path && strcmp(trouble->path, path) == 0)
			return trouble;
		if (best->path && (!trouble->path || trouble->last_ms < best->last_ms))
			best = trouble;
	}
	clear(best);
	return best;
}

void dfs_trouble_note(struct dfs_mount *mount, fuse_ino_t ino, int ret, const char *text)
{
	struct dfs_node *node = ret == -EIO || ret == -EUCLEAN || ret == -EBADMSG ? dfs_node_get(&mount->nodes, ino) : NULL;
	struct dfs_trouble *trouble;
	char path[PATH_MAX];

	if (node && dfs_node_path(&mount->nodes, node, path) == 0) {
		pthread_mutex_lock(&mount->lock);
		trouble = place(mount, path);
		if (!trouble->path)
			trouble->path = strdup(path);
		trouble->count++;
		trouble->last_ms = dfs_clock_ms(CLOCK_MONOTONIC);
		snprintf(trouble->text, sizeof(trouble->text), "%s", *text ? text : strerror(-ret));
		atomic_store(&mount->troubled, true);
		pthread_mutex_unlock(&mount->lock);
	}
	dfs_node_put(&mount->nodes, node);
}

void dfs_trouble_forget(struct dfs_mount *mount, const char *path)
{
	if (!atomic_load(&mount->troubled))
		return;
	pthread_mutex_lock(&mount->lock);
	for (size_t i = 0; i < DFS_TROUBLES; i++)
		if (mount->troubles[i].path && dfs_tree_covers(path, mount->troubles[i].path))
			clear(&mount->troubles[i]);
	pthread_mutex_unlock(&mount->lock);
}

void dfs_trouble_each(struct dfs_mount *mount, void (*each)(void *arg, const struct dfs_trouble *trouble), void *arg)
{
	pthread_mutex_lock(&mount->lock);
	for (size_t i = 0; i < DFS_TROUBLES; i++)
		if (mount->troubles[i].path)
			each(arg, &mount->troubles[i]);
	pthread_mutex_unlock(&mount->lock);
}

void dfs_troubles_release(struct dfs_mount *mount)
{
	for (size_t i = 0; i < DFS_TROUBLES; i++)
		clear(&mount->troubles[i]);
}
