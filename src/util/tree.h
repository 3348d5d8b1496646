/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree: a set of paths that can be renamed, whole directories at once.
 *
 * A tree of names. A node is there only while it or something below it has a
 * value, so that whether anything is at or below a path is one lookup, and a
 * directory with ten thousand paths below it moves by moving one node.
 *
 * Paths are relative, without empty components; "" is the root. No locks: the
 * owner has one.
 */
#ifndef DFS_UTIL_TREE_H
#define DFS_UTIL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dfs_tree_node {
	void *value;			/* the owner's; NULL: it is here for what is below */
	/* private */
	struct dfs_tree_node *parent;	/* NULL: the root */
	struct dfs_tree_node *child;	/* the first */
	struct dfs_tree_node *next;	/* sibling */
	struct dfs_tree_node **link;	/* what points here: parent->child or a sibling's next */
	struct dfs_tree_node *chain;	/* in its bucket */
	uint64_t hash;
	char *name;
};

/* Stays where it was initialised: nodes point into it. */
struct dfs_tree {
	struct dfs_tree_node root;
	struct dfs_tree_node **buckets;	/* by parent and name; a power of two of them */
	size_t n_buckets, n;		/* n: nodes, without the root */
};

int dfs_tree_init(struct dfs_tree *tree); /* Return: 0; -ENOMEM */
void dfs_tree_release(struct dfs_tree *tree); /* the values are the owner's; all zero is fine */

/* dfs_tree_find() - the node of @path, or NULL: nothing has a value there or below */
struct dfs_tree_node *dfs_tree_find(const struct dfs_tree *tree, const char *path);

/* dfs_tree_make() - the same, made if need be: give it a value, or prune it. Return: NULL: out of memory. */
struct dfs_tree_node *dfs_tree_make(struct dfs_tree *tree, const char *path);

/* dfs_tree_prune() - after a node has lost its value: remove it, and those above, as far as they hold nothing */
void dfs_tree_prune(struct dfs_tree *tree, struct dfs_tree_node *node);

/**
 * dfs_tree_exchange() - two nodes take each other's place, with all below them
 * Neither may be below the other, nor be the root. Never fails.
 */
void dfs_tree_exchange(struct dfs_tree *tree, struct dfs_tree_node *a, struct dfs_tree_node *b);

/**
 * dfs_tree_next() - what comes after @node in a walk of @top and all below it
 * Nodes that have only a place are visited too. Return: NULL at the end.
 */
struct dfs_tree_node *dfs_tree_next(const struct dfs_tree_node *top, struct dfs_tree_node *node);

/* dfs_tree_text() - the path of a node; free() it. Return: NULL: out of memory. */
char *dfs_tree_text(const struct dfs_tree_node *node);

/* dfs_tree_covers() - is @path the same as @above, or below it? */
bool dfs_tree_covers(const char *above, const char *path);

#endif
