/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_links: the inodes of .deltafs/pins, remembered.
 */
#include "store/pin_links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/internal.h"
#include "util/clock.h"

/*
 * A directory that changed so lately may change again without showing it. To
 * miss a pin would be to let its file be overwritten.
 */
#define TICK_S 2

struct dfs_pin_links {
	const struct dfs_store *store;
	pthread_mutex_t lock;
	/* under lock */
	struct stat dir;	/* of the directory when it was read; st_ino 0: it must be read again */
	struct dfs_buf inodes;	/* ino_t each, in no order: pins are few */
};

struct dfs_pin_links *dfs_pin_links_new(const struct dfs_store *store)
{
	struct dfs_pin_links *links = calloc(1, sizeof(*links));

	if (!links)
		return NULL;
	links->store = store;
	pthread_mutex_init(&links->lock, NULL);
	return links;
}

void dfs_pin_links_free(struct dfs_pin_links *links)
{
	if (!links)
		return;
	dfs_buf_release(&links->inodes);
	pthread_mutex_destroy(&links->lock);
	free(links);
}

static int read_inodes(int fd, struct dfs_buf *inodes)
{
	DFS_AUTO(dir) DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return -errno;
	}
	inodes->len = 0;
	while ((entry = readdir(dir)))
		if (dfs_buf_append(inodes, &entry->d_ino, sizeof(entry->d_ino)) < 0)
			return -ENOMEM;
	return 0;
}

/* Under the lock. */
static void refresh(struct dfs_pin_links *links)
{
	struct stat dir;
	int fd;

	if (dfs_store_openat(links->store, DFS_STORE_DIR "/pins", O_RDONLY | O_DIRECTORY, &fd) < 0) {
		links->inodes.len = 0;
		links->dir.st_ino = 0;
		return;
	}
	if (fstat(fd, &dir) < 0 || (dir.st_ino == links->dir.st_ino &&
	    dfs_time_same(dir.st_mtim, links->dir.st_mtim))) {
		close(fd);
		return;
	}
	links->dir = dir;
	if (read_inodes(fd, &links->inodes) < 0 || dir.st_mtim.tv_sec + TICK_S > time(NULL))
		links->dir.st_ino = 0;
}

static bool find(struct dfs_pin_links *links, const struct stat *st)
{
	const ino_t *inodes;
	bool found = false;

	pthread_mutex_lock(&links->lock);
	refresh(links);
	inodes = (const ino_t *)links->inodes.data;
	for (size_t i = 0; !found && links->dir.st_dev == st->st_dev && i < links->inodes.len / sizeof(*inodes); i++)
		found = inodes[i] == st->st_ino;
	pthread_mutex_unlock(&links->lock);
	return found;
}

bool dfs_pin_links_has(struct dfs_pin_links *links, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink > 1 && find(links, st);
}

bool dfs_pin_links_only(struct dfs_pin_links *links, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 && find(links, st);
}
