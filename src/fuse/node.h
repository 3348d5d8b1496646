/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node: what the kernel holds on to, by number.
 *
 * A node is a file of the store as it was at a lookup: device and inode, and
 * for anything but a directory also size, mtime and ctime. If these differ at
 * the next lookup the file was changed behind the mount, and its name leads
 * to a new node; who has the old one open goes on with the old one's bytes or
 * gets ESTALE.
 *
 * No descriptor is kept: a node knows its parent and its name, is opened
 * through them from the store's root, and is then seen to be the same file or
 * ESTALE (upon which the kernel looks the name up anew). Numbers are never
 * used twice.
 */
#ifndef DFS_FUSE_NODE_H
#define DFS_FUSE_NODE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/store.h"

struct dfs_open;

struct dfs_node {
	uint64_t number;
	struct stat st;			/* of the backing file, at the lookup that made the node */
	uint64_t shown_size;		/* st_size of the mount */
	atomic_bool no_acl;		/* a regular file that was seen to have no ACL */
	/* under nodes->lock */
	struct dfs_node *parent;	/* referenced; NULL for the root */
	char *name;
	uint64_t lookups;		/* the kernel's count */
	unsigned refs;			/* children, operations under way */
	bool current;			/* what a lookup of this file finds */
	struct dfs_open *open;		/* shared by all handles; NULL if there are none */
	struct dfs_node *next_number, *next_file;
};

struct dfs_nodes {
	pthread_mutex_t lock;
	/* under lock */
	struct dfs_node **by_number;
	struct dfs_node **by_file;	/* device and inode; current ones only */
	size_t n_slots;			/* of each; a power of two */
	size_t n;
	size_t most;			/* n at its highest since memory was given back; see attr.c */
	uint64_t last_number;
	struct dfs_node *root;
};

/* dfs_nodes_init() - @root: attributes of the store's directory. Return: 0 or -ENOMEM. */
int dfs_nodes_init(struct dfs_nodes *nodes, const struct stat *root);
void dfs_nodes_release(struct dfs_nodes *nodes); /* all nodes, whatever the kernel counts */
size_t dfs_nodes_count(struct dfs_nodes *nodes);
/* dfs_nodes_each() - call @fn for every node, when nobody else uses them any more */
void dfs_nodes_each(struct dfs_nodes *nodes, void (*fn)(struct dfs_node *node));

/* dfs_node_get() - by number, referenced. NULL: the kernel does not hold it. */
struct dfs_node *dfs_node_get(struct dfs_nodes *nodes, uint64_t number);
void dfs_node_put(struct dfs_nodes *nodes, struct dfs_node *node); /* NULL is fine */

/* dfs_node_find() - the current node of a backing file, if it is still that file; referenced, or NULL */
struct dfs_node *dfs_node_find(struct dfs_nodes *nodes, const struct stat *st);

/**
 * dfs_node_place() - the node for what a lookup of @name in @parent found
 * @shown_size: what st_size shows; ignored if the node exists
 * @ret_node: referenced; not yet counted as a lookup
 *
 * Return: 0 or -ENOMEM.
 */
int dfs_node_place(struct dfs_nodes *nodes, struct dfs_node *parent, const char *name,
		   const struct stat *st, uint64_t shown_size, struct dfs_node **ret_node);

/* dfs_node_looked_up() - the kernel was given the number once more */
void dfs_node_looked_up(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_node_forget() - and gives it back @n times */
void dfs_node_forget(struct dfs_nodes *nodes, uint64_t number, uint64_t n);

/* dfs_node_same() - is @st the very file that @node stands for? */
bool dfs_node_same(const struct dfs_node *node, const struct stat *st);

/**
 * dfs_node_path() - the path in the store, "" for the root
 * Return: 0; -ESTALE if there is none of less than PATH_MAX bytes.
 */
int dfs_node_path(struct dfs_nodes *nodes, struct dfs_node *node, char path[4096]);

/**
 * dfs_node_open() - open the file that a node stands for
 * @flags: as of dfs_store_openat()
 * @ret_st: its attributes; may be NULL
 *
 * Return: 0; -ESTALE if its path leads elsewhere now, or nowhere; -EACCES, -EIO, -EMFILE, ...
 */
int dfs_node_open(struct dfs_nodes *nodes, const struct dfs_store *store, struct dfs_node *node,
		  int flags, int *ret_fd, struct stat *ret_st);

#endif
