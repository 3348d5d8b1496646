/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/node_table.h"
#include "fuse/shown.h"

#define ROOT_NUMBER 1
#define SLOTS_AT_FIRST 1024

static uint64_t mix(uint64_t a)
{
	a *= 0x9e3779b97f4a7c15u;
	return a ^ a >> 29;
}

static struct dfs_node **number_slot(struct dfs_node **slots, size_t n_slots, uint64_t number)
{
	return &slots[mix(number) & (n_slots - 1)];
}

static struct dfs_node **file_slot(struct dfs_node **slots, size_t n_slots, const struct stat *st)
{
	return &slots[mix(st->st_ino ^ mix(st->st_dev)) & (n_slots - 1)];
}

/* --- the tables, under nodes->lock */

static void insert_number(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_node **slot = number_slot(nodes->by_number, nodes->n_slots, node->number);

	node->next_number = *slot;
	*slot = node;
}

void dfs_table_insert_file(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_node **slot = file_slot(nodes->by_file, nodes->n_slots, &node->st);

	node->next_file = *slot;
	*slot = node;
	node->current = true;
}

void dfs_table_remove_file(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_node **at = file_slot(nodes->by_file, nodes->n_slots, &node->st);

	if (!node->current)
		return;
	while (*at != node)
		at = &(*at)->next_file;
	*at = node->next_file;
	node->current = false;
}

static void remove_number(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_node **at = number_slot(nodes->by_number, nodes->n_slots, node->number);

	while (*at != node)
		at = &(*at)->next_number;
	*at = node->next_number;
}

/* Tables that cannot grow are slower, nothing else. */
static void grow(struct dfs_nodes *nodes)
{
	size_t before = nodes->n_slots;
	struct dfs_node **numbers = calloc(before * 4, sizeof(struct dfs_node *));
	struct dfs_node **files = calloc(before * 4, sizeof(struct dfs_node *));
	struct dfs_node **old = nodes->by_number;

	if (!numbers || !files) {
		free(numbers);
		free(files);
		return;
	}
	free(nodes->by_file);
	nodes->by_number = numbers;
	nodes->by_file = files;
	nodes->n_slots = before * 4;
	for (size_t i = 0; i < before; i++) {
		struct dfs_node *next;

		for (struct dfs_node *node = old[i]; node; node = next) {
			next = node->next_number;
			insert_number(nodes, node);
			if (node->current)
				dfs_table_insert_file(nodes, node);
		}
	}
	free(old);
}

static struct dfs_node *find_number(struct dfs_nodes *nodes, uint64_t number)
{
	struct dfs_node *node = *number_slot(nodes->by_number, nodes->n_slots, number);

	while (node && node->number != number)
		node = node->next_number;
	return node;
}

static struct dfs_node *find_file(struct dfs_nodes *nodes, const struct stat *st)
{
	struct dfs_node *node = *file_slot(nodes->by_file, nodes->n_slots, st);

	while (node && !dfs_file_same(&node->st, st))
		node = node->next_file;
	return node;
}

/* Without memory it is closed at once. */
static void close_later(struct dfs_nodes *nodes, int fd)
{
	int *more = fd < 0 ? NULL : reallocarray(nodes->closing, nodes->n_closing + 1, sizeof(*more));

	if (more) {
		nodes->closing = more;
		more[nodes->n_closing++] = fd;
	} else if (fd >= 0) {
		close(fd);
	}
}

void dfs_nodes_unlock(struct dfs_nodes *nodes)
{
	int *closing = nodes->closing;
	size_t n = nodes->n_closing;

	nodes->closing = NULL;
	nodes->n_closing = 0;
	pthread_mutex_unlock(&nodes->lock);
	for (size_t i = 0; i < n; i++)
		close(closing[i]);
	free(closing);
}

