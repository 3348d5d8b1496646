/* SPDX-License-Identifier: GPL-2.0-or-later */
/* given_bases: what the tests of looking for bases share. */
#ifndef DFS_TESTS_STORE_GIVEN_BASES_H
#define DFS_TESTS_STORE_GIVEN_BASES_H

#include <time.h>

#include "given.h"
#include "store/bases.h"
#include "store/pins.h"

DFS_AUTO_KIND(bases, struct dfs_bases *, dfs_bases_free(*p));

/* Longer than the second in which a place is not looked at again. */
static inline void wait_for_check(void)
{
	nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
}

static inline void check_content(const struct dfs_base *base, const struct dfs_base_file *want)
{
	uint8_t bytes[8192];

	CHECK(base->size == want->size && dfs_hash_equal(base->hash, want->hash));
	CHECK_RET(0, dfs_pread_all(base->fd, bytes, base->size, 0));
	CHECK(dfs_hash_equal(dfs_hash128(bytes, base->size), want->hash));
}

static inline void found(struct dfs_bases *bases, const struct dfs_base_file *want)
{
	struct dfs_base *base;
	struct dfs_err err = { "" };

	CHECK_OK(dfs_bases_get(bases, want, &base, &err), err);
	check_content(base, want);
	dfs_base_put(bases, base);
}

static inline void missed(struct dfs_bases *bases, const struct dfs_base_file *want, const char *says)
{
	struct dfs_base *base;
	struct dfs_err err = { "" };

	alarm(20);
	CHECK_RET(-EIO, dfs_bases_get(bases, want, &base, &err));
	alarm(0);
	CHECK_SAYS(err, says);
}

static inline void pin(struct dfs_store *store, const char *path)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);
	struct dfs_pin_add add = { .fd = fd, .hash = hash_of(path) };
	struct dfs_err err = { "" };
	enum dfs_pin_how how;

	CHECK_OK(dfs_pin_add(store, &add, &how, NULL, &err), err);
}

#endif
