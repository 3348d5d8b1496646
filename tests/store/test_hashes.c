/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_hashes: a hash is remembered for exactly the file it was computed of. */
#include "given.h"
#include "store/hashes.h"
#include "util/cached.h"

static struct dfs_hash get(struct dfs_store *store, const char *path)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);
	struct dfs_hash hash;

	CHECK_RET(0, dfs_hashes_get(store, fd, NULL, NULL, &hash));
	return hash;
}

static bool known(struct dfs_store *store, const char *path)
{
	struct dfs_hash hash;
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return dfs_hashes_find(store, &st, &hash);
}

static void the_hash_is_that_of_the_content(void **state)
{
	static uint8_t big[(3 << 20) + 17];
	struct dfs_hash hash;

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * i >> 3);
	put("big", big, sizeof(big));
	put("empty", "", 0);
	hash = get(NULL, "big");
	CHECK(dfs_hash_equal(hash, dfs_hash128(big, sizeof(big))));
	hash = get(NULL, "empty");
	CHECK(dfs_hash_equal(hash, dfs_hash128("", 0)));
}

static void what_was_hashed_is_remembered_across_openings(void **state)
{
	struct dfs_store *store;
	struct dfs_hash hash;

	(void)state;
	put_model("m", 1, 100);
	store = lock_store(".");
	CHECK(!known(store, "m"));
	hash = get(store, "m");
	CHECK(known(store, "m"));
	dfs_store_close(store);
	store = open_store(".");
	CHECK(known(store, "m"));
	CHECK(dfs_hash_equal(hash, hash_of("m")) && dfs_hash_equal(get(store, "m"), hash));
	dfs_store_close(store);
}

static void any_change_of_the_file_forgets_it(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct stat st;
	struct timespec times[2];

	(void)state;
	store = lock_store(".");
	put_model("m", 1, 100);
	get(store, "m");
	CHECK(stat("m", &st) == 0);
	/* one byte, with size and mtime kept: the ctime tells */
	put_model("m", 2, 100);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	CHECK(utimensat(AT_FDCWD, "m", times, 0) == 0);
	CHECK(!known(store, "m"));
	CHECK(dfs_hash_equal(get(store, "m"), hash_of("m")));
	/* another file of that name and size */
	put_model("n", 3, 100);
	CHECK(rename("n", "m") == 0);
	CHECK(!known(store, "m"));
	CHECK(dfs_hash_equal(get(store, "m"), hash_of("m")));
}

static void damaged_lines_are_no_lines(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	char path[128], line[256];
	struct stat st;
	int len;

	(void)state;
	store = lock_store(".");
	put_model("m", 1, 100);
	get(store, "m");
	CHECK(stat("m", &st) == 0);
	snprintf(path, sizeof(path), ".deltafs/hashes/%lx-%lx", (long)st.st_dev, (long)st.st_ino);
	len = (int)read(open(path, O_RDONLY), line, sizeof(line));
	CHECK(len > 60);
	for (int i = 0; i < len; i++) {
		line[i] ^= 1;
		put(path, line, (size_t)len);
		CHECK(!known(store, "m"));
		line[i] ^= 1;
		put(path, line, (size_t)i);
		CHECK(!known(store, "m"));
	}
	put(path, line, (size_t)len);
	CHECK(known(store, "m"));
}

static void without_the_lock_nothing_is_written(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;

	(void)state;
	dfs_store_close(lock_store("."));
	store = open_store(".");
	put_model("m", 1, 100);
	CHECK(dfs_hash_equal(get(store, "m"), hash_of("m")));
	CHECK(!known(store, "m"));
	CHECK(system("test -z \"$(ls -A .deltafs/hashes .deltafs/tmp | grep -v :)\"") == 0);
}

struct watch {
	uint64_t last;
	unsigned calls, stop_at;
};

static bool watch(void *arg, uint64_t done, uint64_t total)
{
	struct watch *w = arg;

	CHECK(done > w->last && done <= total);
	w->last = done;
	return ++w->calls != w->stop_at;
}

static void progress_counts_and_can_stop_it(void **state)
{
	static uint8_t big[3 << 20];
	struct watch all = { 0 }, some = { .stop_at = 2 };
	struct dfs_hash hash;
	DFS_AUTO(fd) int fd = -1;

	(void)state;
	put("big", big, sizeof(big));
	fd = open("big", O_RDONLY);
	CHECK_RET(0, dfs_hash_file(fd, watch, &all, &hash, NULL));
	CHECK(all.last == sizeof(big) && all.calls == 3);
	CHECK_RET(-ECANCELED, dfs_hash_file(fd, watch, &some, &hash, NULL));
	CHECK(some.calls == 2);
}

static bool gently(void *arg, uint64_t done, uint64_t total)
{
	struct watch *w = arg;

	CHECK(done >= w->last && done <= total);
	w->last = done;
	return ++w->calls != w->stop_at;
}

/* Whether what was cached stays cannot be tested: the kernel may take it back at any time. */
static void gently_it_leaves_no_pages_behind(void **state)
{
	static uint8_t big[(3 << 20) + 12345];
	struct watch all = { 0 }, some = { .stop_at = 2 };
	struct dfs_hash hash;
	DFS_AUTO(fd) int fd = -1;

	(void)state;
	memset(big, 7, sizeof(big));
	put("big", big, sizeof(big));
	fd = open("big", O_RDONLY);
	CHECK(fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	CHECK_RET(0, dfs_hash_file_gently(fd, gently, &all, &hash, NULL));
	CHECK(dfs_hash_equal(hash, dfs_hash128(big, sizeof(big))));
	CHECK(all.last == sizeof(big) && all.calls >= 13);
	for (uint64_t off = 0; off < sizeof(big); off += 256 << 10)
		CHECK(!dfs_cached(fd, off, 256 << 10));
	CHECK_RET(-ECANCELED, dfs_hash_file_gently(fd, gently, &some, &hash, NULL));
	CHECK(some.calls == 2);
}

static bool change(void *arg, uint64_t done, uint64_t total)
{
	DFS_AUTO(fd) int fd = open(arg, O_WRONLY | O_APPEND);

	(void)total;
	if (done == 1 << 20)
		CHECK(write(fd, "x", 1) == 1);
	return true;
}

static void a_change_while_hashing_is_told(void **state)
{
	static uint8_t big[3 << 20];
	struct dfs_hash hash;
	DFS_AUTO(fd) int fd = -1;

	(void)state;
	put("big", big, sizeof(big));
	fd = open("big", O_RDONLY);
	CHECK_RET(-ESTALE, dfs_hash_file(fd, change, (void *)"big", &hash, NULL));
}

static const struct CMUnitTest cases[] = {
	CASE(the_hash_is_that_of_the_content),
	CASE(what_was_hashed_is_remembered_across_openings),
	CASE(any_change_of_the_file_forgets_it),
	CASE(damaged_lines_are_no_lines),
	CASE(without_the_lock_nothing_is_written),
	CASE(progress_counts_and_can_stop_it),
	CASE(gently_it_leaves_no_pages_behind),
	CASE(a_change_while_hashing_is_told),
};

CHECK_MAIN(cases)
