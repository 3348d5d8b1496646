/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree: see tree.h.
 *
 * A node is found by its parent's address and its name, so that what is below
 * a node stays where it is when the node goes elsewhere.
 */
#include "util/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"

#define BUCKETS_MIN 64

int dfs_tree_init(struct dfs_tree *tree)
{
	*tree = (struct dfs_tree){ .n_buckets = BUCKETS_MIN };
	tree->buckets = calloc(BUCKETS_MIN, sizeof(*tree->buckets));
	return tree->buckets ? 0 : -ENOMEM;
}

static uint64_t hash_of(const struct dfs_tree_node *parent, const char *name, size_t len)
{
	return dfs_hash64(name, len, (uintptr_t)parent);
}

static struct dfs_tree_node **bucket(const struct dfs_tree *tree, uint64_t hash)
{
	return &tree->buckets[hash & (tree->n_buckets - 1)];
}

static void hash_in(struct dfs_tree *tree, struct dfs_tree_node *node)
{
	struct dfs_tree_node **p;

	node->hash = hash_of(node->parent, node->name, strlen(node->name));
	p = bucket(tree, node->hash);
	node->chain = *p;
	*p = node;
}

static void hash_out(struct dfs_tree *tree, struct dfs_tree_node *node)
{
	struct dfs_tree_node **p = bucket(tree, node->hash);

	while (*p != node)
		p = &(*p)->chain;
	*p = node->chain;
}

/* Without memory for more buckets the chains are longer. */
static void grow(struct dfs_tree *tree)
{
	struct dfs_tree_node **old = tree->buckets, **more;
	size_t n_old = tree->n_buckets;

	more = calloc(2 * n_old, sizeof(*more));
	if (!more)
		return;
	tree->buckets = more;
	tree->n_buckets = 2 * n_old;
	for (size_t i = 0; i < n_old; i++) {
		struct dfs_tree_node *node = old[i], *chain;

		for (; node; node = chain) {
			struct dfs_tree_node **p = bucket(tree, node->hash);

			chain = node->chain;
			node->chain = *p;
			*p = node;
		}
	}
	free(old);
}

static void hang(struct dfs_tree_node *node, struct dfs_tree_node *parent)
{
	node->parent = parent;
	node->next = parent->child;
	node->link = &parent->child;
	if (node->next)
		node->next->link = &node->next;
	parent->child = node;
}

static void cut(struct dfs_tree_node *node)
{
	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
}

static struct dfs_tree_node *child_find(const struct dfs_tree *tree, const struct dfs_tree_node *parent,
					const char *name, size_t len)
{
	uint64_t hash = hash_of(parent, name, len);
	struct dfs_tree_node *node = *bucket(tree, hash);

	while (node && !(node->hash == hash && node->parent == parent && strncmp(node->name, name, len) == 0 &&
			 !node->name[len]))
		node = node->chain;
	return node;
}

static struct dfs_tree_node *child_make(struct dfs_tree *tree, struct dfs_tree_node *parent, const char *name,
					size_t len)
{
	struct dfs_tree_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->name = strndup(name, len);
	if (!node->name) {
		free(node);
		return NULL;
	}
	hang(node, parent);
	hash_in(tree, node);
	if (++tree->n > tree->n_buckets)
		grow(tree);
	return node;
}

struct dfs_tree_node *dfs_tree_find(const struct dfs_tree *tree, const char *path)
{
	const struct dfs_tree_node *node = &tree->root;

	while (node && *path) {
		size_t len = strcspn(path, "/");

		node = child_find(tree, node, path, len);
		path += len + (path[len] == '/');
	}
	return (struct dfs_tree_node *)node;
}

struct dfs_tree_node *dfs_tree_make(struct dfs_tree *tree, const char *path)
{
	struct dfs_tree_node *node = &tree->root;

	while (*path) {
		size_t len = strcspn(path, "/");
		struct dfs_tree_node *child = child_find(tree, node, path, len);

		if (!child)
			child = child_make(tree, node, path, len);
		if (!child) {
			dfs_tree_prune(tree, node);
			return NULL;
		}
		node = child;
		path += len + (path[len] == '/');
	}
	return node;
}

static void node_free(struct dfs_tree_node *node)
{
	free(node->name);
	free(node);
}

void dfs_tree_prune(struct dfs_tree *tree, struct dfs_tree_node *node)
{
	while (node->parent && !node->value && !node->child) {
		struct dfs_tree_node *parent = node->parent;

		cut(node);
		hash_out(tree, node);
		node_free(node);
		tree->n--;
		node = parent;
	}
}

void dfs_tree_exchange(struct dfs_tree *tree, struct dfs_tree_node *a, struct dfs_tree_node *b)
{
	struct dfs_tree_node *a_parent = a->parent, *b_parent = b->parent;
	char *name = a->name;

	hash_out(tree, a);
	hash_out(tree, b);
	cut(a);
	cut(b);
	a->name = b->name;
	b->name = name;
	hang(a, b_parent);
	hang(b, a_parent);
	hash_in(tree, a);
	hash_in(tree, b);
}

struct dfs_tree_node *dfs_tree_next(const struct dfs_tree_node *top, struct dfs_tree_node *node)
{
	if (node->child)
		return node->child;
	while (node != top && !node->next)
		node = node->parent;
	return node == top ? NULL : node->next;
}

char *dfs_tree_text(const struct dfs_tree_node *node)
{
	const struct dfs_tree_node *at;
	size_t len = 0;
	char *text, *p;

	for (at = node; at->parent; at = at->parent)
		len += strlen(at->name) + 1;
	text = malloc(len + 1);
	if (!text)
		return NULL;
	p = text + len;
	*p = '\0';
	for (at = node; at->parent; at = at->parent) {
		size_t n = strlen(at->name);

		p -= n + 1;
		memcpy(p + 1, at->name, n);
		*p = '/';
	}
	if (len)
		memmove(text, text + 1, len);
	return text;
}

bool dfs_tree_covers(const char *above, const char *path)
{
	size_t len = strlen(above);

	return len == 0 || (strncmp(above, path, len) == 0 && (path[len] == '/' || !path[len]));
}

void dfs_tree_release(struct dfs_tree *tree)
{
	struct dfs_tree_node *node = &tree->root;

	for (;;) {
		struct dfs_tree_node *parent = node->parent;

		if (node->child) {
			node = node->child;
			continue;
		}
		if (!parent)
			break;
		cut(node);
		node_free(node);
		node = parent;
	}
	free(tree->buckets);
	*tree = (struct dfs_tree){ 0 };
}
