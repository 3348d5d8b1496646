/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_access: who may have a container decoded against which base. */
#include <sys/xattr.h>

#include "given.h"
#include "store/access.h"
#include "store/registry.h"

enum { ROOT = 0, OWNER = 10, ALICE = 100, BOB = 200, TEAM = 500 };

static unsigned n_asked;

/* Alice is in TEAM, Bob in nothing. */
static size_t groups(void *arg, uid_t uid, gid_t *ret_groups, size_t max)
{
	(void)arg;
	n_asked++;
	if (uid != ALICE || max < 2)
		return 0;
	ret_groups[0] = ALICE;
	ret_groups[1] = TEAM;
	return 2;
}

static struct dfs_access access_of(uid_t owner, const struct dfs_access_name *names, size_t n)
{
	return (struct dfs_access){
		.owner = owner, .store_owner = OWNER, .self = ROOT, .base_owner = BOB,
		.names = names, .n_names = n, .groups = groups,
	};
}

#define DIR(m, u, g) { .mode = S_IFDIR | (m), .uid = (u), .gid = (g) }
#define REG(m, u, g) { .mode = S_IFREG | (m), .uid = (u), .gid = (g) }

/* May the owner of a container open what lies at the end of a way of three? */
static bool may(uid_t owner, struct dfs_access_node a, struct dfs_access_node b,
		struct dfs_access_node c)
{
	const struct dfs_access_node nodes[] = { a, b, c };
	const struct dfs_access_name name = { nodes, 3 };
	struct dfs_access access = access_of(owner, &name, 1);

	return dfs_access_allows(&access);
}

#define N(...) ((struct dfs_access_node)__VA_ARGS__)
#define OPEN_DIR N(DIR(0755, ROOT, ROOT))

static void the_trusted_are_never_asked(void **state)
{
	const struct dfs_access_node nodes[] = { REG(0, BOB, BOB) };
	const struct dfs_access_name name = { nodes, 1 };
	struct dfs_access access;

	(void)state;
	n_asked = 0;
	for (unsigned i = 0; i < 4; i++) {
		static const uid_t owners[] = { ROOT, OWNER, ALICE, ALICE };

		access = access_of(owners[i], &name, 1);
		access.trusted = i == 2;
		access.self = i == 3 ? ALICE : ROOT;
		CHECK(dfs_access_allows(&access));
	}
	CHECK(n_asked == 0);
	access = access_of(ALICE, &name, 1);
	CHECK(!dfs_access_allows(&access));
}

static void the_mode_of_the_file_decides_by_the_first_class_that_fits(void **state)
{
	(void)state;
	CHECK(may(ALICE, OPEN_DIR, OPEN_DIR, N(REG(0604, BOB, BOB))));
	CHECK(!may(ALICE, OPEN_DIR, OPEN_DIR, N(REG(0660, BOB, BOB))));
	CHECK(may(ALICE, OPEN_DIR, OPEN_DIR, N(REG(0040, BOB, TEAM))));
	CHECK(!may(BOB, OPEN_DIR, OPEN_DIR, N(REG(0040, ALICE, TEAM))));
	CHECK(may(BOB, OPEN_DIR, OPEN_DIR, N(REG(0400, BOB, TEAM))));
	CHECK(!may(ALICE, OPEN_DIR, OPEN_DIR,
		   N(REG(0604, BOB, TEAM)))); /* the group class fits, and denies */
	CHECK(!may(BOB, OPEN_DIR, OPEN_DIR, N(REG(0044, BOB, BOB))));	/* so does the owner's */
	CHECK(!may(ALICE, OPEN_DIR, OPEN_DIR,
		   N(REG(0333, BOB, BOB)))); /* write and execute are not read */
}

static void every_directory_above_must_be_searchable(void **state)
{
	const struct dfs_access_node file = REG(0644, BOB, BOB);

	(void)state;
	CHECK(may(ALICE, N(DIR(0711, ROOT, ROOT)), N(DIR(0711, BOB, BOB)), file));
	CHECK(!may(ALICE, N(DIR(0700, ROOT, ROOT)), OPEN_DIR, file));
	CHECK(!may(ALICE, OPEN_DIR, N(DIR(0750, BOB, BOB)), file));
	CHECK(may(ALICE, OPEN_DIR, N(DIR(0750, BOB, TEAM)), file));
	CHECK(!may(ALICE, OPEN_DIR, N(DIR(0766, BOB, BOB)), file)); /* readable is not searchable */
	CHECK(!may(ALICE, OPEN_DIR, file, file)); /* no way leads through a file */
	CHECK(!may(ALICE, OPEN_DIR, OPEN_DIR, OPEN_DIR));
	CHECK(!may(ALICE, OPEN_DIR, N({ .mode = S_IFLNK | 0777, .uid = ROOT }), file));
}

static void an_acl_grants_what_all_that_it_names_have(void **state)
{
	(void)state;
	CHECK(!may(ALICE, OPEN_DIR, OPEN_DIR,
		   N({ .mode = S_IFREG | 0644, .uid = BOB, .gid = TEAM, .has_acl = true })));
	CHECK(may(ALICE, OPEN_DIR, OPEN_DIR,
		  N({ .mode = S_IFREG | 0604, .uid = BOB, .gid = BOB, .has_acl = true, .acl_least = 4 })));
	CHECK(!may(ALICE, OPEN_DIR, OPEN_DIR,
		   N({ .mode = S_IFREG | 0604, .uid = BOB, .gid = BOB, .has_acl = true, .acl_least = 3 })));
	CHECK(!may(ALICE, OPEN_DIR,
		   N({ .mode = S_IFDIR | 0705, .uid = BOB, .gid = BOB, .has_acl = true, .acl_least = 6 }),
		   N(REG(0644, BOB, BOB))));
	CHECK(may(BOB, OPEN_DIR, OPEN_DIR,
		  N({ .mode = S_IFREG | 0600, .uid = BOB, .gid = BOB, .has_acl = true })));
}

