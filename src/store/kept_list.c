/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kept_list: all that is kept, whose it is, and what a crash left. See kept.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/container.h"
#include "store/claim.h"
#include "store/expand.h"
#include "store/internal.h"
#include "store/kept.h"
#include "store/mark.h"

/* --- the list */

void dfs_kept_list_release(struct dfs_kept_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		dfs_kept_release(&list->kept[i]);
	free(list->kept);
	*list = (struct dfs_kept_list){ 0 };
}

/* "0123456789abcdef.record". Return: false: it is no record's. */
static bool id_of_record(const char *name, char ret_id[DFS_KEPT_ID])
{
	if (strlen(name) != DFS_KEPT_ID - 1 + strlen(DFS_KEPT_RECORD) || strcmp(name + DFS_KEPT_ID - 1, DFS_KEPT_RECORD) != 0)
		return false;
	snprintf(ret_id, DFS_KEPT_ID, "%.16s", name);
	return dfs_kept_is_id(ret_id);
}

static int add(const struct dfs_store *store, const char *id, struct dfs_kept_list *list)
{
	struct dfs_kept kept, *grown;
	int ret = dfs_kept_read(store, id, &kept);

	if (ret == -ENOENT)
		return 0;
	if (ret < 0 && ret != -ENOMEM) {
		list->n_odd++;
		return 0;
	}
	grown = ret < 0 ? NULL : reallocarray(list->kept, list->n + 1, sizeof(*grown));
	if (!grown) {
		if (ret == 0)
			dfs_kept_release(&kept);
		return -ENOMEM;
	}
	list->kept = grown;
	grown[list->n++] = kept;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct dfs_kept *)a)->id, ((const struct dfs_kept *)b)->id);
}

int dfs_kept_list(const struct dfs_store *store, struct dfs_kept_list *ret_list)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	DFS_AUTO(dir) DIR *dir = NULL;
	char id[DFS_KEPT_ID];
	const char *name;
	int ret = dfs_dir_open(store, DFS_KEPT_DIR, &dir);

	*ret_list = list;
	if (ret < 0)
		return ret == -ENOENT || ret == -ENOTDIR || ret == -ELOOP ? 0 : ret;
	while ((ret = dfs_dir_next(dir, &name)) > 0) {
		ret = id_of_record(name, id) ? add(store, id, &list) : 0;
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	if (list.n)
		qsort(list.kept, list.n, sizeof(*list.kept), by_id);
	*ret_list = list;
	list = (struct dfs_kept_list){ 0 };
	return 0;
}

/* --- whose it is */

/* In a copied store: a file that gave up bits, or was compressed before, whatever somebody wrote to it since. */
static bool fits(const struct dfs_kept *kept, int fd)
{
	struct dfs_claim claim;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || dfs_claim_check(fd, (uint64_t)st.st_size, &claim) < 0)
		return false;
	return dfs_claim_lossy(&claim) || dfs_mark_has(&dfs_mark_exact, fd) ||
	       (claim.kind == DFS_PLAIN && claim.original_size == kept->bytes);
}

enum dfs_kept_state dfs_kept_look(const struct dfs_store *store, const struct dfs_kept *kept,
				  struct dfs_file_id *ret_file)
{
	char path[DFS_KEPT_PATH_SIZE];
	struct dfs_file_id original, file = { 0 };
	DFS_AUTO(fd) int fd = -1;
	bool copied, there;
	int ret = dfs_file_id_at(store->fd, dfs_kept_path(kept->id, path), &original);

	if (ret < 0)
		return ret == -ENOENT ? DFS_KEPT_GONE : DFS_KEPT_ADRIFT;
	copied = !dfs_file_id_same(&original, &kept->original);
	there = dfs_store_openat(store, kept->path, O_RDONLY | O_NOATIME, &fd) == 0 && dfs_file_id_of(fd, &file) == 0;
	if (ret_file)
		*ret_file = file;
	if (there && dfs_file_id_same(&file, &original))
		return DFS_KEPT_NOT_YET;
	if (copied)
		return there && fits(kept, fd) ? DFS_KEPT_MOVED : DFS_KEPT_ADRIFT;
	return there && dfs_kept_is_for(kept, &file) ? DFS_KEPT_THERE : DFS_KEPT_ASTRAY;
}

/* Not of a file whose publication a crash prevented. */
static bool is_of(const struct dfs_store *store, const struct dfs_kept *kept, const struct dfs_file_id *file, const char *rel)
{
	struct dfs_file_id there;

	switch (dfs_kept_look(store, kept, &there)) {
	case DFS_KEPT_THERE:
	case DFS_KEPT_ASTRAY:
		return dfs_kept_is_for(kept, file);
	case DFS_KEPT_MOVED:
		return rel && strcmp(rel, kept->path) == 0 && dfs_file_id_same(&there, file);
	default:
		return false;
	}
}

int dfs_kept_find(const struct dfs_store *store, int fd, const char *rel, struct dfs_kept *ret_kept)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	struct dfs_file_id file;
	int ret = dfs_file_id_of(fd, &file);

	if (ret == 0)
		ret = dfs_kept_list(store, &list);
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		if (!is_of(store, &list.kept[i], &file, rel))
			continue;
		ret = dfs_kept_copy(&list.kept[i], ret_kept);
		return ret < 0 ? ret : 1;
	}
	return ret;
}

/* --- what a crash left */

unsigned dfs_kept_tidy(struct dfs_store *store)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	unsigned n = 0;

	if (dfs_kept_list(store, &list) < 0)
		return 0;
	for (size_t i = 0; i < list.n; i++) {
		enum dfs_kept_state state = dfs_kept_look(store, &list.kept[i], NULL);

		if (state == DFS_KEPT_GONE)
			n += dfs_kept_forget(store, list.kept[i].id, NULL) == 0;
		else if (state == DFS_KEPT_NOT_YET)
			n += dfs_kept_let_go(store, list.kept[i].id, NULL) == 0;
	}
	return n;
}
