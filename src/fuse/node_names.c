/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node_names: by which names a node is opened.
 *
 * One as a rule. Of a file with several links those that were looked up are
 * kept: when the one by which it was opened goes, another leads there still,
 * and the kernel may ask for the file without looking up any.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/node_table.h"

/* Names kept of one file. More of a file with thousands of links would only cost memory: the kernel looks one up again. */
#define NAMES 8

struct dfs_name {
	struct dfs_node *parent;	/* referenced */
	struct dfs_name *next;
	char name[];
};

static struct dfs_name *name_new(struct dfs_node *parent, const char *name)
{
	size_t len = strlen(name) + 1;
	struct dfs_name *entry = malloc(sizeof(*entry) + len);

	if (!entry)
		return NULL;
	memcpy(entry->name, name, len);
	entry->parent = parent;
	parent->refs++;
	return entry;
}

static void name_free(struct dfs_nodes *nodes, struct dfs_name *entry)
{
	dfs_table_unref(nodes, entry->parent);
	free(entry);
}

static struct dfs_name **find(struct dfs_node *node, const struct dfs_node *parent, const char *name)
{
	struct dfs_name **at = &node->others;

	while (*at && ((*at)->parent != parent || strcmp((*at)->name, name) != 0))
		at = &(*at)->next;
	return *at ? at : NULL;
}

static void forget(struct dfs_nodes *nodes, struct dfs_name **at)
{
	struct dfs_name *entry = *at;

	*at = entry->next;
	name_free(nodes, entry);
}

/* The name by which it was opened until now stays one of its names. Without memory it does not. */
static void keep(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_name *entry = name_new(node->parent, node->name), **at = &node->others;

	if (!entry)
		return;
	entry->next = node->others;
	node->others = entry;
	for (unsigned i = 0; i < NAMES && *at; i++)
		at = &(*at)->next;
	while (*at)
		forget(nodes, at);
}

/* Return: whether it is @name in @parent now; without memory it stays what it is. */
static bool set(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_node *parent, const char *name)
{
	struct dfs_node *before = node->parent;
	char *copy = strdup(name);

	if (!copy)
		return false;
	free(node->name);
	node->name = copy;
	node->parent = parent;
	parent->refs++;
	dfs_table_unref(nodes, before);
	return true;
}

static bool is_name(const struct dfs_node *node, const struct dfs_node *parent, const char *name)
{
	return node->parent == parent && strcmp(node->name, name) == 0;
}

void dfs_table_move(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_node *parent, const char *name, bool linked)
{
	struct dfs_name **at;

	if (node == nodes->root || is_name(node, parent, name))
		return;
	if (linked)
		keep(nodes, node);
	at = find(node, parent, name);
	if (set(nodes, node, parent, name) && at)
		forget(nodes, at);
}

bool dfs_table_next_name(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_name *entry = node->others;

	if (!entry || !set(nodes, node, entry->parent, entry->name))
		return false;
	forget(nodes, &node->others);
	return true;
}

void dfs_table_lose(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_node *parent, const char *name)
{
	struct dfs_name **at = find(node, parent, name);

	if (at)
		forget(nodes, at);
	else if (is_name(node, parent, name))
		dfs_table_next_name(nodes, node);
}

void dfs_table_nameless(struct dfs_nodes *nodes, struct dfs_node *node)
{
	while (node->others)
		forget(nodes, &node->others);
}

struct dfs_node *dfs_node_other_name(struct dfs_nodes *nodes, struct dfs_node *node, unsigned i, char ret_name[NAME_MAX + 1])
{
	struct dfs_node *parent = NULL;
	struct dfs_name *entry;

	pthread_mutex_lock(&nodes->lock);
	entry = node->others;
	while (entry && i--)
		entry = entry->next;
	if (entry) {
		parent = entry->parent;
		parent->refs++;
		snprintf(ret_name, NAME_MAX + 1, "%s", entry->name);
	}
	dfs_nodes_unlock(nodes);
	return parent;
}

void dfs_table_release_names(struct dfs_node *node)
{
	while (node->others) {
		struct dfs_name *entry = node->others;

		node->others = entry->next;
		free(entry);
	}
}
