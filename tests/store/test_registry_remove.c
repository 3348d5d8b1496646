/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_registry_remove: a base goes only when nobody needs it, and its pins with it. */
#include "given_models.h"

static void remove_refused(struct dfs_store *store, const char *what, uint64_t n, uint64_t bytes)
{
	struct dfs_registry_removed removed;
	struct dfs_err err = { "" };
	char text[64];

	CHECK_RET(-EBUSY, dfs_registry_remove(store, what, NULL, &removed, &err));
	CHECK(removed.dependants == n && removed.original_bytes == bytes);
	snprintf(text, sizeof(text), "%llu file", (unsigned long long)n);
	CHECK_SAYS(err, text);
	snprintf(text, sizeof(text), "%llu bytes", (unsigned long long)bytes);
	CHECK_SAYS(err, text);
}

static void what_others_need_cannot_be_removed(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_base_file wants[2];
	struct dfs_registry_removed removed;
	char pin[DFS_PIN_PATH_SIZE];
	struct dfs_err err = { "" };
	struct stat st;

	(void)state;
	given_shards("m", 1);
	wants[0] = want_of("m/s-0.safetensors", "");
	wants[1] = want_of("m/s-1.safetensors", "");
	pin_of("m/s-0.safetensors", pin);
	store = lock_store(".");
	add(store, "m", false);
	put_container("tuned/a", 1000, wants, 2, NULL);
	put_container("tuned/b", 500, wants, 1, NULL);
	put_container("tuned/alone", 77, NULL, 0, NULL);
	remove_refused(store, "m", 2, 1500);
	CHECK(unlink("tuned/a") == 0);
	remove_refused(store, "m", 1, 500);
	CHECK(unlink("tuned/b") == 0);
	CHECK(system("rm -r m") == 0);
	CHECK(stat(pin, &st) == 0 && st.st_nlink == 1);
	CHECK_OK(dfs_registry_remove(store, "m", NULL, &removed, &err), err);
	CHECK(removed.bytes_freed == 3 * (uint64_t)st.st_blocks * 512);
	CHECK(system("test -z \"$(ls -A .deltafs/pins .deltafs/bases | grep -v :)\"") == 0);
	CHECK_RET(-ENOENT, dfs_registry_remove(store, "m", NULL, &removed, &err));
}

static void shared_shards_stay_for_the_other_model(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_registry_removed removed;
	struct dfs_base_file want;
	char pin[DFS_PIN_PATH_SIZE];
	struct dfs_err err = { "" };

	(void)state;
	given_shards("m", 1);
	want = want_of("m/s-0.safetensors", "");
	pin_of("m/s-0.safetensors", pin);
	put_container("tuned", 1000, &want, 1, NULL);
	store = lock_store(".");
	add(store, "m", false);
	add(store, "m/s-0.safetensors", false);
	CHECK_OK(dfs_registry_remove(store, "m/s-0.safetensors", NULL, &removed, &err), err);
	CHECK(removed.bytes_freed == 0 && access(pin, F_OK) == 0);
	remove_refused(store, "m", 1, 1000);
}

static void an_unreadable_container_keeps_the_pins(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_registry_removed removed;
	struct dfs_superblock sb;
	char pin[DFS_PIN_PATH_SIZE];
	struct dfs_err err = { "" };

	(void)state;
	put_model("m.safetensors", 1, 100);
	pin_of("m.safetensors", pin);
	put_container("c", 1000, NULL, 0, &sb);
	CHECK(truncate("c", (off_t)sb.meta_off) == 0);
	store = lock_store(".");
	add(store, "m.safetensors", false);
	CHECK_OK(dfs_registry_remove(store, "m.safetensors", NULL, &removed, &err), err);
	CHECK(removed.pins_kept && access(pin, F_OK) == 0);
}

static int not_sure(void *arg, const struct dfs_registered *model, struct dfs_err *err)
{
	unsigned *asked = arg;

	CHECK(model->n_files == 1);
	return ++*asked == 1 ? dfs_fail(err, EAGAIN, "names change") : 0;
}

static void who_changes_the_store_meanwhile_is_asked(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_registry_removed removed;
	unsigned asked = 0;
	const struct dfs_registry_watch watch = { not_sure, &asked };
	char pin[DFS_PIN_PATH_SIZE];
	struct dfs_err err = { "" };

	(void)state;
	put_model("m.safetensors", 1, 100);
	pin_of("m.safetensors", pin);
	store = lock_store(".");
	add(store, "m.safetensors", false);
	CHECK_RET(-EAGAIN, dfs_registry_remove(store, "m.safetensors", &watch, &removed, &err));
	CHECK(access(pin, F_OK) == 0);
	CHECK_OK(dfs_registry_remove(store, "m.safetensors", &watch, &removed, &err), err);
	CHECK(asked == 2 && access(pin, F_OK) < 0);
}

static const struct CMUnitTest cases[] = {
	CASE(who_changes_the_store_meanwhile_is_asked),
	CASE(what_others_need_cannot_be_removed),
	CASE(shared_shards_stay_for_the_other_model),
	CASE(an_unreadable_container_keeps_the_pins),
};

CHECK_MAIN(cases)
