/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hub: the nice names of a hub cache's blobs.
 */
#include "store/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/internal.h"

/* Folders within a snapshot; tokenizers and pipelines use one. */
#define DEPTH 8

struct link {
	char *blob, *path;
};

struct links {
	struct link *links;
	size_t n;
};

static void links_release(struct links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		free(links->links[i].blob);
		free(links->links[i].path);
	}
	free(links->links);
}

DFS_AUTO_KIND(links, struct links, links_release(p));

/* "../../blobs/HASH", with any number of "../": HASH, else NULL. */
static const char *blob_name(const char *target, unsigned *ret_up)
{
	unsigned up = 0;

	for (; strncmp(target, "../", 3) == 0; up++)
		target += 3;
	*ret_up = up;
	if (up < 2 || strncmp(target, "blobs/", 6) != 0)
		return NULL;
	target += 6;
	return *target && !strchr(target, '/') && *target != '.' ? target : NULL;
}

static int link_add(struct links *links, const char *base, const char *blob, const char *path)
{
	struct link *more = realloc(links->links, (links->n + 1) * sizeof(*more));
	struct link *new;

	if (!more)
		return -ENOMEM;
	links->links = more;
	new = &more[links->n];
	if (asprintf(&new->blob, "%s%sblobs/%s", base, *base ? "/" : "", blob) < 0)
		return -ENOMEM;
	new->path = strdup(path);
	if (!new->path) {
		free(new->blob);
		return -ENOMEM;
	}
	links->n++;
	return 0;
}

static int collect(int dir, const char *name, const char *base, const char *path, unsigned depth,
		   struct links *links);

static int collect_entry(int dir, const char *name, const char *base, const char *path,
			 unsigned depth, struct links *links)
{
	DFS_AUTO(mem) char *below = NULL;
	char target[PATH_MAX];
	const char *blob;
	unsigned up;
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (asprintf(&below, "%s/%s", path, name) < 0)
		return -ENOMEM;
	if (n < 0)
		return depth < DEPTH ? collect(dir, name, base, below, depth + 1, links) : 0;
	target[n] = '\0';
	blob = blob_name(target, &up);
	return blob ? link_add(links, base, blob, below) : 0;
}

/* All links below a directory; what is no directory holds none. */
static int collect(int dir, const char *name, const char *base, const char *path, unsigned depth,
		   struct links *links)
{
	DFS_AUTO(fd) int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DFS_AUTO(dir) DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	const char *entry;
	int ret = 0;

	if (!entries)
		return 0;
	dfs_steal_fd(&fd);
	/* a listing that breaks off costs nice names, nothing else */
	while (ret == 0 && dfs_dir_next(entries, &entry) > 0)
		ret = collect_entry(dirfd(entries), entry, base, path, depth, links);
	return ret;
}

static int by_blob_and_path(const void *a, const void *b)
{
	const struct link *x = a, *y = b;
	int order = strcmp(x->blob, y->blob);

	return order ? order : strcmp(x->path, y->path);
}

/* One entry a blob, of links that are sorted. */
static int group(const struct links *links, struct dfs_hub *hub)
{
	hub->blobs = calloc(links->n ? links->n : 1, sizeof(*hub->blobs));
	if (!hub->blobs)
		return -ENOMEM;
	for (size_t i = 0; i < links->n; i++) {
		struct dfs_hub_names *last = hub->n ? &hub->blobs[hub->n - 1] : NULL;

		if (!last || strcmp(last->blob, links->links[i].blob) != 0) {
			last = &hub->blobs[hub->n];
			last->blob = strdup(links->links[i].blob);
			if (!last->blob)
				return -ENOMEM;
			hub->n++;
		}
		if (dfs_paths_add(&last->paths, links->links[i].path) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool is_directory(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int dfs_hub_read(int dir, const char *path, struct dfs_hub *ret_hub)
{
	DFS_AUTO(links) struct links links = { 0 };
	DFS_AUTO(hub) struct dfs_hub hub = { 0 };
	DFS_AUTO(mem) char *snapshots = NULL;
	int ret;

	if (!is_directory(dir, "blobs") || !is_directory(dir, "snapshots"))
		return 0;
	if (asprintf(&snapshots, "%s%ssnapshots", path, *path ? "/" : "") < 0)
		return -ENOMEM;
	ret = collect(dir, "snapshots", path, snapshots, 0, &links);
	if (ret < 0)
		return ret;
	if (links.n)
		qsort(links.links, links.n, sizeof(*links.links), by_blob_and_path);
	ret = group(&links, &hub);
	if (ret < 0)
		return ret;
	*ret_hub = hub;
	hub = (struct dfs_hub){ 0 };
	return 0;
}

int dfs_hub_blob(int dir, const char *name, const char *path, char **ret_blob)
{
	char target[PATH_MAX];
	const char *blob;
	unsigned up;
	size_t len = strlen(path);
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -ENOENT;
	target[n] = '\0';
	blob = blob_name(target, &up);
	if (!blob)
		return -ENOENT;
	/* cut the link's own name, then a component for each "../" */
	for (unsigned i = 0; i <= up; i++) {
		if (!len)
			return -ENOENT;
		while (len && path[len - 1] != '/')
			len--;
		if (len && i < up)
			len--;
	}
	return asprintf(ret_blob, "%.*sblobs/%s", (int)len, path, blob) < 0 ? -ENOMEM : 0;
}

static int by_blob(const void *key, const void *entry)
{
	return strcmp(key, ((const struct dfs_hub_names *)entry)->blob);
}

const struct dfs_hub_names *dfs_hub_find(const struct dfs_hub *hub, const char *path)
{
	return hub->n ? bsearch(path, hub->blobs, hub->n, sizeof(*hub->blobs), by_blob) : NULL;
}

void dfs_hub_release(struct dfs_hub *hub)
{
	for (size_t i = 0; i < hub->n; i++) {
		free(hub->blobs[i].blob);
		dfs_paths_release(&hub->blobs[i].paths);
	}
	free(hub->blobs);
	*hub = (struct dfs_hub){ 0 };
}
