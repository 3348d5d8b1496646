/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table: a node table without files, and lookups in it.
 */
#ifndef DFS_TESTS_FUSE_TABLE_H
#define DFS_TESTS_FUSE_TABLE_H

#include <sys/stat.h>

#include "../check.h"
#include "fuse/node.h"

static struct dfs_nodes nodes;
static const struct stat root_st = { .st_dev = 1, .st_ino = 2, .st_mode = S_IFDIR };

static void given_a_table(void)
{
	CHECK_RET(0, dfs_nodes_init(&nodes, &root_st));
}

static struct stat file(ino_t ino, off_t size)
{
	return (struct stat){ .st_dev = 1, .st_ino = ino, .st_mode = S_IFREG, .st_size = size };
}

/* What a look that begins now sees. */
static inline struct dfs_look look_now(struct stat st)
{
	return (struct dfs_look){ dfs_nodes_moment(&nodes), st };
}

/* A lookup as the kernel makes it, which saw @look. Return: the node's number. */
static inline uint64_t looked_up_by(uint64_t parent, const char *name, struct dfs_look look)
{
	struct dfs_node *dir = dfs_node_get(&nodes, parent), *node;
	uint64_t number, size;

	CHECK(dir);
	CHECK_RET(0, dfs_node_place(&nodes, dir, name, &look, DFS_SIZE_STORED, &node, &size));
	dfs_node_looked_up(&nodes, node);
	number = node->number;
	dfs_node_put(&nodes, node);
	dfs_node_put(&nodes, dir);
	return number;
}

static inline uint64_t looked_up(uint64_t parent, const char *name, struct stat st)
{
	return looked_up_by(parent, name, look_now(st));
}

#endif
