/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node_table: what node.c and its sisters share. All under nodes->lock.
 */
#ifndef DFS_FUSE_NODE_TABLE_H
#define DFS_FUSE_NODE_TABLE_H

#include "fuse/node.h"
#include "util/clock.h"

/* dfs_table_remove_file() - it is not what a lookup of its file finds any more */
void dfs_table_remove_file(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_table_insert_file() - it is, by node->st */
void dfs_table_insert_file(struct dfs_nodes *nodes, struct dfs_node *node);

/* dfs_table_move() - the name by which it is opened from now on; without memory, the old one. @linked: that stays a name of it. */
void dfs_table_move(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_node *parent, const char *name, bool linked);
/* dfs_table_lose() - it does not have that name any more */
void dfs_table_lose(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_node *parent, const char *name);
/* dfs_table_gone() - its last name leads elsewhere; see dfs_node_gone() */
void dfs_table_gone(struct dfs_nodes *nodes, struct dfs_node *node, int fd);
/* dfs_table_next_name() - open it by another name, for good. Return: false: none is known. */
bool dfs_table_next_name(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_table_nameless() - forget all names but the one by which it is opened */
void dfs_table_nameless(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_table_release_names() - the same when all nodes go */
void dfs_table_release_names(struct dfs_node *node);

/* dfs_table_unref() - a node that nobody knows any more goes, and then perhaps its parent; NULL is fine */
void dfs_table_unref(struct dfs_nodes *nodes, struct dfs_node *node);

/* dfs_nodes_unlock() - and close what nodes that went had open: that may free a file, which takes its time */
void dfs_nodes_unlock(struct dfs_nodes *nodes);

/* dfs_table_move_on() - the moment passes */
void dfs_table_move_on(struct dfs_nodes *nodes);

/*
 * dfs_table_disown() - its file is not what the kernel was told: who has it open
 * gets ESTALE, and the next lookup another node. No file has that size.
 */
static inline void dfs_table_disown(struct dfs_node *node)
{
	node->st.st_size = -1;
	node->loose = false;
}

static inline bool dfs_table_disowned(const struct dfs_node *node)
{
	return node->st.st_size < 0;
}

/* dfs_node_expected() - does a look that began at @moment at the file of node->st prove no change behind the mount, whatever it showed? */
static inline bool dfs_node_expected(const struct dfs_node *node, uint64_t moment)
{
	return !dfs_table_disowned(node) && (node->changing || node->writing || node->loose || node->changed > moment);
}

static inline bool dfs_file_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && (a->st_mode & S_IFMT) == (b->st_mode & S_IFMT);
}

/* dfs_bytes_same() - are these the same content of one file, whatever became of its name and its rights? */
static inline bool dfs_bytes_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && dfs_time_same(a->st_mtim, b->st_mtim);
}

/* dfs_file_unchanged() - one file, and nothing happened to it; a directory stays the same whatever is done in it */
static inline bool dfs_file_unchanged(const struct stat *a, const struct stat *b)
{
	return dfs_file_same(a, b) && (S_ISDIR(a->st_mode) || (dfs_bytes_same(a, b) && dfs_time_same(a->st_ctim, b->st_ctim)));
}

/* dfs_node_is() - is what was seen the node's file, not changed behind the mount? */
static inline bool dfs_node_is(const struct dfs_node *node, const struct dfs_look *look)
{
	return dfs_file_unchanged(&node->st, &look->st) ||
	       (dfs_file_same(&node->st, &look->st) && dfs_node_expected(node, look->moment));
}

#endif
