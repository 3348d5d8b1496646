/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elect, solos, room: what is a model, who is whose sister, and is there room. The whole of it is shown by tests/mount/family.sh. */
#include <sys/statvfs.h>

#include "../store/given.h"
#include "headers.h"

#include "write/elect.h"
#include "write/room.h"

static void shards_are_told_by_their_names(void **state)
{
	static const char *const alone[] = {
		"model.safetensors", "m/model-00001-of-00001.safetensors", "model-00003-of-00002.safetensors",
		"model-00000-of-00002.safetensors", "model-1-of-2.safetensors", "model-00001-of-00002.safetensors.part",
		"00001-of-00002.safetensors", "model-00001-of-00002.bin", "model-0001x-of-00002.safetensors", "x",
		"model-00001-of-99999.safetensors", "model--0001-of-00002.safetensors", "model- 0001-of-00002.safetensors",
	};
	struct dfs_paths paths;

	(void)state;
	CHECK_RET(0, dfs_elect_shards("m/model-00002-of-00003.safetensors", &paths));
	CHECK(paths.n == 3);
	assert_string_equal(paths.paths[0], "m/model-00001-of-00003.safetensors");
	assert_string_equal(paths.paths[1], "m/model-00002-of-00003.safetensors");
	assert_string_equal(paths.paths[2], "m/model-00003-of-00003.safetensors");
	dfs_paths_release(&paths);
	for (size_t i = 0; i < sizeof(alone) / sizeof(*alone); i++) {
		CHECK_RET(0, dfs_elect_shards(alone[i], &paths));
		CHECK(paths.n == 1);
		assert_string_equal(paths.paths[0], alone[i]);
		dfs_paths_release(&paths);
	}
}

/* @names: one letter a tensor */
static uint64_t names_of(const char *names)
{
	struct dfs_tensor tensors[8] = { 0 };
	struct dfs_header header = { .tensors = tensors };
	char texts[8][2] = { "" };

	for (size_t i = 0; names[i]; i++) {
		texts[i][0] = names[i];
		tensors[header.n_tensors++].name = texts[i];
	}
	return dfs_solos_names(&header);
}

static void sisters_have_the_same_names_in_any_order(void **state)
{
	(void)state;
	CHECK(names_of("abc") == names_of("cab"));
	CHECK(names_of("abc") != names_of("ab"));
	CHECK(names_of("abc") != names_of("abd"));
	CHECK(names_of("aab") != names_of("abb"));
}

static void those_known_are_found_in_order_and_forgotten(void **state)
{
	struct dfs_solos *solos = dfs_solos_new();
	const struct dfs_solo *solo;
	size_t at;

	(void)state;
	CHECK(solos);
	dfs_solos_add(solos, &(struct dfs_solo){ (char *)"x", 1, 100, 70 });
	dfs_solos_add(solos, &(struct dfs_solo){ (char *)"y", 2, 100, 70 });
	dfs_solos_add(solos, &(struct dfs_solo){ (char *)"z", 1, 100, 70 });
	dfs_solos_add(solos, &(struct dfs_solo){ (char *)"z", 1, 200, 90 });
	at = dfs_solos_next(solos, 1, 0, &solo);
	CHECK(at);
	assert_string_equal(solo->rel, "x");
	at = dfs_solos_next(solos, 1, at, &solo);
	CHECK(at && solo->shown_bytes == 200);
	assert_string_equal(solo->rel, "z");
	CHECK(dfs_solos_next(solos, 1, at, &solo) == 0);
	dfs_solos_forget(solos, "x");
	dfs_solos_forget(solos, "never there");
	CHECK(!dfs_solos_find(solos, "x") && dfs_solos_find(solos, "y"));
	CHECK(dfs_solos_next(solos, 1, 0, &solo));
	assert_string_equal(solo->rel, "z");
	dfs_solos_free(solos);
}

static void little_of_a_disk_is_kept_free(void **state)
{
	uint64_t needs;
	struct statvfs fs;
	DFS_AUTO(store) struct dfs_store *store = NULL;

	(void)state;
	CHECK(dfs_room_kept(1000) == 20);
	CHECK(dfs_room_kept(UINT64_C(10) << 30) == (UINT64_C(10) << 30) / 50);
	CHECK(dfs_room_kept(UINT64_C(50) << 30) == UINT64_C(1) << 30);
	CHECK(dfs_room_kept(UINT64_C(1) << 50) == UINT64_C(1) << 30);
	store = lock_store(".");
	CHECK_RET(-ENOSPC, dfs_room_check(store, UINT64_C(1) << 60, &needs));
	CHECK(statvfs(".", &fs) == 0);
	CHECK(needs == (UINT64_C(1) << 60) + dfs_room_kept((uint64_t)fs.f_blocks * fs.f_frsize));
}

static const struct CMUnitTest cases[] = {
	CASE(shards_are_told_by_their_names),
	CASE(sisters_have_the_same_names_in_any_order),
	CASE(those_known_are_found_in_order_and_forgotten),
	CASE(little_of_a_disk_is_kept_free),
};

CHECK_MAIN(cases)