void dfs_table_unref(struct dfs_nodes *nodes, struct dfs_node *node)
{
	while (node && --node->refs == 0 && node->lookups == 0) {
		struct dfs_node *parent = node->parent;

		if (node->gone && nodes->shown)
			dfs_shown_removed(nodes->shown, &node->st);
		close_later(nodes, node->last_fd);
		dfs_table_remove_file(nodes, node);
		remove_number(nodes, node);
		dfs_table_nameless(nodes, node);
		nodes->n--;
		free(node->name);
		free(node);
		node = parent;
	}
}

static struct dfs_node *node_new(struct dfs_nodes *nodes, struct dfs_node *parent, const char *name,
				 const struct stat *st, uint64_t shown_size)
{
	struct dfs_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->name = strdup(name);
	if (!node->name) {
		free(node);
		return NULL;
	}
	node->number = ++nodes->last_number;
	node->type = st->st_mode & S_IFMT;
	node->last_fd = -1;
	node->st = *st;
	node->mtime = st->st_mtim;
	node->shown_size = shown_size;
	node->parent = parent;
	if (parent)
		parent->refs++;
	if (nodes->n > nodes->n_slots)
		grow(nodes);
	nodes->n++;
	if (nodes->n > nodes->most)
		nodes->most = nodes->n;
	insert_number(nodes, node);
	dfs_table_insert_file(nodes, node);
	return node;
}

/* --- the interface */

int dfs_nodes_init(struct dfs_nodes *nodes, const struct stat *root)
{
	*nodes = (struct dfs_nodes){ .n_slots = SLOTS_AT_FIRST, .last_number = ROOT_NUMBER - 1, .shown = nodes->shown };
	pthread_mutex_init(&nodes->lock, NULL);
	pthread_cond_init(&nodes->settled, NULL);
	nodes->by_number = calloc(nodes->n_slots, sizeof(struct dfs_node *));
	nodes->by_file = calloc(nodes->n_slots, sizeof(struct dfs_node *));
	if (!nodes->by_number || !nodes->by_file)
		return -ENOMEM;
	nodes->root = node_new(nodes, NULL, "", root, DFS_SIZE_STORED);
	if (!nodes->root)
		return -ENOMEM;
	nodes->root->refs = 1;
	return 0;
}

void dfs_nodes_release(struct dfs_nodes *nodes)
{
	for (size_t i = 0; nodes->by_number && i < nodes->n_slots; i++) {
		while (nodes->by_number[i]) {
			struct dfs_node *node = nodes->by_number[i];

			nodes->by_number[i] = node->next_number;
			dfs_table_release_names(node);
			if (node->last_fd >= 0)
				close(node->last_fd);
			free(node->name);
			free(node);
		}
	}
	free(nodes->by_number);
	free(nodes->by_file);
	pthread_cond_destroy(&nodes->settled);
	pthread_mutex_destroy(&nodes->lock);
}

size_t dfs_nodes_count(struct dfs_nodes *nodes)
{
	size_t n;

	pthread_mutex_lock(&nodes->lock);
	n = nodes->n;
	dfs_nodes_unlock(nodes);
	return n;
}

void dfs_nodes_each(struct dfs_nodes *nodes, void (*fn)(struct dfs_node *node))
{
	for (size_t i = 0; nodes->by_number && i < nodes->n_slots; i++)
		for (struct dfs_node *node = nodes->by_number[i]; node; node = node->next_number)
			fn(node);
}

struct dfs_node *dfs_node_get(struct dfs_nodes *nodes, uint64_t number)
{
	struct dfs_node *node;

	pthread_mutex_lock(&nodes->lock);
	node = find_number(nodes, number);
	if (node)
		node->refs++;
	dfs_nodes_unlock(nodes);
	return node;
}

void dfs_node_put(struct dfs_nodes *nodes, struct dfs_node *node)
{
	if (!node)
		return;
	pthread_mutex_lock(&nodes->lock);
	dfs_table_unref(nodes, node);
	dfs_nodes_unlock(nodes);
}

/* The current node of the file, if it was not changed behind the mount. */
static struct dfs_node *find_unchanged(struct dfs_nodes *nodes, const struct dfs_look *look)
{
	struct dfs_node *node = find_file(nodes, &look->st);

