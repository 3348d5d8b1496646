/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node table: who a file is, how long it is known, and by which path it is opened. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table.h"

static struct stat directory(ino_t ino)
{
	return (struct stat){ .st_dev = 1, .st_ino = ino, .st_mode = S_IFDIR };
}

static bool is_known(uint64_t number)
{
	struct dfs_node *node = dfs_node_get(&nodes, number);

	dfs_node_put(&nodes, node);
	return node != NULL;
}

static void check_path(uint64_t number, const char *want)
{
	struct dfs_node *node = dfs_node_get(&nodes, number);
	char path[PATH_MAX];

	CHECK(node);
	CHECK_RET(0, dfs_node_path(&nodes, node, path));
	assert_string_equal(path, want);
	dfs_node_put(&nodes, node);
}

static void the_same_file_is_the_same_node(void **state)
{
	uint64_t a, b;

	(void)state;
	given_a_table();
	a = looked_up(1, "a", file(10, 100));
	b = looked_up(1, "b", file(10, 100));
	CHECK(a == b);
	CHECK(a != looked_up(1, "c", file(11, 100)));
	check_path(a, "b"); /* the name looked up last */
	dfs_nodes_release(&nodes);
}

static void a_changed_file_is_another_node_and_the_old_one_stays(void **state)
{
	struct stat changed = file(10, 100);
	uint64_t before, after;

	(void)state;
	given_a_table();
	before = looked_up(1, "a", file(10, 100));
	changed.st_mtim.tv_nsec = 1;
	after = looked_up(1, "a", changed);
	CHECK(before != after);
	CHECK(is_known(before));
	CHECK(looked_up(1, "a", changed) == after);
	changed = file(10, 100);
	changed.st_ctim.tv_sec = 5;
	CHECK(looked_up(1, "a", changed) != after);
	CHECK(looked_up(1, "a", file(10, 101)) != after);
	dfs_nodes_release(&nodes);
}

static void a_directory_that_changed_is_the_same_one(void **state)
{
	struct stat changed = directory(20);
	uint64_t number;

	(void)state;
	given_a_table();
	number = looked_up(1, "d", directory(20));
	changed.st_mtim.tv_sec = 9;
	changed.st_size = 4096;
	CHECK(looked_up(1, "d", changed) == number);
	CHECK(looked_up(1, "d", file(20, 0)) != number); /* its number went to a file */
	dfs_nodes_release(&nodes);
}

static void a_node_lives_as_long_as_the_kernel_counts_it(void **state)
{
	uint64_t dir, below;

	(void)state;
	given_a_table();
	dir = looked_up(1, "d", directory(20));
	below = looked_up(dir, "f", file(21, 1));
	looked_up(dir, "f", file(21, 1));
	dfs_node_forget(&nodes, dir, 1);
	CHECK(is_known(dir)); /* its child needs it */
	check_path(below, "d/f");
	dfs_node_forget(&nodes, below, 1);
	CHECK(is_known(below));
	dfs_node_forget(&nodes, below, 1);
	CHECK(!is_known(below) && !is_known(dir));
	CHECK(dfs_nodes_count(&nodes) == 1);
	dfs_nodes_release(&nodes);
}

static void numbers_are_never_used_again(void **state)
{
	uint64_t last = 1;

	(void)state;
	given_a_table();
	for (int i = 0; i < 1000; i++) {
		uint64_t number = looked_up(1, "f", file(30, 0));

		CHECK(number > last);
		last = number;
		dfs_node_forget(&nodes, number, 1);
	}
	dfs_nodes_release(&nodes);
}

static void a_hundred_thousand_nodes_are_found_and_go(void **state)
{
	enum { N = 100000 };
	uint64_t *numbers = malloc(N * sizeof(*numbers));
	char name[16];

	(void)state;
	given_a_table();
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		numbers[i] = looked_up(1, name, file((ino_t)(100 + i), i));
	}
	CHECK(dfs_nodes_count(&nodes) == N + 1);
	for (int i = 0; i < N; i += 997) {
		snprintf(name, sizeof(name), "f%d", i);
		check_path(numbers[i], name);
	}
	for (int i = 0; i < N; i++)
		dfs_node_forget(&nodes, numbers[i], 1);
	CHECK(dfs_nodes_count(&nodes) == 1);
	free(numbers);
	dfs_nodes_release(&nodes);
}

static void directories_that_became_each_others_parents_have_no_path(void **state)
{
	uint64_t a, b;
	struct dfs_node *node;
	char path[PATH_MAX];

	(void)state;
	given_a_table();
	a = looked_up(1, "a", directory(20));
	b = looked_up(a, "b", directory(21));
	looked_up(b, "a", directory(20)); /* as after: mv a/b . && mv a b/a, with a's new place seen first */
	node = dfs_node_get(&nodes, b);
	CHECK_RET(-ESTALE, dfs_node_path(&nodes, node, path));
	dfs_node_put(&nodes, node);
	dfs_nodes_release(&nodes);
}

