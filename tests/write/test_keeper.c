/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_keeper: what is kept stays as long as it has to, whatever becomes of the files, and no longer. */
#include "kept.h"

#include <pthread.h>
#include <time.h>

static void it_is_kept_until_its_time_is_over(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	keep_until(&g, "file", time(NULL) + 3600);
	dfs_keeper_look(g.keeper);
	CHECK(is_kept(&g, "file") && original_is_there(&g));
	begin_again(&g);
	CHECK(is_kept(&g, "file"));
	end(&g);
	begin(&g);
	CHECK(n_kept(&g) == 1);
	keep_until(&g, "due", time(NULL));
	dfs_keeper_look(g.keeper);
	CHECK(!is_kept(&g, "due") && !original_is_there(&g) && is_kept(&g, "file") && n_kept(&g) == 1);
	CHECK(stat_of("due").st_size == 5);
	end(&g);
}

static void what_did_not_take_its_name_leaves_nothing(void **state)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_keep keep = { .rel = "file", .until_s = DFS_KEPT_MANUAL };
	struct dfs_err err;
	struct given g;
	struct stat st;

	(void)state;
	begin(&g);
	put_text("file", "plain");
	put_text("tmp", "lossy");
	keep.fd = fd = open("file", O_RDONLY);
	keep.new_fd = open("tmp", O_RDONLY);
	CHECK(fstat(fd, &st) == 0);
	CHECK_OK(dfs_keeper_keep(g.keeper, &keep, &st, g.id, &err), err);
	dfs_keeper_kept(g.keeper, &keep, g.id, false);
	CHECK(n_kept(&g) == 0 && !original_is_there(&g) && stat_of("file").st_nlink == 1);
	/* A sync that failed after the rename: what is in place decides. */
	CHECK(fstat(fd, &st) == 0);
	CHECK_OK(dfs_keeper_keep(g.keeper, &keep, &st, g.id, &err), err);
	CHECK(rename("tmp", "file") == 0);
	dfs_keeper_kept(g.keeper, &keep, g.id, false);
	CHECK(n_kept(&g) == 1 && original_is_there(&g) && is_kept(&g, "file"));
	close(keep.new_fd);
	end(&g);
}

static void removed_and_emptied_files_take_it_with_them(void **state)
{
	DFS_AUTO(fd) int fd = -1;
	struct given g;
	struct stat st;

	(void)state;
	begin(&g);
	keep(&g, "file");
	st = stat_of("file");
	CHECK(unlink("file") == 0);
	dfs_keeper_removed(g.keeper, &st);
	dfs_keeper_look(g.keeper);
	CHECK(n_kept(&g) == 0 && !original_is_there(&g));
	keep(&g, "other");
	fd = open("other", O_RDWR);
	dfs_keeper_emptied(g.keeper, fd);
	CHECK(!is_kept(&g, "other"));
	dfs_keeper_look(g.keeper);
	CHECK(n_kept(&g) == 0 && !original_is_there(&g));
	end(&g);
}

/* The number of a file that was removed is another's at once: a removal of that is none of this one. */
static void a_file_that_is_where_it_was_was_not_removed(void **state)
{
	struct given g;
	struct stat st;

	(void)state;
	begin(&g);
	keep(&g, "file");
	st = stat_of("file");
	dfs_keeper_removed(g.keeper, &st);
	dfs_keeper_look(g.keeper);
	CHECK(is_kept(&g, "file") && original_is_there(&g));
	end(&g);
}

static bool is_gone_soon(struct given *g)
{
	for (int i = 0; i < 60000 && n_kept(g); i++)
		usleep(1000);
	return n_kept(g) == 0;
}

/* Each look begins with a removal that was another's, and the file goes while it goes on; no walk is to help. */
static void a_removal_during_a_look_is_not_forgotten(void **state)
{
	struct dfs_err err;
	struct given g;
	struct stat st;

	(void)state;
	begin(&g);
	keep(&g, "first");
	g.search_ms = 3600000;
	CHECK(unlink("first") == 0);
	begin_again(&g);
	for (int i = 0; i < 3; i++)
		dfs_keeper_look(g.keeper);
	CHECK(n_kept(&g) == 0);
	CHECK_OK(dfs_keeper_start(g.keeper, &err), err);
	for (unsigned i = 0; i < 300; i++) {
		keep(&g, "file");
		/* The look that comes is a long one: it has a record to write. */
		follow(&g, "file", "next");
		CHECK(rename("next", "file") == 0);
		st = stat_of("file");
		dfs_keeper_removed(g.keeper, &st);
		usleep(i % 10 * 50);
		CHECK(unlink("file") == 0);
		dfs_keeper_removed(g.keeper, &st);
		CHECK(is_gone_soon(&g));
	}
	end(&g);
}

