/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node: what the kernel holds on to, by number.
 *
 * A node is a file of the store as it was last left: device and inode, and
 * for anything but a directory also size, mtime and ctime. If these differ at
 * the next lookup the file was changed behind the mount, and its name leads
 * to a new node; who has the old one open goes on with the old one's bytes or
 * gets ESTALE.
 *
 * What changes through the mount says so: dfs_node_change() before and
 * dfs_node_changed() after each operation, dfs_node_writing() while a file is
 * open for writing. Between the two nothing about the file is a surprise. Who
 * looks at a file without a lock compares moments: a look that began before a
 * change ended may have seen either.
 *
 * No descriptor is kept: a node knows its parent and its name, is opened
 * through them from the store's root, and is then seen to be the same file or
 * ESTALE (upon which the kernel looks the name up anew). Numbers are never
 * used twice.
 */
#ifndef DFS_FUSE_NODE_H
#define DFS_FUSE_NODE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/store.h"

struct dfs_name;
struct dfs_open;
struct dfs_shown;

/* dfs_node->shown_size: that of the backing file, which is plain, or could not be looked into. */
#define DFS_SIZE_STORED UINT64_MAX
#define DFS_SIZE_UNKNOWN (UINT64_MAX - 1)

struct dfs_node {
	uint64_t number;
	mode_t type;			/* S_IFMT of its mode */
	atomic_bool no_acl;		/* a regular file that was seen to have no ACL */
	atomic_bool mtime_owed;		/* its backing file may have another mtime than the kernel, of when bytes came */
	/* under nodes->lock; of a directory st never changes, and is read without */
	struct stat st;			/* of the backing file, as it was last left */
	uint64_t shown_size;		/* st_size of the mount, of a container; DFS_SIZE_STORED */
	unsigned changing;		/* operations under way that may leave another file */
	unsigned writing;		/* and handles that may write */
	bool replacing;			/* deltafs is about to put another file in its place, of the same content or so */
	uint64_t changed;		/* the moment when the last of these ended */
	uint64_t replaced;		/* and of replacing, of a directory: of a file in it */
	bool loose;			/* st is not known: the next lookup tells */
	bool gone;			/* has no name any more */
	int64_t left_ms;		/* since deltafs put other bytes under its name: when, CLOCK_MONOTONIC_COARSE; 0: it did not */
	struct timespec mtime;		/* as the kernel has it; see node_mtime.c */
	int last_fd;			/* then: O_PATH, all that leads to it; -1 */
	struct dfs_node *parent;	/* referenced; NULL for the root */
	char *name;
	struct dfs_name *others;	/* more names; see node_names.c */
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
	uint64_t moment;		/* grows with each change that ends */
	unsigned moving;		/* renames under way */
	uint64_t moved;			/* the moment when the last of these ended */
	unsigned replacing;		/* nodes, and files without one, to be replaced */
	uint64_t replaced;		/* as moved */
	struct dfs_shown *shown;	/* told of files that are gone; NULL: not at all; borrowed */
	struct dfs_node *root;
	pthread_cond_t settled;		/* the moment passed */
	int *closing;			/* descriptors to be closed without the lock; see dfs_nodes_unlock() */
	size_t n_closing;
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

/* A look at a backing file, and when it began. */
struct dfs_look {
	uint64_t moment;
	struct stat st;
};

/* dfs_node_find() - the current node of a backing file, if it is still that file; referenced, or NULL */
struct dfs_node *dfs_node_find(struct dfs_nodes *nodes, const struct dfs_look *look);

/**
 * dfs_node_place() - the node for what a lookup of @name in @parent found
 * @shown_size: for a new node, and for one whose own is DFS_SIZE_UNKNOWN: that of a container makes it another node
 * @ret_node: referenced; not yet counted as a lookup
 * @ret_shown_size: the node's
 *
 * Return: 0; -EAGAIN: it may have been replaced since the look: look again; -ENOMEM.
 */
int dfs_node_place(struct dfs_nodes *nodes, struct dfs_node *parent, const char *name,
		   const struct dfs_look *look, uint64_t shown_size,
		   struct dfs_node **ret_node, uint64_t *ret_shown_size);

/* dfs_node_found_plain() - a look into its file, which it still stands for, found no container: as dfs_node_place() would */
void dfs_node_found_plain(struct dfs_nodes *nodes, struct dfs_node *node);

/* dfs_node_looked_up() - the kernel was given the number once more */
void dfs_node_looked_up(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_node_forget() - and gives it back @n times */
void dfs_node_forget(struct dfs_nodes *nodes, uint64_t number, uint64_t n);

/*
 * node_change.c: changes through the mount
 */

/* dfs_nodes_moment() - for a look that begins now */
uint64_t dfs_nodes_moment(struct dfs_nodes *nodes);
/* dfs_look_take() - at the file of @fd, beginning now. Return: @look, filled in; NULL if it cannot be looked at. */
const struct dfs_look *dfs_look_take(struct dfs_nodes *nodes, int fd, struct dfs_look *look);

/* dfs_node_change() - an operation begins that changes the file's attributes or names. Waits for a replacement under way. */
void dfs_node_change(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_node_changed() - and ends. @look: at what it left, from after its last change; NULL: not known, the next lookup tells. */
void dfs_node_changed(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look);

/* dfs_node_unchanged_by() - the same, and it changed nothing */
void dfs_node_unchanged_by(struct dfs_nodes *nodes, struct dfs_node *node);

/* dfs_node_writing() - a handle may write from now on. Waits for a replacement under way. */
void dfs_node_writing(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_node_written() - and ends. Return: whether it was the last. @look: as above. */
bool dfs_node_written(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look);

/* dfs_node_not_written() - and it did not write */
void dfs_node_not_written(struct dfs_nodes *nodes, struct dfs_node *node);

/*
 * dfs_node_was_replaced() - did deltafs put another file in its place since
 * @moment, or in that of a file in it? A look since then may have seen times
 * that nobody is to see. Waits for a replacement under way.
 */
bool dfs_node_was_replaced(struct dfs_nodes *nodes, struct dfs_node *node, uint64_t moment);

/*
 * dfs_node_same() - may @look, at a file that was opened as @node's, show its
 * content, with what was left since it began? A name and rights do not count.
 * A file that deltafs put another one in place of keeps its content.
 */
bool dfs_node_same(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look);

/*
 * dfs_node_was_left() - did deltafs put other bytes under its name so lately
 * that who came by the name may mean those? What would change the file is
 * -ESTALE then, upon which the kernel looks the name up anew. Asked after
 * dfs_node_change() or dfs_node_writing(), which may have waited for just that.
 */
bool dfs_node_was_left(struct dfs_nodes *nodes, struct dfs_node *node);

/* dfs_node_busy() - has anything changed it through the mount since @moment, or does? */
bool dfs_node_busy(struct dfs_nodes *nodes, struct dfs_node *node, uint64_t moment);

/* dfs_node_unchanged() - the same, but name and rights count, and so does which file it is */
bool dfs_node_unchanged(struct dfs_nodes *nodes, struct dfs_node *node, const struct dfs_look *look);

/* dfs_node_note_no_acl() - a look that began at @moment found none */
void dfs_node_note_no_acl(struct dfs_nodes *nodes, struct dfs_node *node, uint64_t moment);

/* dfs_nodes_move() - a rename begins */
void dfs_nodes_move(struct dfs_nodes *nodes);
/* dfs_nodes_moved() - and ends: @node (NULL: not known, or it did not happen), known as @name in @parent before, lies at @to_name in @to now */
void dfs_nodes_moved(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_node *parent, const char *name,
		     struct dfs_node *to, const char *to_name);

/* dfs_node_lost() - a name was removed; it has others */
void dfs_node_lost(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_node *parent, const char *name);

/*
 * dfs_node_gone() - its last name was removed: its inode number may be another
 * file's at the next lookup. @fd: O_PATH, taken; the kernel may have just
 * looked the name up, and open it next: it finds the file as long as it holds
 * the node.
 */
void dfs_node_gone(struct dfs_nodes *nodes, struct dfs_node *node, int fd);

/* dfs_node_is_gone() - has it no name any more? */
bool dfs_node_is_gone(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_node_is_container() - is its file one, as far as is known? */
bool dfs_node_is_container(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_node_is_plain() - is it known not to be one? */
bool dfs_node_is_plain(struct dfs_nodes *nodes, struct dfs_node *node);
/* dfs_node_shown_size() - st_size of the mount, if it is a container; DFS_SIZE_STORED, DFS_SIZE_UNKNOWN */
uint64_t dfs_node_shown_size(struct dfs_nodes *nodes, struct dfs_node *node);

/*
 * dfs_node_other_name() - the @i-th name, from 0, that it has besides the one of dfs_node_path(), as far as is known
 * Return: its directory, referenced; NULL: there is none.
 */
struct dfs_node *dfs_node_other_name(struct dfs_nodes *nodes, struct dfs_node *node, unsigned i, char ret_name[NAME_MAX + 1]);

/*
 * node_mtime.c: with the writeback cache the kernel keeps the mtime
 */

/* dfs_node_mtime_told() - the kernel says what it is, or a user; before the backing file gets it */
void dfs_node_mtime_told(struct dfs_nodes *nodes, struct dfs_node *node, struct timespec mtime);
/* dfs_node_mtime_pay() - what was owed is paid to the backing file, open as @fd: the kernel has told all that it will */
void dfs_node_mtime_pay(struct dfs_nodes *nodes, struct dfs_node *node, int fd);

/*
 * node_open.c: back to the store
 */

/**
 * dfs_node_path() - the path in the store, "" for the root
 * Return: 0; -ESTALE if there is none of less than PATH_MAX bytes.
 */
int dfs_node_path(struct dfs_nodes *nodes, struct dfs_node *node, char path[4096]);

/* What a node stands for, seen at once. */
struct dfs_node_look {
	struct stat st;
	uint64_t shown_size;
};

/**
 * dfs_node_open() - open the file that a node stands for
 * @flags: as of dfs_store_openat()
 * @ret_look: its attributes; may be NULL
 *
 * Return: 0; -ESTALE if its path leads elsewhere now, or nowhere; -EACCES, -EIO, -EMFILE, ...
 */
int dfs_node_open(struct dfs_nodes *nodes, const struct dfs_store *store, struct dfs_node *node,
		  int flags, int *ret_fd, struct dfs_node_look *ret_look);

#endif
