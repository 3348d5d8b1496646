/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/node.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/auto.h"

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

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

bool dfs_node_same(const struct dfs_node *node, const struct stat *st)
{
	const struct stat *was = &node->st;

	if (!same_file(was, st) || (was->st_mode & S_IFMT) != (st->st_mode & S_IFMT))
		return false;
	return S_ISDIR(was->st_mode) ||
	       (was->st_size == st->st_size && same_time(was->st_mtim, st->st_mtim) &&
		same_time(was->st_ctim, st->st_ctim));
}

/* --- the tables, under nodes->lock */

static void insert_number(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_node **slot = number_slot(nodes->by_number, nodes->n_slots, node->number);

	node->next_number = *slot;
	*slot = node;
}

static void insert_file(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_node **slot = file_slot(nodes->by_file, nodes->n_slots, &node->st);

	node->next_file = *slot;
	*slot = node;
	node->current = true;
}

static void remove_file(struct dfs_nodes *nodes, struct dfs_node *node)
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
				insert_file(nodes, node);
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

	while (node && !same_file(&node->st, st))
		node = node->next_file;
	return node;
}

/* A node that nobody knows any more goes, and then perhaps its parent. */
static void unref(struct dfs_nodes *nodes, struct dfs_node *node)
{
	while (node && --node->refs == 0 && node->lookups == 0) {
		struct dfs_node *parent = node->parent;

		remove_file(nodes, node);
		remove_number(nodes, node);
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
	node->st = *st;
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
	insert_file(nodes, node);
	return node;
}

/* The name that was looked up last is the one by which it will be opened. */
static void move_to(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_node *parent, const char *name)
{
	struct dfs_node *before = node->parent;
	char *copy;

	if (node == nodes->root || (before == parent && strcmp(node->name, name) == 0))
		return;
	copy = strdup(name);
	if (!copy)
		return;
	free(node->name);
	node->name = copy;
	node->parent = parent;
	parent->refs++;
	unref(nodes, before);
}

/* --- the interface */

int dfs_nodes_init(struct dfs_nodes *nodes, const struct stat *root)
{
	*nodes = (struct dfs_nodes){ .n_slots = SLOTS_AT_FIRST, .last_number = ROOT_NUMBER - 1 };
	pthread_mutex_init(&nodes->lock, NULL);
	nodes->by_number = calloc(nodes->n_slots, sizeof(struct dfs_node *));
	nodes->by_file = calloc(nodes->n_slots, sizeof(struct dfs_node *));
	if (!nodes->by_number || !nodes->by_file)
		return -ENOMEM;
	nodes->root = node_new(nodes, NULL, "", root, (uint64_t)root->st_size);
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
			free(node->name);
			free(node);
		}
	}
	free(nodes->by_number);
	free(nodes->by_file);
	pthread_mutex_destroy(&nodes->lock);
}

size_t dfs_nodes_count(struct dfs_nodes *nodes)
{
	size_t n;

	pthread_mutex_lock(&nodes->lock);
	n = nodes->n;
	pthread_mutex_unlock(&nodes->lock);
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
	pthread_mutex_unlock(&nodes->lock);
	return node;
}

void dfs_node_put(struct dfs_nodes *nodes, struct dfs_node *node)
{
	if (!node)
		return;
	pthread_mutex_lock(&nodes->lock);
	unref(nodes, node);
	pthread_mutex_unlock(&nodes->lock);
}

struct dfs_node *dfs_node_find(struct dfs_nodes *nodes, const struct stat *st)
{
	struct dfs_node *node;

	pthread_mutex_lock(&nodes->lock);
	node = find_file(nodes, st);
	if (node && !dfs_node_same(node, st))
		node = NULL;
	if (node)
		node->refs++;
	pthread_mutex_unlock(&nodes->lock);
	return node;
}

int dfs_node_place(struct dfs_nodes *nodes, struct dfs_node *parent, const char *name,
		   const struct stat *st, uint64_t shown_size, struct dfs_node **ret_node)
{
	struct dfs_node *node;

	pthread_mutex_lock(&nodes->lock);
	node = find_file(nodes, st);
	if (node && !dfs_node_same(node, st)) {
		remove_file(nodes, node);
		node = NULL;
	}
	if (node)
		move_to(nodes, node, parent, name);
	else
		node = node_new(nodes, parent, name, st, shown_size);
	if (node)
		node->refs++;
	pthread_mutex_unlock(&nodes->lock);
	*ret_node = node;
	return node ? 0 : -ENOMEM;
}

void dfs_node_looked_up(struct dfs_nodes *nodes, struct dfs_node *node)
{
	pthread_mutex_lock(&nodes->lock);
	node->lookups++;
	pthread_mutex_unlock(&nodes->lock);
}

void dfs_node_forget(struct dfs_nodes *nodes, uint64_t number, uint64_t n)
{
	struct dfs_node *node;

	pthread_mutex_lock(&nodes->lock);
	node = find_number(nodes, number);
	if (node) {
		node->lookups -= n < node->lookups ? n : node->lookups;
		node->refs++;
		unref(nodes, node);
	}
	pthread_mutex_unlock(&nodes->lock);
}

/* --- back to the store */

static int path_upwards(struct dfs_node *node, char path[PATH_MAX])
{
	size_t at = PATH_MAX - 1;

	/* Directories moved about behind the mount can make parents form a ring; the length ends that walk. */
	path[at] = '\0';
	for (; node->parent; node = node->parent) {
		size_t len = strlen(node->name);

		if (len + 1 > at)
			return -ESTALE;
		if (path[at])
			path[--at] = '/';
		at -= len;
		memcpy(path + at, node->name, len);
	}
	memmove(path, path + at, PATH_MAX - at);
	return 0;
}

int dfs_node_path(struct dfs_nodes *nodes, struct dfs_node *node, char path[PATH_MAX])
{
	int ret;

	pthread_mutex_lock(&nodes->lock);
	ret = path_upwards(node, path);
	pthread_mutex_unlock(&nodes->lock);
	return ret;
}

/* A path that leads nowhere is a name that changed: the kernel should look it up anew. */
static int stale_if_moved(int ret)
{
	switch (ret) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -EXDEV:
	case -ENXIO:
		return -ESTALE;
	default:
		return ret;
	}
}

int dfs_node_open(struct dfs_nodes *nodes, const struct dfs_store *store, struct dfs_node *node,
		  int flags, int *ret_fd, struct stat *ret_st)
{
	DFS_AUTO(fd) int fd = -1;
	char path[PATH_MAX];
	struct stat st;
	int ret = dfs_node_path(nodes, node, path);

	if (ret == 0)
		ret = stale_if_moved(dfs_store_openat(store, path, flags, &fd));
	if (ret < 0)
		return ret;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!dfs_node_same(node, &st))
		return -ESTALE;
	if (ret_st)
		*ret_st = st;
	*ret_fd = dfs_steal_fd(&fd);
	return 0;
}
