/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bases: from a base file's content hash to an open descriptor.
 *
 * Places are tried in order (store/places.h): files named by the user,
 * .deltafs/pins/HASH of the store, paths kept in .deltafs/bases/, and
 * last the path in the store that the container itself remembers. A size that
 * fits is enough to read (every decoded chunk is checked against its hash);
 * identity is settled elsewhere: a file whose hash is remembered as another
 * one is passed over, and dfs_bases_settle() finds out what is not known yet.
 * A pin that was altered is the last resort: what is intact in it can be read.
 *
 * Failures are not remembered: the next call tries again, so attaching the
 * base heals its dependants without a remount. Descriptors are shared and a
 * few idle ones kept; at most once a second it is checked that the file is
 * still the one at its place.
 */
#ifndef DFS_STORE_BASES_H
#define DFS_STORE_BASES_H

#include <stdatomic.h>

#include "format/container.h"
#include "store/hashes.h"
#include "store/store.h"

/*
 * Idle descriptors kept open. Fewer: a model of more shards than that reopens
 * them as layers are walked, some 10 us each. More: fds that others may need.
 */
#define DFS_BASES_IDLE 64

struct dfs_bases;

/* Is it the content asked for? */
enum dfs_identity {
	DFS_BASE_UNKNOWN,	/* of the right size */
	DFS_BASE_SETTLING,	/* somebody took it upon him to find out, or failed to */
	DFS_BASE_RIGHT,
	DFS_BASE_ALTERED,	/* no, but it is a pin, and nothing better is there */
};

/* An open base file, shared by all who read it. Immutable, but for its identity. */
struct dfs_base {
	int fd;
	uint64_t size;
	struct dfs_hash hash;	/* as the container asked for */
	uint64_t serial;	/* of this open, from 1; another file at the place is another open */
	_Atomic enum dfs_identity identity;
};

/* dfs_bases_new() - @store: may be NULL (only named files); borrowed. NULL: out of memory. */
struct dfs_bases *dfs_bases_new(struct dfs_store *store);
void dfs_bases_free(struct dfs_bases *bases); /* after the last put; NULL is fine */

/**
 * dfs_bases_add() - also look in @path: a .safetensors, a *.index.json, or a directory of shards
 *
 * Nothing is hashed. Two files of one size are told apart by hashing when
 * asked for. What a directory holds is looked up anew at each search.
 *
 * Return: 0; -ENOENT, -EACCES, ... if there is no such model now.
 * Threads: before the first get.
 */
int dfs_bases_add(struct dfs_bases *bases, const char *path, struct dfs_err *err);

/**
 * dfs_bases_shown_at() - the store is shown by this process, as file system @dev
 *
 * A place that leads there, to a container, is passed over from now on: its
 * bytes would come from the very threads that wait for them. Threads: any.
 */
void dfs_bases_shown_at(struct dfs_bases *bases, dev_t dev);

/**
 * dfs_bases_get() - the base file with @want's hash and size
 * @ret_base: dfs_base_put() it
 *
 * Waits for no hashing, but for one case: several files named by the user have
 * the size asked for.
 *
 * Return: 0; -EIO with a sentence that names the base by all that is known
 * (name, origin, model ID, size, hash) and says whether it is missing, of
 * another size, altered, or unreadable; -EMFILE, -ENFILE, -ENOMEM.
 * Threads: any.
 */
int dfs_bases_get(struct dfs_bases *bases, const struct dfs_base_file *want,
		  struct dfs_base **ret_base, struct dfs_err *err);
void dfs_base_put(struct dfs_bases *bases, struct dfs_base *base);
void dfs_base_hold(struct dfs_bases *bases, struct dfs_base *base); /* once more; put it once more */

/**
 * dfs_bases_look_again() - the next dfs_bases_get() for @want sees whether the file is still at its place
 *
 * For who could not read what he expected, before he tries once more: a pin
 * whose other name is written to has become a file of its own, and what is
 * open may be the one that is written to. Threads: any.
 */
void dfs_bases_look_again(struct dfs_bases *bases, const struct dfs_base_file *want);

/**
 * dfs_base_path() - the name by which it was opened, symlinks resolved
 * Return: an absolute path, or one relative to the store; free() it. NULL if it was opened by its pin.
 */
char *dfs_base_path(const struct dfs_base *base);

/**
 * dfs_base_claim() - is its identity unknown, and nobody else about to settle it?
 * True for one caller an open: it is for him to call dfs_bases_settle().
 */
static inline bool dfs_base_claim(struct dfs_base *base)
{
	enum dfs_identity unknown = DFS_BASE_UNKNOWN;

	return atomic_load_explicit(&base->identity, memory_order_relaxed) == DFS_BASE_UNKNOWN &&
	       atomic_compare_exchange_strong(&base->identity, &unknown, DFS_BASE_SETTLING);
}

/**
 * dfs_bases_settle() - hash what dfs_bases_get() would return, and remember it
 * @progress: called before each 256 KiB: waits if others should go first, or cancels
 *
 * For a background thread after a base was first used, or after a chunk over
 * it did not match its hash. Reads the whole base unless its hash is
 * remembered; leaves the page cache as it was. If it is another file than
 * @want says, the next get passes it over: it finds the base elsewhere, or
 * says "altered", or, if all there is is an altered pin, gives that.
 *
 * Return: 0: it is the right one; -EALREADY: known to be an altered pin
 * before; -ECANCELED; -EIO as dfs_bases_get(); errors of reading. Threads: any.
 */
int dfs_bases_settle(struct dfs_bases *bases, const struct dfs_base_file *want,
		     dfs_hash_progress_fn *progress, void *arg, struct dfs_err *err);

#endif
