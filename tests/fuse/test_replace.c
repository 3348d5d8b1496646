/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file in another's place: who is kept out meanwhile, and what a look from before is worth. */
#include <errno.h>
#include <sys/stat.h>

#include "../check.h"
#include "fuse/internal.h"
#include "fuse/shown.h"

static struct dfs_mount mount;
static struct dfs_replacement r;

static struct stat file(ino_t ino)
{
	return (struct stat){ .st_dev = 1, .st_ino = ino, .st_mode = S_IFREG, .st_size = 100 };
}

static struct dfs_look look_at(ino_t ino)
{
	return (struct dfs_look){ dfs_nodes_moment(&mount.nodes), file(ino) };
}

/* Return: as dfs_node_place(); the node is left to the table. */
static int place(const char *name, const struct dfs_look *look, struct dfs_node **ret_node)
{
	uint64_t size;

	return dfs_node_place(&mount.nodes, mount.nodes.root, name, look, DFS_SIZE_STORED, ret_node, &size);
}

/* "a", whose file has the number 10 and is about to be replaced. */
static void given_a_file(void)
{
	static const struct stat root = { .st_dev = 1, .st_ino = 2, .st_mode = S_IFDIR };
	struct dfs_look look;

	mount.shown = mount.nodes.shown = dfs_shown_new();
	CHECK(mount.shown);
	CHECK_RET(0, dfs_nodes_init(&mount.nodes, &root));
	look = look_at(10);
	r = (struct dfs_replacement){ .mount = &mount, .still = true, .keep_ctime = true, .shown_size = 200, .before = look.st };
	CHECK_RET(0, place("a", &look, &r.node));
}

static void end(void)
{
	dfs_nodes_release(&mount.nodes);
	dfs_shown_free(mount.shown);
}

static void what_is_open_for_writing_is_not_replaced(void **state)
{
	struct dfs_look look;

	(void)state;
	given_a_file();
	dfs_node_writing(&mount.nodes, r.node);
	CHECK_RET(-EBUSY, dfs_replace_enter(&r));
	dfs_node_writing(&mount.nodes, r.node);
	look = look_at(10);
	CHECK(!dfs_node_written(&mount.nodes, r.node, &look));
	CHECK_RET(-EBUSY, dfs_replace_enter(&r));
	look = look_at(10);
	CHECK(dfs_node_written(&mount.nodes, r.node, &look));
	CHECK_RET(0, dfs_replace_enter(&r));
	dfs_replace_leave(&r, NULL);
	CHECK(dfs_node_shown_size(&mount.nodes, r.node) == DFS_SIZE_STORED);
	end();
}

static void what_thaws_is_replaced_under_its_writers(void **state)
{
	(void)state;
	given_a_file();
	r.still = false;
	dfs_node_writing(&mount.nodes, r.node);
	CHECK_RET(0, dfs_replace_enter(&r));
	dfs_replace_leave(&r, NULL);
	end();
}

static void what_has_no_name_is_not_replaced(void **state)
{
	(void)state;
	given_a_file();
	dfs_node_gone(&mount.nodes, r.node, -1);
	CHECK_RET(-ESTALE, dfs_replace_enter(&r));
	end();
}

static void a_look_from_before_is_made_again(void **state)
{
	struct dfs_published now = { .file = file(11), .dir_before = { .st_ino = 2 }, .dir = { .st_ino = 2 } };
	struct dfs_look before, after;
	struct dfs_node *node;

	(void)state;
	given_a_file();
	before = look_at(11); /* by its new name already, and not known yet */
	CHECK_RET(0, dfs_replace_enter(&r));
	dfs_replace_leave(&r, &now);
	CHECK(dfs_node_shown_size(&mount.nodes, r.node) == 200);
	before.st.st_ino = 12;
	CHECK_RET(-EAGAIN, place("b", &before, &node));
	after = look_at(12);
	CHECK_RET(0, place("b", &after, &node));
	after = look_at(11);
	CHECK_RET(0, place("a", &after, &node));
	CHECK(node == r.node);
	end();
}

/* Replaces "a", of a size that nobody could find out. Return: is it the same node after, which now shows @shows? */
static bool unknown_stays(uint64_t shown_size, off_t stored, uint64_t shows)
{
	struct dfs_published now = { .file = file(11), .dir_before = { .st_ino = 2 }, .dir = { .st_ino = 2 } };
	struct dfs_look look;
	struct dfs_node *node;
	uint64_t size;
	bool same;

	given_a_file();
	look = look_at(20);
	dfs_node_put(&mount.nodes, r.node);
	CHECK_RET(0, dfs_node_place(&mount.nodes, mount.nodes.root, "b", &look, DFS_SIZE_UNKNOWN, &r.node, &size));
	r.before = look.st;
	r.shown_size = shown_size;
	now.file.st_size = stored;
	CHECK_RET(0, dfs_replace_enter(&r));
	dfs_replace_leave(&r, &now);
	look = look_at(11);
	look.st.st_size = stored;
	CHECK_RET(0, dfs_node_place(&mount.nodes, mount.nodes.root, "b", &look, shown_size, &node, &size));
	CHECK((size == DFS_SIZE_STORED ? (uint64_t)stored : size) == shows);
	same = node == r.node;
	dfs_node_put(&mount.nodes, node);
	end();
	return same;
}

static void a_size_that_the_kernel_was_told_wrong_makes_another_node(void **state)
{
	(void)state;
	CHECK(!unknown_stays(DFS_SIZE_STORED, 300, 300));	/* a container, which became plain */
	CHECK(unknown_stays(100, 60, 100));			/* a plain file, which became a container */
	CHECK(unknown_stays(DFS_SIZE_STORED, 100, 100));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(what_is_open_for_writing_is_not_replaced),
	cmocka_unit_test(what_thaws_is_replaced_under_its_writers),
	cmocka_unit_test(what_has_no_name_is_not_replaced),
	cmocka_unit_test(a_look_from_before_is_made_again),
	cmocka_unit_test(a_size_that_the_kernel_was_told_wrong_makes_another_node),
};

CHECK_MAIN(cases)
