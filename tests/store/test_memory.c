/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_memory: the n-th allocation fails, for every n, once and from then on:
 * an error, never a crash, and the store is as before or as after.
 */
#include "../no_memory.h"
#include "given_models.h"
#include "store/access.h"
#include "store/bases.h"
#include "store/dependants.h"
#include "store/origin.h"
#include "store/publish.h"
#include "store/walk.h"

/* Each is a thing one does with a store. Return: 0 or -errno. */

static int add_model(struct dfs_store *store)
{
	const struct dfs_registry_add request = { .path = "m" };
	struct dfs_registry_added added;

	return dfs_registry_add(store, &request, &added, NULL);
}

static int find_model(struct dfs_store *store)
{
	DFS_AUTO(registry) struct dfs_registry registry = { 0 };
	int ret = dfs_registry_list(store, &registry, NULL);

	if (ret < 0)
		return ret;
	return dfs_registry_find(&registry, store, "m/s-1.safetensors", NULL) ? 0 : -ENOENT;
}

static int read_base(struct dfs_store *store)
{
	struct dfs_base_file want = want_of("m/s-1.safetensors", "m/s-1.safetensors");
	struct dfs_bases *bases = dfs_bases_new(store);
	const struct stat container = { .st_uid = 54321 };
	struct dfs_base *base;
	int ret = bases ? dfs_bases_add(bases, "m", NULL) : -ENOMEM;

	if (ret == 0)
		ret = dfs_bases_get(bases, &want, &base, NULL);
	if (ret == 0) {
		ret = dfs_access_check(store, &container, false, &want, base, NULL);
		dfs_base_put(bases, base);
	}
	if (ret == 0)
		ret = dfs_bases_settle(bases, &want, go_on, NULL, NULL);
	dfs_bases_free(bases);
	return ret;
}

static int count(struct dfs_store *store)
{
	DFS_AUTO(dependants) struct dfs_dependants *d = NULL;
	int ret = dfs_dependants_count(store, &d, NULL);

	if (ret < 0)
		return ret;
	/* what there was no memory for counts as unreadable, so no pin is freed for it */
	return dfs_dependants_unreadable(d) ? -ENOMEM : 0;
}

static int publish(struct dfs_store *store)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int old = open("plain", O_RDONLY);
	DFS_AUTO(fd) int tmp = -1;
	struct dfs_publish p = { .target = "plain", .old_fd = old };
	int ret;

	CHECK(fstat(old, &p.expect) == 0);
	ret = dfs_store_tmp(store, &tmp, &name, NULL);
	if (ret < 0)
		return ret;
	p.tmp_fd = tmp;
	p.tmp_name = name;
	return dfs_publish(store, &p, NULL);
}

static int remove_model(struct dfs_store *store)
{
	struct dfs_registry_removed removed;

	return dfs_registry_remove(store, "m", NULL, &removed, NULL);
}

static int open_it(struct dfs_store *unused)
{
	struct dfs_store *store = NULL;
	char *rel = NULL;
	int ret = dfs_store_find("m/s-1.safetensors", &store, &rel, NULL);

	(void)unused;
	dfs_store_close(store);
	free(rel);
	return ret;
}

static const struct {
	const char *name;
	int (*run)(struct dfs_store *store);
} things[] = {
	{ "open_it", open_it }, { "add_model", add_model }, { "find_model", find_model },
	{ "read_base", read_base }, { "count", count }, { "publish", publish },
	{ "remove_model", remove_model },
};

static unsigned n_faults;

/* The thing with its @at-th allocation failing. Return: the fault fired. */
static bool once(size_t thing, unsigned at, bool for_ever)
{
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	int ret;

	if (things[thing].run == remove_model)
		CHECK_RET(0, add_model(store));
	fault.calls = 0;
	fault.fired = false;
	fault.for_ever = for_ever;
	fault.at = at;
	ret = things[thing].run(store);
	fault.at = 0;
	n_faults += fault.fired;
	if (!fault.fired && ret != 0)
		fail_msg("%s fails without a fault: %d", things[thing].name, ret);
	CHECK(system("test -z \"$(ls -A .deltafs/tmp)\"") == 0);
	return fault.fired;
}

static void any_allocation_may_fail(void **state)
{
	struct dfs_base_file want;

	(void)state;
	CHECK(chmod(".", 0755) == 0);
	given_shards("m", 1);
	put_text("m/config.json", "{\"_name_or_path\": \"org/base\"}");
	want = want_of("m/s-1.safetensors", "m/s-1.safetensors");
	make_dirs("models--o--n/snapshots/c/x");
	put_container("models--o--n/blobs/aaa", 100, &want, 1, NULL);
	CHECK(symlink("../../blobs/aaa", "models--o--n/snapshots/c/tuned.safetensors") == 0);
	put_text("plain", "plain");
	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		if (things[i].run == remove_model)
			CHECK(unlink("models--o--n/blobs/aaa") == 0);
		for (unsigned at = 1; once(i, at, true); at++)
			continue;
		for (unsigned at = 1; once(i, at, false); at++)
			continue;
	}
	CHECK(n_faults > 200);
}

static const struct CMUnitTest cases[] = {
	CASE(any_allocation_may_fail),
};

CHECK_MAIN(cases)