static void it_follows_renames_through_the_mount_across_restarts(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	CHECK(mkdir("a", 0755) == 0);
	keep(&g, "a/file");
	CHECK(rename("a/file", "a/other") == 0);
	dfs_keeper_moved(g.keeper, "a/file", "a/other", false);
	CHECK(rename("a", "b") == 0);
	dfs_keeper_moved(g.keeper, "a", "b", false);
	dfs_keeper_look(g.keeper);
	begin_again(&g);
	dfs_keeper_look(g.keeper);
	CHECK(is_kept(&g, "b/other") && original_is_there(&g));
	end(&g);
}

static void behind_the_mount_it_is_found_or_missed_twice(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	CHECK(mkdir("a", 0755) == 0 && mkdir("z", 0755) == 0);
	keep(&g, "a/file");
	CHECK(rename("a/file", "z/moved") == 0);
	put_text("a/file", "lossy");
	for (int i = 0; i < 4; i++)
		dfs_keeper_look(g.keeper);
	CHECK(is_kept(&g, "z/moved") && !is_kept(&g, "a/file") && original_is_there(&g));
	begin_again(&g);
	CHECK(unlink("z/moved") == 0);
	/* What one walk has not found would be let go of by the next look. */
	for (int i = 0; i < 2; i++)
		dfs_keeper_look(g.keeper);
	CHECK(original_is_there(&g));
	for (int i = 0; i < 2; i++)
		dfs_keeper_look(g.keeper);
	CHECK(n_kept(&g) == 0 && !original_is_there(&g));
	end(&g);
}

static void after_a_crash_the_first_two_walks_do_not_wait(void **state)
{
	struct given g;

	(void)state;
	begin(&g);
	keep(&g, "gone");
	keep(&g, "file");
	g.search_ms = 3600000;
	CHECK(unlink("gone") == 0);
	begin_again(&g);
	for (int i = 0; i < 3; i++)
		dfs_keeper_look(g.keeper);
	CHECK(n_kept(&g) == 1 && is_kept(&g, "file"));
	/* Later ones do. */
	CHECK(unlink("file") == 0);
	for (int i = 0; i < 4; i++)
		dfs_keeper_look(g.keeper);
	CHECK(n_kept(&g) == 1);
	end(&g);
}

static void accept_lets_go_of_it_once(void **state)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_keeper_view view;
	struct dfs_err err;
	struct given g;

	(void)state;
	begin(&g);
	keep(&g, "file");
	fd = open("file", O_RDONLY);
	CHECK_OK(dfs_keeper_accept(g.keeper, fd, &view, &err), err);
	CHECK(view.bytes == 5 && n_kept(&g) == 0 && !original_is_there(&g) && stat_of("file").st_size == 5);
	CHECK_RET(-ENOENT, dfs_keeper_accept(g.keeper, fd, &view, &err));
	end(&g);
}

/* --- many at once */

struct accepting {
	struct given *g;
	int fd, ret;
};

static void *accept_it(void *arg)
{
	struct accepting *a = arg;
	struct dfs_keeper_view view;

	a->ret = dfs_keeper_accept(a->g->keeper, a->fd, &view, NULL);
	return NULL;
}

static void of_many_who_accept_it_one_does(void **state)
{
	struct accepting all[8];
	pthread_t threads[8];
	struct dfs_err err;
	struct given g;
	int done = 0;

	(void)state;
	begin(&g);
	CHECK_OK(dfs_keeper_start(g.keeper, &err), err);
	keep(&g, "file");
	for (int i = 0; i < 8; i++) {
		all[i] = (struct accepting){ &g, open("file", O_RDONLY), 1 };
		CHECK(pthread_create(&threads[i], NULL, accept_it, &all[i]) == 0);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		close(all[i].fd);
		CHECK(all[i].ret == 0 || all[i].ret == -ENOENT);
		done += all[i].ret == 0;
	}
	CHECK(done == 1 && n_kept(&g) == 0);
	end(&g);
}

static const struct CMUnitTest cases[] = {
	CASE(it_is_kept_until_its_time_is_over),
	CASE(what_did_not_take_its_name_leaves_nothing),
	CASE(removed_and_emptied_files_take_it_with_them),
	CASE(a_file_that_is_where_it_was_was_not_removed),
	CASE(a_removal_during_a_look_is_not_forgotten),
	CASE(it_follows_renames_through_the_mount_across_restarts),
	CASE(behind_the_mount_it_is_found_or_missed_twice),
	CASE(after_a_crash_the_first_two_walks_do_not_wait),
	CASE(accept_lets_go_of_it_once),
	CASE(of_many_who_accept_it_one_does),
};

CHECK_MAIN(cases)
