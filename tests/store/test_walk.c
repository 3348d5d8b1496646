/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_walk: every regular file once, links left alone, hub caches understood. */
#include "given.h"
#include "store/walk.h"

struct seen {
	char all[4096];
	char failed[1024];
	int stop_with;
};

static int see(void *arg, const struct dfs_walk_file *file)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->all);

	CHECK(S_ISREG(file->st.st_mode));
	len += (size_t)snprintf(seen->all + len, sizeof(seen->all) - len, "%s%s", file->path,
				file->claim.kind == DFS_PLAIN ? "" : "*");
	for (size_t i = 0; i < file->n_names; i++)
		len += (size_t)snprintf(seen->all + len, sizeof(seen->all) - len, "=%s",
					file->names[i]);
	snprintf(seen->all + len, sizeof(seen->all) - len, " ");
	return seen->stop_with;
}

static void miss(void *arg, const char *path, int ret, const char *why)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->failed);

	CHECK(ret < 0 && *why);
	snprintf(seen->failed + len, sizeof(seen->failed) - len, "%s ", path);
}

static int walk(const char *rel, struct seen *seen)
{
	static const struct dfs_walk_ops ops = { see, miss };
	DFS_AUTO(fd) int dir = open(".", O_RDONLY | O_DIRECTORY);
	struct dfs_err err = { "" };

	seen->all[0] = seen->failed[0] = '\0';
	return dfs_walk(dir, rel, &ops, seen, &err);
}

static void files_are_seen_in_order_with_their_claims(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	put_model("b/x.safetensors", 1, 10);
	put_container("b/a", 10, NULL, 0, NULL);
	put_text("a", "");
	put_text("c", "1");
	put_model(".deltafs/pins/p", 1, 10);
	put_model("sub/.deltafs/pins/p", 1, 10);
	CHECK_RET(0, walk("", &seen));
	assert_string_equal(seen.all, "a b/a* b/x.safetensors c ");
	CHECK_RET(0, walk("b", &seen));
	assert_string_equal(seen.all, "b/a* b/x.safetensors ");
	CHECK_RET(0, walk("b/a", &seen));
	assert_string_equal(seen.all, "b/a* ");
}

static void links_and_special_files_are_left_alone(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	put_text("a", "1");
	CHECK(symlink("a", "link") == 0 && symlink("/", "root") == 0 && symlink(".", "self") == 0);
	CHECK(symlink("../../blobs/x", "looks-like-hub") == 0);
	CHECK(mkfifo("fifo", 0600) == 0);
	alarm(5);
	CHECK_RET(0, walk("", &seen));
	alarm(0);
	assert_string_equal(seen.all, "a ");
	CHECK(walk("link", &seen) < 0);
	CHECK(walk("fifo", &seen) < 0);
	CHECK(walk("../", &seen) < 0);
	CHECK_RET(-ENOENT, walk("none", &seen));
}

static void a_callback_can_end_it(void **state)
{
	struct seen seen = { .stop_with = -ECANCELED };

	(void)state;
	put_text("a", "1");
	put_text("b", "1");
	CHECK_RET(-ECANCELED, walk("", &seen));
	assert_string_equal(seen.all, "a ");
}

static void given_a_hub_cache(void)
{
	put_model("hub/models--o--n/blobs/aaa", 1, 10);
	put_model("hub/models--o--n/blobs/bbb", 2, 10);
	put_model("hub/models--o--n/blobs/orphan", 3, 10);
	make_dirs("hub/models--o--n/snapshots/c1/unet/x");
	make_dirs("hub/models--o--n/snapshots/c2/x");
	put_text("hub/models--o--n/refs", "c1");
	CHECK(symlink("../../blobs/aaa", "hub/models--o--n/snapshots/c1/model.safetensors") == 0);
	CHECK(symlink("../../blobs/aaa", "hub/models--o--n/snapshots/c2/model.safetensors") == 0);
	CHECK(symlink("../../../blobs/bbb", "hub/models--o--n/snapshots/c1/unet/u.safetensors") ==
	      0);
	CHECK(symlink("/etc/passwd", "hub/models--o--n/snapshots/c1/evil") == 0);
	CHECK(symlink("../../blobs/../../../x", "hub/models--o--n/snapshots/c1/evil2") == 0);
}

static void a_hub_cache_shows_each_blob_once_with_its_names(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	given_a_hub_cache();
	CHECK_RET(0, walk("", &seen));
	assert_string_equal(
		seen.all,
		"hub/models--o--n/blobs/aaa=hub/models--o--n/snapshots/c1/model.safetensors=hub/models--o--n/snapshots/c2/model.safetensors "
		"hub/models--o--n/blobs/bbb=hub/models--o--n/snapshots/c1/unet/u.safetensors "
		"hub/models--o--n/blobs/orphan hub/models--o--n/refs ");
	CHECK(chdir("hub/models--o--n") == 0);
	CHECK_RET(0, walk("", &seen));
	assert_string_equal(
		seen.all, "blobs/aaa=snapshots/c1/model.safetensors=snapshots/c2/model.safetensors "
			  "blobs/bbb=snapshots/c1/unet/u.safetensors blobs/orphan refs ");
}

static void a_snapshot_leads_to_its_blobs_alone(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	given_a_hub_cache();
	CHECK(symlink("../../blobs/aaa", "hub/models--o--n/snapshots/c1/twin.safetensors") == 0);
	CHECK_RET(0, walk("hub/models--o--n/snapshots/c1", &seen));
	assert_string_equal(seen.all,
		"hub/models--o--n/blobs/aaa=hub/models--o--n/snapshots/c1/model.safetensors "
		"hub/models--o--n/blobs/bbb=hub/models--o--n/snapshots/c1/unet/u.safetensors ");
	CHECK(chdir("hub/models--o--n/snapshots") == 0);
	CHECK_RET(0, walk("", &seen)); /* the blobs are outside of what was given */
	assert_string_equal(seen.all, "");
}

static void a_tree_too_deep_is_reported_not_overrun(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	put_text("a", "1");
	for (int i = 0; i < 300; i++)
		CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0);
	put_text("deep", "1");
	CHECK(chdir(*state) == 0);
	CHECK_RET(0, walk("", &seen));
	assert_string_equal(seen.all, "a ");
	CHECK(strlen(seen.failed) == 257 * 2);
	/* nftw() of the teardown copes, but not within its descriptors */
	CHECK(system("rm -rf d") == 0);
}

static const struct CMUnitTest cases[] = {
	CASE(files_are_seen_in_order_with_their_claims),
	CASE(links_and_special_files_are_left_alone),
	CASE(a_callback_can_end_it),
	CASE(a_hub_cache_shows_each_blob_once_with_its_names),
	CASE(a_snapshot_leads_to_its_blobs_alone),
	CASE(a_tree_too_deep_is_reported_not_overrun),
};

CHECK_MAIN(cases)
