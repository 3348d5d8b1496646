/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_keeper_follow: an original goes on being that of its file, whatever takes its place, and is known after every end. */
#include "kept.h"

#include <signal.h>
#include <sys/resource.h>

#include "store/mark.h"

static void it_stays_for_what_has_the_same_bytes(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	keep(&g, "file");
	follow(&g, "file", "decoded");
	/* What is yet to come is not forgotten by a look before it. */
	dfs_keeper_look(g.keeper);
	/* Killed now, or after the rename: either is it. */
	begin_again(&g);
	CHECK(is_kept(&g, "file") && is_kept(&g, "decoded"));
	CHECK(rename("decoded", "file") == 0);
	begin_again(&g);
	CHECK(is_kept(&g, "file"));
	dfs_keeper_look(g.keeper);
	CHECK(is_kept(&g, "file") && original_is_there(&g));
	end(&g);
}

/* Its number will be another file's. */
static void what_was_killed_on_its_way_is_not_waited_for(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	keep(&g, "file");
	follow(&g, "file", "decoded");
	begin_again(&g);
	dfs_keeper_look(g.keeper);
	CHECK(is_kept(&g, "file") && !is_kept(&g, "decoded"));
	end(&g);
}

/* Nothing can be written down: it is known all the same, and the next look does it, or the end. */
static void is_followed_without_room(struct given *g, const char *rel, bool looked)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	DFS_AUTO(fd) int old = -1;
	DFS_AUTO(fd) int new = -1;
	struct rlimit before;

	keep(g, rel);
	put_text("written", "other");
	old = open(rel, O_RDONLY);
	new = open("written", O_RDONLY);
	CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &none) == 0);
	CHECK_RET(-EFBIG, dfs_keeper_follow(g->keeper, old, new, NULL));
	dfs_keeper_follow_written(g->keeper, old, new);
	CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
	CHECK(rename("written", rel) == 0);
	CHECK(is_kept(g, rel) && original_is_there(g));
	if (looked)
		dfs_keeper_look(g->keeper);
	begin_again(g);
	CHECK(is_kept(g, rel) && original_is_there(g));
}

static void what_was_written_is_followed_without_room(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	is_followed_without_room(&g, "looked", true);
	is_followed_without_room(&g, "ended", false);
	end(&g);
}

static void what_was_told_last_is_not_forgotten(void **state)
{
	DFS_AUTO(fd) int fd = -1;
	struct given g;

	(void)state;
	begin(&g);
	keep(&g, "file");
	CHECK(rename("file", "moved") == 0);
	dfs_keeper_moved(g.keeper, "file", "moved", false);
	begin_again(&g);
	put_text("file", "other");
	for (int i = 0; i < 4; i++)
		dfs_keeper_look(g.keeper);
	CHECK(is_kept(&g, "moved") && original_is_there(&g));
	fd = open("moved", O_RDONLY);
	dfs_keeper_emptied(g.keeper, fd);
	begin_again(&g);
	CHECK(n_kept(&g) == 0 && !original_is_there(&g));
	end(&g);
}

/* Emptied, and killed was who would have let go of it: what came then has no way back of its own, and is not to give up bits. */
static void another_content_has_no_place_beside_it(void **state)
{
	DFS_AUTO(fd) int fd = -1;
	DFS_AUTO(fd) int new = -1;
	struct dfs_keep again = { .rel = "file", .until_s = DFS_KEPT_MANUAL };
	struct dfs_err err;
	struct given g;
	struct stat st;

	(void)state;
	begin(&g);
	keep(&g, "file");
	put_text("tmp", "lossy");
	again.fd = fd = open("file", O_RDWR);
	again.new_fd = new = open("tmp", O_RDONLY);
	CHECK(fstat(fd, &st) == 0);
	CHECK_RET(-EEXIST, dfs_keeper_keep(g.keeper, &again, &st, g.id, &err));
	CHECK(dfs_keeper_refused(-EEXIST) && n_kept(&g) == 1 && is_kept(&g, "file"));
	/* Once it gave up bits it says so, and the first original is that of the second time too. */
	CHECK_RET(0, dfs_mark_set(&dfs_mark_exact, fd));
	CHECK_OK(dfs_keeper_keep(g.keeper, &again, &st, g.id, &err), err);
	CHECK(!*g.id && n_kept(&g) == 1);
	CHECK(rename("tmp", "file") == 0 && is_kept(&g, "file"));
	end(&g);
}

static const struct CMUnitTest cases[] = {
	CASE(it_stays_for_what_has_the_same_bytes),
	CASE(what_was_killed_on_its_way_is_not_waited_for),
	CASE(what_was_written_is_followed_without_room),
	CASE(what_was_told_last_is_not_forgotten),
	CASE(another_content_has_no_place_beside_it),
};

CHECK_MAIN(cases)
