/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places: where a base file may lie.
 */
#include "store/places.h"

#include <errno.h>
#include <fcntl.h>

#include "store/internal.h"
#include "store/pins.h"
#include "store/registry.h"

static bool each_named(const struct dfs_paths *named, dfs_place_fn *fn, void *arg)
{
	for (size_t i = 0; i < named->n; i++) {
		DFS_AUTO(paths) struct dfs_paths files = { 0 };

		/* a name that leads nowhere now is tried all the same, for the sentence it gives */
		if (dfs_paths_expand(named->paths[i], &files, NULL) < 0 &&
		    dfs_paths_add(&files, named->paths[i]) < 0)
			continue;
		for (size_t k = 0; k < files.n; k++) {
			struct dfs_place place = { DFS_PLACE_NAMED, AT_FDCWD, files.paths[k] };

			if (!fn(arg, &place))
				return false;
		}
	}
	return true;
}

struct dfs_place dfs_place_of(const struct dfs_store *store, const char *path)
{
	return (struct dfs_place){ DFS_PLACE_REFERENCE, path[0] == '/' ? AT_FDCWD : store->fd,
				   path };
}

/*
 * All paths at which a model's file was seen, pinned or not: also a store whose
 * pins were lost on the way (a copy without .deltafs/pins) finds its bases.
 */
static bool each_reference(const struct dfs_store *store, const struct dfs_base_file *want,
			   dfs_place_fn *fn, void *arg)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	const struct dfs_registered_file *file;

	if (dfs_registry_list(store, &registry, NULL) < 0 ||
	    !dfs_registry_file(&registry, want->hash, &file))
		return true;
	for (size_t i = 0; i < file->paths.n; i++) {
		struct dfs_place place = dfs_place_of(store, file->paths.paths[i]);

		if (!fn(arg, &place))
			return false;
	}
	return true;
}

void dfs_places_each(const struct dfs_store *store, const struct dfs_paths *named,
		     const struct dfs_base_file *want, dfs_place_fn *fn, void *arg)
{
	char pin[DFS_PIN_PATH_SIZE];
	struct dfs_place place;

	if (!each_named(named, fn, arg) || !store)
		return;
	place = (struct dfs_place){ DFS_PLACE_PIN, store->fd, dfs_pin_path(want->hash, pin) };
	if (!fn(arg, &place))
		return;
	if (!each_reference(store, want, fn, arg))
		return;
	if (want->name && *want->name) {
		place = (struct dfs_place){ DFS_PLACE_HINT, store->fd, want->name };
		fn(arg, &place);
	}
}

int dfs_place_open(const struct dfs_place *place, int flags, int *ret_fd, struct stat *ret_st)
{
	DFS_AUTO(fd) int fd = -1;
	int ret = 0;

	if (place->dir >= 0) {
		ret = dfs_openat_beneath(place->dir, place->path, flags, 0, &fd);
	} else {
		flags |= O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY) |
			 (place->kind == DFS_PLACE_REFERENCE ? O_NOFOLLOW : 0);
		fd = open(place->path, flags);
		if (fd < 0)
			ret = -errno;
	}
	if (ret < 0)
		return ret;
	if (fstat(fd, ret_st) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EINVAL;
	*ret_fd = dfs_steal_fd(&fd);
	return 0;
}

const char *dfs_place_describe(const struct dfs_place *place)
{
	return place->kind == DFS_PLACE_PIN ? "its pin" : place->path;
}
