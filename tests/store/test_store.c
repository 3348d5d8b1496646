/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_store: opening, finding and preparing a store; nothing leads out of it. */
#include <sys/socket.h>
#include <sys/un.h>

#include "given.h"

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void any_directory_is_a_store_and_stays_untouched(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	char here[PATH_MAX];

	(void)state;
	put_model("a/model.safetensors", 1, 100);
	store = open_store(".");
	CHECK(!exists(".deltafs"));
	CHECK(strcmp(dfs_store_path(store), getcwd(here, sizeof(here))) == 0);
}

static void what_is_no_directory_is_refused(void **state)
{
	struct dfs_store *store;
	struct dfs_err err = { "" };

	(void)state;
	put_text("file", "x");
	CHECK_RET(-ENOTDIR, dfs_store_open("file", false, &store, &err));
	CHECK_SAYS(err, "file");
	CHECK_RET(-ENOENT, dfs_store_open("nothing", false, &store, &err));
}

static void preparing_makes_all_and_makes_it_private(void **state)
{
	static const char *const dirs[] = { ".deltafs", ".deltafs/pins", ".deltafs/bases",
					    ".deltafs/hashes", ".deltafs/tmp" };
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err err = { "" };
	char text[64] = "";
	struct stat st;

	(void)state;
	umask(0);
	store = open_store(".");
	CHECK_OK(dfs_store_prepare(store, &err), err);
	CHECK_OK(dfs_store_prepare(store, &err), err);
	for (size_t i = 0; i < 5; i++) {
		CHECK(lstat(dirs[i], &st) == 0);
		CHECK(st.st_mode == (S_IFDIR | 0700));
	}
	CHECK(read(open(".deltafs/version", O_RDONLY), text, 63) == 16);
	CHECK(strcmp(text, "deltafs store 1\n") == 0);
	CHECK(system("test -z \"$(ls -A .deltafs/tmp)\"") == 0);
	umask(022);
}

static void a_newer_store_is_read_but_never_written(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err err = { "" };

	(void)state;
	mkdir(".deltafs", 0700);
	put_text(".deltafs/version", "deltafs store 7\n");
	CHECK_RET(-ENOTSUP, dfs_store_open(".", false, &store, &err));
	CHECK_SAYS(err, "version 7");
	CHECK_OK(dfs_store_open(".", true, &store, &err), err);
	CHECK_RET(-ENOTSUP, dfs_store_lock(store, "", &err));
	CHECK_SAYS(err, "only be read");
	CHECK(!exists(".deltafs/lock") && !exists(".deltafs/pins"));
}

static void a_damaged_version_is_read_but_never_written(void **state)
{
	static const char *const texts[] = { "", "deltafs store\n", "deltafs store 0\n",
					     "deltafs store 1\nx", "\xff\xfe" };

	(void)state;
	mkdir(".deltafs", 0700);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		DFS_AUTO(store) struct dfs_store *store = NULL;
		struct dfs_err err = { "" };

		put_text(".deltafs/version", texts[i]);
		store = open_store(".");
		CHECK_RET(-EUCLEAN, dfs_store_prepare(store, &err));
		CHECK_SAYS(err, "version");
	}
}

static void the_nearest_store_above_is_found(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) char *rel = NULL;
	struct dfs_err err = { "" };
	char here[PATH_MAX];

	(void)state;
	put_model("outer/inner/deep/model.safetensors", 1, 10);
	mkdir("outer/.deltafs", 0700);
	mkdir("outer/inner/.deltafs", 0700);
	CHECK_OK(dfs_store_find("outer/inner/deep/model.safetensors", &store, &rel, &err), err);
	CHECK(strcmp(rel, "deep/model.safetensors") == 0);
	CHECK(strcmp(dfs_store_path(store) + strlen(getcwd(here, sizeof(here))), "/outer/inner") ==
	      0);
}

static void a_file_to_be_made_is_found_by_its_directory(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) char *rel = NULL;
	struct dfs_err err = { "" };

	(void)state;
	mkdir(".deltafs", 0700);
	CHECK_OK(dfs_store_find("new.safetensors", &store, &rel, &err), err);
	CHECK(strcmp(rel, "new.safetensors") == 0);
}

