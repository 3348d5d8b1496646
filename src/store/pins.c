/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pins: listing and freeing base files under .deltafs/pins.
 */
#include "store/pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"
#include "store/registry.h"

static const char pins_path[] = DFS_STORE_DIR "/pins";

char *dfs_pin_path(struct dfs_hash hash, char ret_path[DFS_PIN_PATH_SIZE])
{
	char hex[DFS_HASH_HEX];

	snprintf(ret_path, DFS_PIN_PATH_SIZE, "%s/%s", pins_path, dfs_hash_hex(hash, hex));
	return ret_path;
}

static int by_hash(const void *a, const void *b)
{
	return dfs_hash_compare(((const struct dfs_pin *)a)->hash,
				((const struct dfs_pin *)b)->hash);
}

/* What is not named by a hash, or no regular file, is no pin. */
static int list_add(int dir, const char *name, struct dfs_buf *pins)
{
	struct dfs_pin pin;
	struct stat st;

	if (dfs_hash_parse(name, &pin.hash) < 0 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	pin.size = (uint64_t)st.st_size;
	pin.stored = (uint64_t)st.st_blocks * 512;
	pin.alone = st.st_nlink == 1;
	return dfs_buf_append(pins, &pin, sizeof(pin));
}

int dfs_pins_list(const struct dfs_store *store, struct dfs_pin **ret_pins, size_t *ret_n)
{
	DFS_AUTO(dir) DIR *dir = NULL;
	struct dfs_buf pins = { 0 };
	const char *name;
	int ret = dfs_dir_open(store, pins_path, &dir);

	*ret_pins = NULL;
	*ret_n = 0;
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return ret;
	while (ret >= 0 && (ret = dfs_dir_next(dir, &name)) > 0)
		ret = list_add(dirfd(dir), name, &pins);
	if (ret < 0) {
		dfs_buf_release(&pins);
		return ret;
	}
	*ret_pins = (struct dfs_pin *)pins.data;
	*ret_n = pins.len / sizeof(struct dfs_pin);
	if (*ret_n)
		qsort(*ret_pins, *ret_n, sizeof(**ret_pins), by_hash);
	return 0;
}

int dfs_pins_sweep(struct dfs_store *store, const struct dfs_dependants *dependants,
		   uint64_t *ret_bytes, struct dfs_err *err)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	DFS_AUTO(mem) struct dfs_pin *pins = NULL;
	char path[DFS_PIN_PATH_SIZE];
	uint64_t freed = 0;
	size_t n;
	int ret;

	*ret_bytes = 0;
	if (store->lock_fd < 0)
		return dfs_fail(err, ENOLCK, "freeing pins needs the store's lock");
	ret = dfs_registry_list(store, &registry, err);
	if (ret < 0)
		return ret;
	/* a model or container that cannot be read may need any of them */
	if (ret > 0 || dfs_dependants_unreadable(dependants))
		return 0;
	ret = dfs_pins_list(store, &pins, &n);
	for (size_t i = 0; ret == 0 && i < n; i++) {
		if (dfs_registry_file(&registry, pins[i].hash, NULL) ||
		    dfs_dependants_of(dependants, &pins[i].hash, 1).n)
			continue;
		if (unlinkat(store->fd, dfs_pin_path(pins[i].hash, path), 0) < 0)
			ret = -errno;
		else if (pins[i].alone)
			freed += pins[i].stored;
	}
	if (ret == 0)
		ret = dfs_sync_dir(store, pins_path);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s/%s: %s", store->path, pins_path, strerror(-ret));
	*ret_bytes = freed;
	return 0;
}
