/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node_change: what happens to files through the mount, so that it is not
 * taken for a change behind it.
 */
#include "fuse/node.h"
#include "fuse/node_table.h"

uint64_t dfs_nodes_moment(struct dfs_nodes *nodes)
{
	uint64_t moment;

	pthread_mutex_lock(&nodes->lock);
	moment = nodes->moment;
	dfs_nodes_unlock(nodes);
	return moment;
}

const struct dfs_look *dfs_look_take(struct dfs_nodes *nodes, int fd, struct dfs_look *look)
{
	look->moment = dfs_nodes_moment(nodes);
	return fstat(fd, &look->st) == 0 ? look : NULL;
}

void dfs_node_change(struct dfs_nodes *nodes, struct dfs_node *node)
{
	pthread_mutex_lock(&nodes->lock);
	while (node->replacing)
		pthread_cond_wait(&nodes->settled, &nodes->lock);
	node->changing++;
	dfs_nodes_unlock(nodes);
}

void dfs_table_move_on(struct dfs_nodes *nodes)
{
	nodes->moment++;
	pthread_cond_broadcast(&nodes->settled);
}

/*
 * Two that end at about the same time may each have looked before the other
 * was through: what they left is not known then. That others are under way
 * still says so for the first, and that one has ended since the look for the
 * last.
 */
static void left(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look)
{
	bool others = node->changing || node->writing || (look && node->changed > look->moment);

	dfs_table_move_on(nodes);
	node->changed = nodes->moment;
	if (S_ISDIR(node->type) || dfs_table_disowned(node))
		return;
	if (!look || others || !dfs_file_same(&node->st, &look->st)) {
		node->loose = true;
		return;
	}
	node->st = look->st;
	node->loose = false;
}

void dfs_node_changed(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look)
{
	pthread_mutex_lock(&nodes->lock);
	node->changing--;
	left(nodes, node, look);
	dfs_nodes_unlock(nodes);
}

void dfs_node_unchanged_by(struct dfs_nodes *nodes, struct dfs_node *node)
{
	pthread_mutex_lock(&nodes->lock);
	node->changing--;
	pthread_cond_broadcast(&nodes->settled);
	dfs_nodes_unlock(nodes);
}

void dfs_node_writing(struct dfs_nodes *nodes, struct dfs_node *node)
{
	pthread_mutex_lock(&nodes->lock);
	while (node->replacing)
		pthread_cond_wait(&nodes->settled, &nodes->lock);
	node->writing++;
	dfs_nodes_unlock(nodes);
}

bool dfs_node_written(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look)
{
	bool last;

	pthread_mutex_lock(&nodes->lock);
	last = --node->writing == 0;
	left(nodes, node, look);
	dfs_nodes_unlock(nodes);
	return last;
}

void dfs_node_not_written(struct dfs_nodes *nodes, struct dfs_node *node)
{
	pthread_mutex_lock(&nodes->lock);
	node->writing--;
	dfs_nodes_unlock(nodes);
}

bool dfs_node_same(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look)
{
	bool same;

	pthread_mutex_lock(&nodes->lock);
	same = !dfs_file_same(&node->st, &look->st) || dfs_bytes_same(&node->st, &look->st) ||
	       dfs_node_expected(node, look->moment);
	dfs_nodes_unlock(nodes);
	return same;
}

bool dfs_node_busy(struct dfs_nodes *nodes, struct dfs_node *node, uint64_t moment)
{
	bool busy;

	pthread_mutex_lock(&nodes->lock);
	busy = dfs_node_expected(node, moment);
	dfs_nodes_unlock(nodes);
	return busy;
}

/* The kernel believes a name for a second (DFS_BELIEVE_S), and what it asks may wait for a while. */
#define LEFT_MS 10000

bool dfs_node_was_left(struct dfs_nodes *nodes, struct dfs_node *node)
{
	int64_t left_ms;

	pthread_mutex_lock(&nodes->lock);
	left_ms = node->left_ms;
	dfs_nodes_unlock(nodes);
	return left_ms && dfs_clock_ms(CLOCK_MONOTONIC_COARSE) - left_ms < LEFT_MS;
}

bool dfs_node_was_replaced(struct dfs_nodes *nodes, struct dfs_node *node, uint64_t moment)
{
	bool so;

	pthread_mutex_lock(&nodes->lock);
	so = node->replacing || node->replaced > moment;
	while (node->replacing)
		pthread_cond_wait(&nodes->settled, &nodes->lock);
	dfs_nodes_unlock(nodes);
	return so;
}

bool dfs_node_unchanged(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look)
{
	bool same;

	pthread_mutex_lock(&nodes->lock);
	same = dfs_node_is(node, look);
	dfs_nodes_unlock(nodes);
	return same;
}

void dfs_node_note_no_acl(struct dfs_nodes *nodes, struct dfs_node *node, uint64_t moment)
{
	pthread_mutex_lock(&nodes->lock);
	if (!node->changing && node->changed <= moment)
		atomic_store_explicit(&node->no_acl, true, memory_order_relaxed);
	dfs_nodes_unlock(nodes);
}

uint64_t dfs_node_shown_size(struct dfs_nodes *nodes, struct dfs_node *node)
{
	uint64_t size;

	pthread_mutex_lock(&nodes->lock);
	size = node->shown_size;
	dfs_nodes_unlock(nodes);
	return size;
}

bool dfs_node_is_gone(struct dfs_nodes *nodes, struct dfs_node *node)
{
	bool gone;

	pthread_mutex_lock(&nodes->lock);
	gone = node->gone;
	dfs_nodes_unlock(nodes);
	return gone;
}

bool dfs_node_is_container(struct dfs_nodes *nodes, struct dfs_node *node)
{
	return dfs_node_shown_size(nodes, node) < DFS_SIZE_UNKNOWN;
}

bool dfs_node_is_plain(struct dfs_nodes *nodes, struct dfs_node *node)
{
	return dfs_node_shown_size(nodes, node) == DFS_SIZE_STORED;
}

void dfs_nodes_move(struct dfs_nodes *nodes)
{
	pthread_mutex_lock(&nodes->lock);
	nodes->moving++;
	dfs_nodes_unlock(nodes);
}

void dfs_nodes_moved(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_node *parent, const char *name,
		     struct dfs_node *to, const char *to_name)
{
	pthread_mutex_lock(&nodes->lock);
	nodes->moving--;
	if (node) {
		dfs_table_move(nodes, node, to, to_name, true);
		dfs_table_lose(nodes, node, parent, name);
	}
	dfs_table_move_on(nodes);
	nodes->moved = nodes->moment;
	dfs_nodes_unlock(nodes);
}

void dfs_node_lost(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_node *parent, const char *name)
{
	pthread_mutex_lock(&nodes->lock);
	dfs_table_lose(nodes, node, parent, name);
	dfs_nodes_unlock(nodes);
}

void dfs_table_gone(struct dfs_nodes *nodes, struct dfs_node *node, int fd)
{
	node->gone = true;
	node->last_fd = fd;
	dfs_table_remove_file(nodes, node);
}

void dfs_node_gone(struct dfs_nodes *nodes, struct dfs_node *node, int fd)
{
	pthread_mutex_lock(&nodes->lock);
	dfs_table_gone(nodes, node, fd);
	dfs_nodes_unlock(nodes);
}
