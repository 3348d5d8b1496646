/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open: what is open under a node, shared by all of its handles.
 *
 * A handle (a FUSE file handle) is a struct dfs_open, one for each node that
 * is open. What it reads and writes is a struct dfs_content, which does not
 * change: when a file opened for reading is opened for writing too, or its
 * last writer leaves, or another file of the store takes its place, the open
 * form gets another content, and requests under way finish with the one they
 * began with.
 */
#ifndef DFS_FUSE_OPEN_H
#define DFS_FUSE_OPEN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "fuse/direct.h"
#include "fuse/node.h"
#include "read/view.h"
#include "write/thaw.h"

struct dfs_mount;

struct dfs_content {
	struct dfs_view *view;
	dev_t dev;		/* of its file */
	ino_t ino;
	bool writable;		/* its descriptor is, or there is a thaw */
	struct dfs_thaw *thaw;	/* of a container that is open for writing; NULL */
	atomic_bool thawing;	/* somebody sees to its end */
	atomic_bool touched;	/* it was written to while it thaws, and its times say so */
	atomic_bool pinned;	/* what is overwritten must be kept first: see settle.c */
	unsigned refs;		/* under nodes->lock */
	struct dfs_direct_queue direct;
	int failed;		/* why the thaw ended in vain: -errno; under nodes->lock */
};

struct dfs_open {
	struct dfs_node *node;		/* referenced */
	/* under nodes->lock */
	struct dfs_content *content;	/* referenced */
	unsigned handles;
	struct dfs_copied *copied;	/* what it is instead of its content; see copied.h */
	bool settling;			/* a pin is being copied */
	struct dfs_job *parked;		/* of later.h, until that or a thaw has ended */
	atomic_bool copying;		/* is there something copied; written under nodes->lock */
	_Atomic pid_t writer;		/* who opened it for writing last; 0: nobody known */
	atomic_bool dirty;		/* something was changed since the last writer left; see notice.c */
	atomic_uint running;		/* handles of programs that run from it */
	_Atomic off_t pushed;		/* up to here its bytes are on their way to the disk; see push.c */
};

/*
 * content.c
 */

/* dfs_content_new() - of a file that is open as @fd, which is taken in any case. @writable: it is O_RDWR, or a container's. @plain: it is known to be. */
int dfs_content_new(struct dfs_mount *mount, struct dfs_node *node, int fd, bool writable, bool plain,
		    struct dfs_content **ret_content, struct dfs_err *err);

/* dfs_content_free() - of one that nobody else has; NULL is fine */
void dfs_content_free(struct dfs_content *content);

/* dfs_content_get() - what @open reads and writes now; dfs_content_put() it */
struct dfs_content *dfs_content_get(struct dfs_mount *mount, struct dfs_open *open);
void dfs_content_put(struct dfs_mount *mount, struct dfs_content *content); /* NULL is fine */

/* dfs_content_fd() - the descriptor of what may be read and written, of a plain file or of one that thaws */
int dfs_content_fd(const struct dfs_content *content);

/* dfs_content_reopen() - another descriptor of the same file, whatever became of its name. Return: -errno. */
int dfs_content_reopen(const struct dfs_content *content, int flags);

/* dfs_content_is_plain() - are its bytes those of its descriptor? */
static inline bool dfs_content_is_plain(const struct dfs_content *content)
{
	return !dfs_view_container(content->view);
}

/*
 * open.c
 */

/**
 * dfs_open_node() - one more handle on a node
 * @ret_open: dfs_open_end() it
 *
 * A container that is to be written to gets room for its plain form.
 * Return: 0; -ESTALE: its path leads elsewhere now, or the file was changed
 * behind the mount; -ENOSPC; errors of open and of dfs_view_open(). With a
 * sentence where it is more than what the store says of a name.
 */
int dfs_open_node(struct dfs_mount *mount, struct dfs_node *node, bool writable,
		  struct dfs_open **ret_open, struct dfs_err *err);

/* dfs_open_made() - the first handle on a file that was just made. @fd: O_RDWR; taken in any case. */
int dfs_open_made(struct dfs_mount *mount, struct dfs_node *node, int fd, bool writable,
		  struct dfs_open **ret_open, struct dfs_err *err);

/* dfs_open_end() - a handle ends. @writable: as it was opened. */
void dfs_open_end(struct dfs_mount *mount, struct dfs_open *open, bool writable);

/* dfs_open_find() - one more handle, for reading, if the node is open; NULL if not */
struct dfs_open *dfs_open_find(struct dfs_mount *mount, struct dfs_node *node);

/* dfs_open_swap() - @content (taken) is what the node's handles read and write from now on. Under nodes->lock. Return: what they did; NULL if it is not open, and @content was not taken. */
struct dfs_content *dfs_open_swap(struct dfs_node *node, struct dfs_content *content);

/* dfs_opens_end() - close what is open still: after a signal no release comes */
void dfs_opens_end(struct dfs_mount *mount);

/*
 * settle.c: what must be done before bytes of some files change
 */

/* dfs_open_wake() - who waits for what is over now. Under nodes->lock. */
void dfs_open_wake(struct dfs_mount *mount, struct dfs_open *open);

/*
 * dfs_open_arm() - a container that took the place of what was open for
 * writing gets room for its plain form. Blocks on disks; nothing if there is
 * room, or it is plain. Return: 0; as dfs_open_node().
 */
int dfs_open_arm(struct dfs_mount *mount, struct dfs_open *open, struct dfs_err *err);

/* dfs_open_thawing() - something was written to @content, which thaws: see to it that it becomes plain. Does not block. */
void dfs_open_thawing(struct dfs_mount *mount, struct dfs_open *open, struct dfs_content *content);

/* For what of a file's an operation waits before it runs. */
enum dfs_open_waits {
	DFS_WAITS_NOT,
	DFS_WAITS_PIN,		/* a pin that is being copied, and what is made of what was copied */
	DFS_WAITS_BEGUN,	/* and a thaw that somebody began */
	DFS_WAITS_PLAIN,	/* and any thaw: it is begun */
};

/**
 * dfs_open_parks() - would dfs_open_settle() wait for what another thread does?
 * @job: if so, it is submitted to mount->later when that has ended
 *
 * Does not block. Return: whether @job is parked.
 */
bool dfs_open_parks(struct dfs_mount *mount, struct dfs_open *open, enum dfs_open_waits waits,
		    struct dfs_job *job);

/**
 * dfs_open_settle() - wait until the file is a plain one that may be changed
 * @begin: else a container that nobody wrote to stays what it is
 * @ret_content: dfs_content_put() it
 *
 * Blocks on decodes and disks: only in threads of later.h.
 * Return: 0; the failure of the thaw; -ENOSPC, -EIO, ... of keeping a pin.
 */
int dfs_open_settle(struct dfs_mount *mount, struct dfs_open *open, bool begin,
		    struct dfs_content **ret_content, struct dfs_err *err);

/**
 * dfs_open_empty() - make a container's file an empty one; nothing is decoded
 * Blocks on disks. Return: 0; -ESTALE; errors of dfs_publish().
 */
int dfs_open_empty(struct dfs_mount *mount, struct dfs_node *node, struct dfs_err *err);

/*
 * dfs_container_touch() - the container that is open as @fd was written to: its
 * plain form gets its times. With writeback the kernel tells what they are.
 */
void dfs_container_touch(const struct dfs_mount *mount, int fd);

DFS_AUTO_KIND(content, struct dfs_content *, dfs_content_free(*p));

#endif