	if (!node || dfs_file_unchanged(&node->st, &look->st) || dfs_node_expected(node, look->moment))
		return node;
	return NULL;
}

struct dfs_node *dfs_node_find(struct dfs_nodes *nodes, const struct dfs_look *look)
{
	struct dfs_node *node;

	pthread_mutex_lock(&nodes->lock);
	node = find_unchanged(nodes, look);
	if (node)
		node->refs++;
	dfs_nodes_unlock(nodes);
	return node;
}

/* What nobody could tell when it was changed, a look that is not older can. */
static void settle(struct dfs_node *node, const struct dfs_look *look)
{
	if (!node->loose || node->changing || node->writing || node->changed > look->moment)
		return;
	node->st = look->st;
	node->loose = false;
}

/*
 * The size of a node is what the kernel was told, and with writeback never
 * asks for again. Return: false: it was told another one than @shown_size.
 */
static bool size_found(struct dfs_node *node, uint64_t shown_size)
{
	if (node->shown_size != DFS_SIZE_UNKNOWN || shown_size == DFS_SIZE_UNKNOWN)
		return true;
	if (shown_size == DFS_SIZE_STORED)
		node->shown_size = DFS_SIZE_STORED;
	return shown_size == DFS_SIZE_STORED;
}

static struct dfs_node *place(struct dfs_nodes *nodes, struct dfs_node *parent, const char *name,
			      const struct dfs_look *look, uint64_t shown_size)
{
	struct dfs_node *node = find_unchanged(nodes, look);
	struct dfs_node *before = node ? NULL : find_file(nodes, &look->st);

	if (node && !size_found(node, shown_size)) {
		before = node;
		node = NULL;
	}
	if (before)
		dfs_table_remove_file(nodes, before);
	if (!node)
		return node_new(nodes, parent, name, &look->st, shown_size);
	dfs_table_move(nodes, node, parent, name, look->st.st_nlink > 1);
	settle(node, look);
	return node;
}

/* What is not known may be a file that takes a known one's place just now. Waits for what is under way. */
static bool may_be_replaced(struct dfs_nodes *nodes, const struct dfs_look *look)
{
	bool so = nodes->replacing || nodes->replaced > look->moment;

	while (nodes->replacing)
		pthread_cond_wait(&nodes->settled, &nodes->lock);
	return so;
}

int dfs_node_place(struct dfs_nodes *nodes, struct dfs_node *parent, const char *name,
		   const struct dfs_look *look, uint64_t shown_size,
		   struct dfs_node **ret_node, uint64_t *ret_shown_size)
{
	struct dfs_node *node;

	pthread_mutex_lock(&nodes->lock);
	if (!find_unchanged(nodes, look) && may_be_replaced(nodes, look)) {
		dfs_nodes_unlock(nodes);
		return -EAGAIN;
	}
	node = place(nodes, parent, name, look, shown_size);
	if (node) {
		node->refs++;
		*ret_shown_size = node->shown_size;
	}
	dfs_nodes_unlock(nodes);
	*ret_node = node;
	return node ? 0 : -ENOMEM;
}

void dfs_node_found_plain(struct dfs_nodes *nodes, struct dfs_node *node)
{
	pthread_mutex_lock(&nodes->lock);
	(void)size_found(node, DFS_SIZE_STORED);
	dfs_nodes_unlock(nodes);
}

void dfs_node_looked_up(struct dfs_nodes *nodes, struct dfs_node *node)
{
	pthread_mutex_lock(&nodes->lock);
	node->lookups++;
	dfs_nodes_unlock(nodes);
}

void dfs_node_forget(struct dfs_nodes *nodes, uint64_t number, uint64_t n)
{
	struct dfs_node *node;

	pthread_mutex_lock(&nodes->lock);
	node = find_number(nodes, number);
	if (node) {
		node->lookups -= n < node->lookups ? n : node->lookups;
		node->refs++;
		dfs_table_unref(nodes, node);
	}
	dfs_nodes_unlock(nodes);
}