static void one_good_name_is_enough_and_none_leaves_the_owner(void **state)
{
	const struct dfs_access_node shut[] = { DIR(0700, BOB, BOB), REG(0644, BOB, BOB) };
	const struct dfs_access_node open[] = { DIR(0755, BOB, BOB), REG(0644, BOB, BOB) };
	const struct dfs_access_name names[] = { { shut, 2 }, { open, 2 } };
	struct dfs_access access = access_of(ALICE, names, 2);

	(void)state;
	CHECK(dfs_access_allows(&access));
	access.n_names = 1;
	CHECK(!dfs_access_allows(&access));
	access = access_of(ALICE, NULL, 0);
	CHECK(!dfs_access_allows(&access));
	access = access_of(BOB, NULL, 0);
	CHECK(dfs_access_allows(&access));
}

DFS_AUTO_KIND(bases, struct dfs_bases *, dfs_bases_free(*p));

/* Users that no machine has: no groups, so the "others" bits decide. */
enum { STRANGER = 54321, OTHER = 54322 };

static int check(struct dfs_store *store, uid_t owner, bool trusted,
		 const struct dfs_base_file *want, struct dfs_err *err)
{
	DFS_AUTO(bases) struct dfs_bases *bases = dfs_bases_new(store);
	const struct stat container = { .st_uid = owner };
	struct dfs_base *base;
	int ret;

	CHECK_OK(dfs_bases_get(bases, want, &base, err), *err);
	ret = dfs_access_check(store, &container, trusted, want, base, err);
	dfs_base_put(bases, base);
	return ret;
}

/* An ACL of mode 0644 with these bits for STRANGER. Return: false if this file system has none. */
static bool put_acl(const char *path, uint8_t bits)
{
	const uint8_t acl[] = {
		2, 0, 0, 0,
		1, 0, 6, 0, 255, 255, 255, 255,
		2, 0, bits, 0, STRANGER & 255, STRANGER >> 8, 0, 0,
		4, 0, 4, 0, 255, 255, 255, 255,
		16, 0, 4, 0, 255, 255, 255, 255,
		32, 0, 4, 0, 255, 255, 255, 255,
	};

	return setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0) == 0;
}

static void on_real_files_names_and_modes_decide(void **state)
{
	const struct dfs_registry_add request = { .path = "s/private/m.safetensors" };
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_registry_added added;
	struct dfs_base_file want;
	struct dfs_err err = { "" };

	(void)state;
	CHECK(chmod(".", 0755) == 0);
	put_model("s/private/m.safetensors", 1, 100);
	want = want_of("s/private/m.safetensors", "");
	store = lock_store("s");
	CHECK_OK(dfs_registry_add(store, &request, &added, &err), err);
	CHECK_RET(0, check(store, STRANGER, false, &want, &err));
	CHECK(chmod("s/private", 0700) == 0);
	CHECK_RET(-EACCES, check(store, STRANGER, false, &want, &err));
	CHECK_SAYS(err, "54321");
	CHECK_RET(0, check(store, STRANGER, true, &want, &err));
	CHECK_RET(0, check(store, geteuid(), false, &want, &err));
	CHECK(chmod("s/private", 0755) == 0);
	/* the directory above the store counts too */
	CHECK(chmod(".", 0700) == 0);
	CHECK_RET(-EACCES, check(store, STRANGER, false, &want, &err));
	CHECK(chmod(".", 0755) == 0);
	CHECK_RET(0, check(store, STRANGER, false, &want, &err));
	CHECK(chmod("s/private/m.safetensors", 0640) == 0);
	CHECK_RET(-EACCES, check(store, STRANGER, false, &want, &err));
	CHECK(chmod("s/private/m.safetensors", 0644) == 0);
	if (put_acl("s/private/m.safetensors", 0)) {
		CHECK_RET(-EACCES, check(store, STRANGER, false, &want, &err));
		CHECK(put_acl("s/private/m.safetensors", 4));
		CHECK_RET(0, check(store, STRANGER, false, &want, &err));
	}
	/* a readable file that took the base's name is no name of the base */
	CHECK(rename("s/private/m.safetensors", "s/private/old") == 0);
	put_model("s/private/m.safetensors", 2, 100);
	CHECK_RET(-EACCES, check(store, STRANGER, false, &want, &err));
	/* the base has no name now: its owner may, others may not */
	if (can_chown()) {
		CHECK(chown("s/private/old", STRANGER, STRANGER) == 0);
		CHECK_RET(0, check(store, STRANGER, false, &want, &err));
		CHECK_RET(-EACCES, check(store, OTHER, false, &want, &err));
	}
}

static const struct CMUnitTest cases[] = {
	CASE(the_trusted_are_never_asked),
	CASE(the_mode_of_the_file_decides_by_the_first_class_that_fits),
	CASE(every_directory_above_must_be_searchable),
	CASE(an_acl_grants_what_all_that_it_names_have),
	CASE(one_good_name_is_enough_and_none_leaves_the_owner),
	CASE(on_real_files_names_and_modes_decide),
};

CHECK_MAIN(cases)
