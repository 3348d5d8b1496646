/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_dependants: each container counts once for a set of base files, and none
 * is overlooked. readdir() is wrapped by the linker (--wrap, local.mk), to break off.
 */
#include "given.h"
#include "store/dependants.h"

static unsigned names_left; /* until readdir() fails; 0: never */

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir)
{
	if (!names_left || --names_left)
		return __real_readdir(dir);
	errno = EIO;
	return NULL;
}

static void each_container_counts_once(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(dependants) struct dfs_dependants *d = NULL;
	struct dfs_base_file bases[3] = { { .name = "", .origin = "" },
					  { .name = "", .origin = "" },
					  { .name = "", .origin = "" } };
	struct dfs_hash hashes[3];
	struct dfs_err err = { "" };
	struct stat st;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		memset(bases[i].hash.bytes, (int)i + 1, 16);
		hashes[i] = bases[i].hash;
	}
	put_container("a", 100, bases, 2, NULL);	/* 0 and 1 */
	put_container("d/b", 200, bases + 1, 1, NULL);	/* 1 */
	put_container("d/c", 400, NULL, 0, NULL);
	put_model("plain.safetensors", 1, 100);
	store = open_store(".");
	CHECK_OK(dfs_dependants_count(store, &d, &err), err);
	CHECK(dfs_dependants_unreadable(d) == 0);
	CHECK(dfs_dependants_of(d, hashes, 1).n == 1);
	CHECK(dfs_dependants_of(d, hashes, 1).original_bytes == 100);
	CHECK(dfs_dependants_of(d, hashes + 1, 1).n == 2);
	CHECK(dfs_dependants_of(d, hashes, 2).n == 2);
	CHECK(dfs_dependants_of(d, hashes, 2).original_bytes == 300);
	CHECK(stat("a", &st) == 0);
	CHECK(dfs_dependants_of(d, hashes, 1).stored_bytes == (uint64_t)st.st_blocks * 512);
	CHECK(dfs_dependants_of(d, hashes + 2, 1).n == 0);
	CHECK(dfs_dependants_of(d, NULL, 0).n == 0);
}

static void what_cannot_be_read_is_counted_apart(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(dependants) struct dfs_dependants *d = NULL;
	struct dfs_superblock sb;
	struct dfs_err err = { "" };

	(void)state;
	put_container("broken", 100, NULL, 0, NULL);
	CHECK(truncate("broken", 100) == 0);
	put_container("cut", 100, NULL, 0, &sb);
	CHECK(truncate("cut", (off_t)sb.meta_off) == 0);
	store = open_store(".");
	CHECK_OK(dfs_dependants_count(store, &d, &err), err);
	CHECK(dfs_dependants_unreadable(d) == 2);
}

static void a_listing_that_breaks_off_is_not_taken_for_all(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(dependants) struct dfs_dependants *d = NULL;
	struct dfs_err err = { "" };

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		put_container(name, 100, NULL, 0, NULL);
	}
	store = open_store(".");
	names_left = 5;
	CHECK_OK(dfs_dependants_count(store, &d, &err), err);
	CHECK(names_left == 0); /* the fault fired */
	CHECK(dfs_dependants_unreadable(d) == 1);
}

static const struct CMUnitTest cases[] = {
	CASE(each_container_counts_once),
	CASE(a_listing_that_breaks_off_is_not_taken_for_all),
	CASE(what_cannot_be_read_is_counted_apart),
};

CHECK_MAIN(cases)
