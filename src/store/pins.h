/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pins: base files kept readable under .deltafs/pins/HASH.
 *
 * A hard link where the file system allows it, else a reflink, else a copy. A
 * pin whose link count is 1 is all that holds its bytes (a clone shares them
 * with its source, which cannot be told from here).
 */
#ifndef DFS_STORE_PINS_H
#define DFS_STORE_PINS_H

#include <sys/stat.h>

#include "store/dependants.h"
#include "store/hashes.h"
#include "store/store.h"

enum dfs_pin_how { DFS_PIN_THERE, DFS_PIN_LINKED, DFS_PIN_CLONED, DFS_PIN_COPIED };

/*
 * Who shows the file to others. Around the link and nothing else: enter() keeps
 * them from changing the file that is open as @fd, or ends it with its -errno
 * (-EBUSY: somebody has it open for writing); leave() follows with the file's
 * attributes, or NULL if there is no link.
 */
struct dfs_pin_watch {
	int (*enter)(void *arg, int fd);
	void (*leave)(void *arg, const struct stat *linked);
	void *arg;
};

struct dfs_pin_add {
	int fd;				/* the base file, open for reading */
	struct dfs_hash hash;
	const struct dfs_pin_watch *watch;	/* may be NULL */
	dfs_hash_progress_fn *progress;	/* of a copy; may be NULL */
	void *arg;
	bool as_is;			/* copy it whatever its hash: it is what the pin holds */
};

/**
 * dfs_pin_add() - pin a file whose hash is known
 * @ret_how: THERE: a pin of this content was there already and is sound
 * @ret_why: why it had to be copied; may be NULL
 *
 * A pin that is there and has other content is replaced. The content is synced
 * and the name durable when it returns. A copy keeps owner and mode, so that
 * the rule for untrusted containers can be applied to it.
 * Return: 0; -ENOSPC before anything is copied; -EBADMSG: the copy is not what
 * was hashed; -EBUSY: of the watch; -ECANCELED; errors of I/O.
 */
int dfs_pin_add(struct dfs_store *store, const struct dfs_pin_add *add, enum dfs_pin_how *ret_how,
		struct dfs_err *ret_why, struct dfs_err *err);

/**
 * dfs_pin_detach() - if a pin is the very file that is open as @fd, make it a copy
 *
 * Before the file is changed. Durable when it returns. Needs the writer lock.
 * Return: 0, also if there is none; -ENOSPC before anything is copied; errors of I/O.
 */
int dfs_pin_detach(struct dfs_store *store, int fd, struct dfs_err *err);

struct dfs_pin {
	struct dfs_hash hash;
	uint64_t size;
	uint64_t stored;	/* st_blocks, in bytes */
	bool alone;		/* nothing but the pin holds its bytes */
};

/**
 * dfs_pins_list() - all pins, in order of hash
 * @ret_pins: free() it
 * Return: 0, also without .deltafs; -EACCES, -ENOMEM, ...
 */
int dfs_pins_list(const struct dfs_store *store, struct dfs_pin **ret_pins, size_t *ret_n);

/* dfs_pin_copy_over() - the copy that dfs_pin_add() makes where a link will not do, to @path of the store; clones if it can */
int dfs_pin_copy_over(struct dfs_store *store, const struct dfs_pin_add *add, const char *path,
		      enum dfs_pin_how *ret_how, struct dfs_err *err);

/* dfs_pin_path() - ".deltafs/pins/HASH" */
#define DFS_PIN_PATH_SIZE (sizeof(DFS_STORE_DIR "/pins/") + DFS_HASH_HEX)
char *dfs_pin_path(struct dfs_hash hash, char ret_path[DFS_PIN_PATH_SIZE]);

/**
 * dfs_pins_sweep() - free the pins that belong to no model and no container
 * @dependants: counted after the last model was removed
 * @ret_bytes: freed; a hard link that goes frees none
 *
 * Needs the writer lock. Keeps all while a container is unreadable.
 * Return: 0; errors of I/O.
 */
int dfs_pins_sweep(struct dfs_store *store, const struct dfs_dependants *dependants,
		   uint64_t *ret_bytes, struct dfs_err *err);

#endif
