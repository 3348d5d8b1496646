/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node table: a size that was not known at first. The kernel keeps what it was told of a node. */
#include <sys/stat.h>

#include "../check.h"
#include "fuse/node.h"

static struct dfs_nodes nodes;
static const struct stat root_st = { .st_dev = 1, .st_ino = 2, .st_mode = S_IFDIR };

/* A lookup of the file with inode number @ino that found @found. Return: the node's number. */
static uint64_t looked_up(ino_t ino, uint64_t found, uint64_t want)
{
	const struct dfs_look look = {
		.moment = dfs_nodes_moment(&nodes),
		.st = { .st_dev = 1, .st_ino = ino, .st_mode = S_IFREG, .st_size = 100 },
	};
	struct dfs_node *node;
	uint64_t number, size;

	CHECK_RET(0, dfs_node_place(&nodes, nodes.root, "a", &look, found, &node, &size));
	CHECK(size == want);
	CHECK(dfs_node_shown_size(&nodes, node) == want);
	dfs_node_looked_up(&nodes, node);
	number = node->number;
	dfs_node_put(&nodes, node);
	return number;
}

static void a_container_is_another_node_once_its_size_is_known(void **state)
{
	uint64_t before, after;

	(void)state;
	CHECK_RET(0, dfs_nodes_init(&nodes, &root_st));
	before = looked_up(10, DFS_SIZE_UNKNOWN, DFS_SIZE_UNKNOWN);
	CHECK(looked_up(10, DFS_SIZE_UNKNOWN, DFS_SIZE_UNKNOWN) == before);
	after = looked_up(10, 200, 200);
	CHECK(after != before);
	CHECK(looked_up(10, DFS_SIZE_UNKNOWN, 200) == after);
	dfs_nodes_release(&nodes);
}

static void a_plain_file_stays_the_node_it_was(void **state)
{
	uint64_t before;

	(void)state;
	CHECK_RET(0, dfs_nodes_init(&nodes, &root_st));
	before = looked_up(10, DFS_SIZE_UNKNOWN, DFS_SIZE_UNKNOWN);
	CHECK(looked_up(10, DFS_SIZE_STORED, DFS_SIZE_STORED) == before);
	dfs_nodes_release(&nodes);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(a_container_is_another_node_once_its_size_is_known),
	cmocka_unit_test(a_plain_file_stays_the_node_it_was),
};

int main(int argc, char **argv)
{
	return check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