static void a_path_longer_than_the_kernel_takes_is_stale(void **state)
{
	char name[256], path[PATH_MAX];
	uint64_t number = 1;
	struct dfs_node *node;

	(void)state;
	given_a_table();
	memset(name, 'x', 255);
	name[255] = '\0';
	for (ino_t i = 0; i < 17; i++)
		number = looked_up(number, name, directory(100 + i));
	node = dfs_node_get(&nodes, number);
	CHECK_RET(-ESTALE, dfs_node_path(&nodes, node, path));
	dfs_node_put(&nodes, node);
	dfs_nodes_release(&nodes);
}

/* --- changes through the mount */

/* A lookup that looked at @moment. Return: the node's number. */
static void what_is_below_a_directory_that_moves_moves(void **state)
{
	struct dfs_node *dir, *root = NULL;
	uint64_t number, below;

	(void)state;
	given_a_table();
	number = looked_up(1, "d", directory(20));
	below = looked_up(number, "f", file(21, 1));
	dir = dfs_node_get(&nodes, number);
	root = dfs_node_get(&nodes, 1);
	dfs_nodes_move(&nodes);
	dfs_nodes_moved(&nodes, dir, root, "d", root, "e");
	check_path(below, "e/f");
	dfs_nodes_move(&nodes);
	dfs_nodes_moved(&nodes, NULL, root, "e", root, "x"); /* it failed */
	check_path(below, "e/f");
	dfs_node_put(&nodes, dir);
	dfs_node_put(&nodes, root);
	dfs_nodes_release(&nodes);
}

/* --- against a real directory */

static char dir[] = "/tmp/deltafs-node.XXXXXX";

static void make(const char *name, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	CHECK(out && fputs(text, out) >= 0 && fclose(out) == 0);
}

static void run(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "cd %s && %s", dir, command);
	CHECK(system(line) == 0);
}

static void what_is_opened_is_what_was_looked_up_or_stale(void **state)
{
	struct dfs_node_look look;
	struct dfs_store *store;
	struct dfs_node *node;
	struct dfs_err err;
	struct stat st;
	uint64_t number;
	int fd;

	(void)state;
	make("f", "one");
	CHECK_OK(dfs_store_open(dir, false, &store, &err), err);
	CHECK(fstat(dfs_store_fd(store), &st) == 0);
	CHECK_RET(0, dfs_nodes_init(&nodes, &st));
	CHECK(fstatat(dfs_store_fd(store), "f", &st, AT_SYMLINK_NOFOLLOW) == 0);
	number = looked_up(1, "f", st);
	node = dfs_node_get(&nodes, number);
	CHECK_RET(0, dfs_node_open(&nodes, store, node, O_RDONLY, &fd, &look));
	CHECK(look.st.st_size == 3 && look.shown_size == DFS_SIZE_STORED);
	close(fd);
	run("mv f g");
	CHECK_RET(-ESTALE, dfs_node_open(&nodes, store, node, O_RDONLY, &fd, NULL));
	make("f", "two");
	CHECK_RET(-ESTALE, dfs_node_open(&nodes, store, node, O_RDONLY, &fd, NULL));
	run("rm f && ln -s g f");
	CHECK_RET(-ESTALE, dfs_node_open(&nodes, store, node, O_RDONLY, &fd, NULL));
	run("rm f && mkdir f");
	CHECK_RET(-ESTALE, dfs_node_open(&nodes, store, node, O_RDONLY, &fd, NULL));
	run("rmdir f && mkfifo f");
	CHECK_RET(-ESTALE, dfs_node_open(&nodes, store, node, O_RDONLY, &fd, NULL));
	run("rm -r f g");
	dfs_node_put(&nodes, node);
	dfs_nodes_release(&nodes);
	dfs_store_close(store);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(the_same_file_is_the_same_node),
	cmocka_unit_test(a_changed_file_is_another_node_and_the_old_one_stays),
	cmocka_unit_test(a_directory_that_changed_is_the_same_one),
	cmocka_unit_test(a_node_lives_as_long_as_the_kernel_counts_it),
	cmocka_unit_test(numbers_are_never_used_again),
	cmocka_unit_test(a_hundred_thousand_nodes_are_found_and_go),
	cmocka_unit_test(directories_that_became_each_others_parents_have_no_path),
	cmocka_unit_test(a_path_longer_than_the_kernel_takes_is_stale),
	cmocka_unit_test(what_is_below_a_directory_that_moves_moves),
	cmocka_unit_test(what_is_opened_is_what_was_looked_up_or_stale),
};

int main(int argc, char **argv)
{
	int status;

	if (!mkdtemp(dir))
		return 1;
	status = check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
	rmdir(dir);
	return status;
}
