/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_revert: the original of a file that gave up bits is back, or both are what they were. */
#include "kept.h"

#include "write/revert.h"

static void revert_brings_back_the_very_file(void **state)
{
	struct dfs_keeper_view view;
	struct dfs_revert revert;
	struct dfs_err err;
	struct given g;
	struct stat st;
	char text[6] = "";

	(void)state;
	begin(&g);
	keep(&g, "file");
	CHECK(chmod("file", 0600) == 0);
	revert = (struct dfs_revert){ .store = g.store, .keeper = g.keeper, .rel = "file", .fd = open("file", O_RDONLY) };
	/* It is not the container that was made of it. */
	CHECK_RET(-EEXIST, dfs_revert(&revert, &view, &err));
	CHECK(is_kept(&g, "file") && original_is_there(&g));
	revert.written = true;
	CHECK_OK(dfs_revert(&revert, &view, &err), err);
	close(revert.fd);
	st = stat_of("file");
	revert.fd = open("file", O_RDONLY);
	CHECK_RET(0, dfs_pread_all(revert.fd, text, 5, 0));
	CHECK(strcmp(text, "plain") == 0 && (st.st_mode & 07777) == 0644 && st.st_nlink == 1 && view.bytes == 5);
	CHECK(n_kept(&g) == 0 && !original_is_there(&g));
	CHECK_RET(-ENOENT, dfs_revert(&revert, &view, &err));
	close(revert.fd);
	end(&g);
}

static void a_revert_that_fails_leaves_both(void **state)
{
	struct dfs_keeper_view view;
	struct dfs_revert revert;
	struct dfs_err err;
	struct given g;
	int writer;

	(void)state;
	begin(&g);
	keep(&g, "file");
	revert = (struct dfs_revert){ .store = g.store, .keeper = g.keeper, .rel = "nowhere", .fd = open("file", O_RDONLY), .written = true };
	CHECK_RET(-ESTALE, dfs_revert(&revert, &view, &err));
	CHECK(is_kept(&g, "file") && original_is_there(&g) && stat_of("file").st_size == 5);
	writer = open("file", O_RDWR);
	revert.rel = "file";
	CHECK_RET(-EBUSY, dfs_revert(&revert, &view, &err));
	close(writer);
	CHECK(is_kept(&g, "file") && original_is_there(&g));
	close(revert.fd);
	end(&g);
}

static const struct CMUnitTest cases[] = {
	CASE(revert_brings_back_the_very_file),
	CASE(a_revert_that_fails_leaves_both),
};

CHECK_MAIN(cases)
