/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_move: a store that was copied, by whatever tool, still finds its bases. */
#include "given_models.h"
#include "store/bases.h"

DFS_AUTO_KIND(bases, struct dfs_bases *, dfs_bases_free(*p));

static void a_moved_store_still_finds_its_bases(void **state)
{
	static const char *const copies[] = {
		"cp -a s t", "rsync -aHX s/ t/", "rsync -a s/ t/", "cp -r s t",
		"mkdir t && tar -C s -cf - . | tar -C t -xf -",
		/* without .deltafs the base is found where the container remembers it */
		"cp -a s t && rm -r t/.deltafs", "cp -a s t && rm -r t/.deltafs/pins",
	};
	struct dfs_base_file want;

	(void)state;
	put_model("s/base/m.safetensors", 1, 100);
	dfs_store_close(lock_store("s"));
	want = want_of("s/base/m.safetensors", "base/m.safetensors");
	{
		DFS_AUTO(store) struct dfs_store *store = lock_store("s");

		add(store, "s/base/m.safetensors", false);
	}
	for (size_t i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
		DFS_AUTO(store) struct dfs_store *store = NULL;
		DFS_AUTO(bases) struct dfs_bases *bases = NULL;
		struct dfs_base *base;
		struct dfs_err err = { "" };

		if (system("command -v rsync >/dev/null") != 0 &&
		    strncmp(copies[i], "rsync", 5) == 0)
			continue;
		CHECK(system(copies[i]) == 0);
		CHECK(rename("s", "hidden") == 0);
		store = open_store("t");
		bases = dfs_bases_new(store);
		CHECK_OK(dfs_bases_settle(bases, &want, go_on, NULL, &err), err);
		CHECK_OK(dfs_bases_get(bases, &want, &base, &err), err);
		dfs_base_put(bases, base);
		CHECK(rename("hidden", "s") == 0 && system("rm -r t") == 0);
	}
}

static const struct CMUnitTest cases[] = {
	CASE(a_moved_store_still_finds_its_bases),
};

CHECK_MAIN(cases)