static void the_root_of_a_store_is_found_as_itself(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) char *rel = NULL;
	struct dfs_err err = { "" };

	(void)state;
	mkdir(".deltafs", 0700);
	CHECK_OK(dfs_store_find(".", &store, &rel, &err), err);
	CHECK(strcmp(rel, "") == 0);
}

static void a_path_in_no_store_is_told_so(void **state)
{
	struct dfs_store *store;
	struct dfs_err err = { "" };

	(void)state;
	put_text("f", "x");
	CHECK_RET(-ENOENT, dfs_store_find("f", &store, NULL, &err));
	CHECK_SAYS(err, ".deltafs");
	CHECK(symlink("/tmp", ".deltafs") == 0); /* a link is no state directory */
	CHECK_RET(-ENOENT, dfs_store_find("f", &store, NULL, &err));
}

static void nothing_leads_out(void **state)
{
	static const struct {
		const char *path;
		int ret;
	} tries[] = {
		{ "/etc/passwd", -EXDEV }, { "..", -EXDEV },	{ "a/../../x", -EXDEV },
		{ "a/..", -EXDEV },	   { "link", -ELOOP },	{ "dirlink/passwd", -ELOOP },
		{ "inside/f", -ELOOP },	   { "none", -ENOENT },
	};
	DFS_AUTO(store) struct dfs_store *store = NULL;
	int fd;

	(void)state;
	put_model("a/f", 1, 10);
	CHECK(symlink("/etc/passwd", "link") == 0 && symlink("/etc", "dirlink") == 0 &&
	      symlink("a", "inside") == 0);
	store = open_store(".");
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++)
		CHECK_RET(tries[i].ret, dfs_store_openat(store, tries[i].path, O_RDONLY, &fd));
	CHECK_RET(0, dfs_store_openat(store, "a/f", O_RDONLY, &fd));
	close(fd);
	CHECK_RET(0, dfs_store_openat(store, "", O_RDONLY | O_DIRECTORY, &fd));
	CHECK(faccessat(fd, "a/f", F_OK, 0) == 0);
	close(fd);
	CHECK_RET(0, dfs_store_openat(store, "a", O_PATH, &fd));
	close(fd);
}

static void a_fifo_does_not_hang(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	int fd;

	(void)state;
	CHECK(mkfifo("fifo", 0600) == 0);
	store = open_store(".");
	alarm(5);
	CHECK_RET(0, dfs_store_openat(store, "fifo", O_RDONLY, &fd));
	alarm(0);
	close(fd);
}

static void temporary_files_are_new_and_private(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) char *a = NULL;
	DFS_AUTO(mem) char *b = NULL;
	struct dfs_err err = { "" };
	struct stat st;
	int fd_a, fd_b;

	(void)state;
	store = lock_store(".");
	CHECK_OK(dfs_store_tmp(store, &fd_a, &a, &err), err);
	CHECK_OK(dfs_store_tmp(store, &fd_b, &b, &err), err);
	CHECK(strcmp(a, b) != 0);
	CHECK(lstat(a, &st) == 0 && st.st_mode == (S_IFREG | 0600) && st.st_size == 0);
	CHECK(write(fd_a, "x", 1) == 1 && pread(fd_a, &st, 1, 0) == 1);
	close(fd_a);
	close(fd_b);
}

static const struct CMUnitTest cases[] = {
	CASE(any_directory_is_a_store_and_stays_untouched),
	CASE(what_is_no_directory_is_refused),
	CASE(preparing_makes_all_and_makes_it_private),
	CASE(a_newer_store_is_read_but_never_written),
	CASE(a_damaged_version_is_read_but_never_written),
	CASE(the_nearest_store_above_is_found),
	CASE(a_file_to_be_made_is_found_by_its_directory),
	CASE(the_root_of_a_store_is_found_as_itself),
	CASE(a_path_in_no_store_is_told_so),
	CASE(nothing_leads_out),
	CASE(a_fifo_does_not_hang),
	CASE(temporary_files_are_new_and_private),
};

CHECK_MAIN(cases)
