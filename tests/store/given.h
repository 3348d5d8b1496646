/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * given: what the tests of the store begin with: a directory of their own,
 * files, models and containers in it. Each case starts in an empty directory
 * (given_dir) that is also the current one, and is taken away afterwards.
 */
#ifndef DFS_TESTS_STORE_GIVEN_H
#define DFS_TESTS_STORE_GIVEN_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "format/container.h"
#include "store/claim.h"
#include "store/store.h"
#include "util/auto.h"
#include "util/io.h"

static inline int given_dir(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir;

	if (asprintf(&dir, "%s/test_store.XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0 ||
	    !mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	*state = dir;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static inline int gone_dir(void **state)
{
	int ret = chdir("/");

	nftw(*state, remove_one, 32, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return ret;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, given_dir, gone_dir)

static inline void put(const char *path, const void *bytes, size_t len)
{
	DFS_AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK_RET(0, dfs_pwrite_all(fd, bytes, len, 0));
}

static inline void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

/* All directories above @path. */
static inline void make_dirs(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
}

/* Root may give files away; root of a user namespace only to users it has. */
static inline bool can_chown(void)
{
	bool can;

	put_text("chown-probe", "");
	can = chown("chown-probe", 1234, 2345) == 0;
	CHECK(unlink("chown-probe") == 0);
	return can;
}

/* A valid model file of one U8 tensor; another @seed is other content of the same size. */
static inline size_t model_bytes(uint8_t *out, size_t room, unsigned seed, unsigned n)
{
	char json[128];
	int len =
		snprintf(json, sizeof(json),
			 "{\"t\":{\"dtype\":\"U8\",\"shape\":[%u],\"data_offsets\":[0,%u]}}", n, n);

	CHECK((size_t)len + 8 + n <= room);
	dfs_put_u64le(out, (uint64_t)len);
	memcpy(out + 8, json, (size_t)len);
	for (unsigned i = 0; i < n; i++)
		out[8 + len + i] = (uint8_t)(i * 7 + seed);
	return (size_t)len + 8 + n;
}

static inline size_t put_model(const char *path, unsigned seed, unsigned n)
{
	uint8_t bytes[8192];
	size_t len = model_bytes(bytes, sizeof(bytes), seed, n);

	make_dirs(path);
	put(path, bytes, len);
	return len;
}

/* The hash of a whole small file, by one call on all its bytes. */
static inline struct dfs_hash hash_of(const char *path)
{
	uint8_t bytes[16384];
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, bytes, sizeof(bytes));

	CHECK(n >= 0);
	return dfs_hash128(bytes, (size_t)n);
}

static inline uint64_t size_of(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return (uint64_t)st.st_size;
}

/* A container of @size opaque bytes, all stored, that says it needs @bases. */
static inline void put_container(const char *path, uint32_t size, struct dfs_base_file *bases,
				 uint32_t n_bases, struct dfs_superblock *ret_sb)
{
	struct dfs_segment segment = { .len = size, .n_chunks = size ? 1 : 0 };
	struct dfs_chunk_ref chunk = { .off = DFS_SUPERBLOCK_SIZE, .len = size, .codec = 1 };
	struct dfs_container c = {
		.sb = { .version = DFS_FORMAT_VERSION, .original_size = size },
		.bases = bases, .segments = &segment, .chunks = &chunk,
		.n_bases = n_bases, .n_segments = size ? 1 : 0, .n_chunks = size ? 1 : 0,
	};
	struct dfs_buf meta = { 0 };
	uint8_t sb[DFS_SUPERBLOCK_SIZE], payload[4096] = { 0 };
	struct dfs_err err = { "" };
	DFS_AUTO(fd) int fd = -1;

	CHECK(size <= sizeof(payload));
	CHECK_OK(dfs_container_pack(&c, &meta, &err), err);
	c.sb.meta_off = DFS_SUPERBLOCK_SIZE + size;
	c.sb.meta_len = meta.len;
	c.sb.container_size = c.sb.meta_off + meta.len + DFS_SUPERBLOCK_SIZE;
	c.sb.meta_hash = dfs_hash128(meta.data, meta.len);
	dfs_superblock_pack(&c.sb, sb);
	make_dirs(path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0);
	CHECK_RET(0, dfs_pwrite_all(fd, sb, sizeof(sb), 0));
	CHECK_RET(0, dfs_pwrite_all(fd, payload, size, sizeof(sb)));
	CHECK_RET(0, dfs_pwrite_all(fd, meta.data, meta.len, c.sb.meta_off));
	CHECK_RET(0, dfs_pwrite_all(fd, sb, sizeof(sb), c.sb.meta_off + meta.len));
	dfs_buf_release(&meta);
	if (ret_sb)
		*ret_sb = c.sb;
}

/* A base file as a container asks for it, by the content that @path has now. */
static inline struct dfs_base_file want_of(const char *path, const char *name)
{
	return (struct dfs_base_file){
		.hash = hash_of(path), .size = size_of(path), .name = name, .origin = ""
	};
}

static inline struct dfs_store *open_store(const char *path)
{
	struct dfs_store *store = NULL;
	struct dfs_err err = { "" };

	CHECK_OK(dfs_store_open(path, false, &store, &err), err);
	return store;
}

static inline struct dfs_store *lock_store(const char *path)
{
	struct dfs_store *store = open_store(path);
	struct dfs_err err = { "" };

	CHECK_OK(dfs_store_lock(store, "", &err), err);
	return store;
}

/* dfs_hash_progress_fn: never cancels. */
static inline bool go_on(void *arg, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)done;
	(void)total;
	return true;
}

/* Does a sentence say so? Shows the sentence if not. */
#define CHECK_SAYS(err, word)						\
	do {								\
		if (!strstr((err).text, (word)))			\
			fail_msg("\"%s\" does not say \"%s\"", (err).text, (word)); \
	} while (0)

#endif
