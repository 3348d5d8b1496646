/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_registry_pinned: bases that nobody asked for, of files that are pinned already. */
#include "given_models.h"
#include "store/access.h"

static struct dfs_hash add_pinned(struct dfs_store *store, const char *path, struct dfs_hash *ret_id)
{
	const struct dfs_pin_add pin = { .fd = open(path, O_RDONLY), .hash = hash_of(path) };
	struct dfs_err err = { "" };
	enum dfs_pin_how how;
	struct stat st;

	CHECK(pin.fd >= 0 && fstat(pin.fd, &st) == 0);
	CHECK_OK(dfs_pin_add(store, &pin, &how, NULL, &err), err);
	close(pin.fd);
	CHECK_OK(dfs_registry_add_pinned(store, &(struct dfs_pinned_file){ path, pin.hash, (uint64_t)st.st_size }, 1,
					 ret_id, &err), err);
	return pin.hash;
}

static void listed(struct dfs_store *store, struct dfs_registry *registry)
{
	struct dfs_err err = { "" };

	CHECK_RET(0, dfs_registry_list(store, registry, &err));
	CHECK(registry->n == 1);
}

static void a_pinned_file_is_a_base_that_may_go(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	struct dfs_hash hash, id;
	struct dfs_err err = { "" };
	char pin[DFS_PIN_PATH_SIZE];
	int fd;

	(void)state;
	put_model("a.safetensors", 1, 100);
	store = lock_store(".");
	hash = add_pinned(store, "a.safetensors", &id);
	listed(store, &registry);
	CHECK(registry.models[0].automatic && dfs_hash_equal(registry.models[0].id, id));
	CHECK(registry.models[0].n_files == 1 && registry.models[0].files[0].pinned);
	assert_string_equal(registry.models[0].files[0].name, "a.safetensors");
	CHECK(unlink("a.safetensors") == 0);
	CHECK_OK(dfs_registered_open(store, &registry.models[0].files[0], &fd, &err), err);
	close(fd);
	CHECK_OK(dfs_registry_forget(store, id, &err), err);
	CHECK_RET(-ENOENT, dfs_registry_forget(store, id, &err));
	CHECK(access(dfs_pin_path(hash, pin), F_OK) == 0);
}

/* In either order: what somebody added himself stays his. */
static void what_somebody_added_is_not_automatic(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_hash id;

	(void)state;
	put_model("a.safetensors", 1, 100);
	store = lock_store(".");
	for (int i = 0; i < 2; i++) {
		DFS_AUTO(registry) struct dfs_registry registry = { 0 };
		struct dfs_err err = { "" };

		if (i)
			add(store, "a.safetensors", false);
		add_pinned(store, "a.safetensors", &id);
		if (!i)
			add(store, "a.safetensors", false);
		listed(store, &registry);
		CHECK(!registry.models[0].automatic && dfs_hash_equal(registry.models[0].id, id));
		CHECK_OK(dfs_registry_forget(store, id, &err), err);
	}
}

/* As open(2) by that user would have it; worked out by hand. */
static void who_may_read_a_file_to_be(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct stat st;

	(void)state;
	if (!can_chown())
		skip();
	put_model("d/a.safetensors", 1, 100);
	store = lock_store(".");
	CHECK(chmod(".", 0755) == 0 && chmod("d", 0755) == 0 && stat(".", &st) == 0);
	CHECK(chmod("d/a.safetensors", 0600) == 0);
	CHECK_RET(0, dfs_access_may_read(store, 0, "d/a.safetensors"));
	CHECK_RET(-EACCES, dfs_access_may_read(store, 1234, "d/a.safetensors"));
	CHECK(chmod("d/a.safetensors", 0604) == 0);
	CHECK_RET(0, dfs_access_may_read(store, 1234, "d/a.safetensors"));
	CHECK(chmod("d", 0700) == 0);
	CHECK_RET(-EACCES, dfs_access_may_read(store, 1234, "d/a.safetensors"));
	CHECK(chown("d", 1234, 0) == 0);
	CHECK_RET(0, dfs_access_may_read(store, 1234, "d/a.safetensors"));
	CHECK_RET(-ENOENT, dfs_access_may_read(store, 1234, "d/b.safetensors"));
}

static const struct CMUnitTest cases[] = {
	CASE(a_pinned_file_is_a_base_that_may_go),
	CASE(what_somebody_added_is_not_automatic),
	CASE(who_may_read_a_file_to_be),
};

CHECK_MAIN(cases)
