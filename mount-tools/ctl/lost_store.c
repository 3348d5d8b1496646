/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lost_store: see lost_store.h. */
#include "lost_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/claim.h"
#include "store/store.h"
#include "util/auto.h"

static int load(const char *path, struct dfs_container **ret_container)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct dfs_claim claim;
	struct stat st;
	int ret;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	ret = dfs_claim_check(fd, (uint64_t)st.st_size, &claim);
	if (ret == 0 && claim.kind != DFS_CONTAINER)
		ret = -ENOENT;
	return ret < 0 ? ret : dfs_container_load(fd, &claim.sb, ret_container, NULL);
}

static bool has_base(const struct dfs_store *store, const struct dfs_base_file *base)
{
	DFS_AUTO(fd) int fd = -1;
	struct stat st;

	return *base->name && dfs_store_openat(store, base->name, O_PATH, &fd) == 0 && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == base->size;
}

static bool is_root(const char *dir, const struct dfs_container *container)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;

	if (dfs_store_open(*dir ? dir : "/", true, &store, NULL) < 0)
		return false;
	for (uint32_t i = 0; i < container->n_bases; i++)
		if (has_base(store, &container->bases[i]))
			return true;
	return false;
}

int ctl_lost_store(const char *path, char **ret_root)
{
	DFS_AUTO(container) struct dfs_container *container = NULL;
	DFS_AUTO(mem) char *dir = realpath(path, NULL);
	int ret = dir ? load(dir, &container) : -errno;

	if (ret < 0)
		return ret;
	for (char *slash = strrchr(dir, '/'); slash; slash = strrchr(dir, '/')) {
		*slash = '\0';
		if (!is_root(dir, container))
			continue;
		*ret_root = strdup(*dir ? dir : "/");
		return *ret_root ? 0 : -ENOMEM;
	}
	return -ENOENT;
}
