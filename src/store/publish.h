/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish: a finished temporary file takes the place of a file of the store.
 *
 *	temporary (0600, in .deltafs/tmp), complete
 *	-> mark, xattrs, owner, ACLs, mode, times as the old file's
 *	-> fsync(temporary)
 *	-> is the old file still the one that was read?
 *	-> rename over it -> fsync(its directory)
 *
 * Up to the rename nothing of the store has changed, from it on all has: a
 * crash leaves the old file or the new one, whole. Until the owner is set the
 * mode grants nothing beyond the owner's own bits. The directory's mtime is put
 * back, as far as this process may: for a user, nothing happened in it. With
 * other bytes (anew) something has: it is as if somebody had saved the file.
 */
#ifndef DFS_STORE_PUBLISH_H
#define DFS_STORE_PUBLISH_H

#include <sys/stat.h>

#include "format/container.h"
#include "store/store.h"

/* What a rename has left. */
struct dfs_published {
	struct stat file;		/* what is in place now */
	struct stat dir_before, dir;	/* its directory */
};

struct dfs_publish {
	const char *tmp_name;		/* from dfs_store_tmp() */
	int tmp_fd;
	const char *target;		/* relative to the store; exists */
	int old_fd;			/* the file that is replaced, open for reading only */
	struct stat expect;		/* fstat(old_fd) from before it was read */
	const struct dfs_superblock *sb;	/* of the container; NULL: the new file is plain */
	bool old_is_still;		/* nobody writes to the old one, though who made it may have it open for that */
	bool as_is;			/* the temporary has attributes and times of its own, which stay */
	bool anew;			/* other bytes than the old one's: times are now, in its directory too */
	bool keep;			/* the temporary stays if it fails: it is the caller's then */
	/*
	 * May be NULL. Around the lease, the last look at the old file and the
	 * rename, and nothing else: enter() keeps others from changing the file, or ends it
	 * with its -errno; leave() follows whatever came of it, with the new
	 * file's attributes, or NULL if the old one is in place.
	 */
	int (*enter)(void *arg);
	void (*leave)(void *arg, const struct dfs_published *now);
	void *arg;
};

/**
 * dfs_publish() - put it in place
 *
 * The temporary file is gone afterwards, whatever came of it, unless it is to
 * be kept. Nothing is tried
 * twice, an fsync least of all. If somebody has the old file open for writing
 * it is refused; where the kernel grants a lease, nobody can open it for
 * writing between the check and the rename.
 *
 * Return: 0; -ESTALE: the target is no longer the file that was read;
 * -EBUSY: somebody has it open for writing; -EPERM: its owner or an attribute
 * cannot be kept by this process; -EXDEV: the target's directory is another
 * file system than .deltafs; -EIO, -ENOSPC, ...
 * After -EIO of the last fsync alone the new file is in place, but a power cut
 * might bring the old one back: the sentence says so.
 */
int dfs_publish(struct dfs_store *store, const struct dfs_publish *publish, struct dfs_err *err);

/**
 * dfs_attributes_copy() - give @to what @from has: xattrs, owner, ACLs, mode, times
 * @from, @to: open regular files; @to is writable by its owner alone so far
 * @st: of @from
 *
 * deltafs's own marks are left out. Return: 0; -EPERM with a sentence; errors
 * of the calls.
 */
int dfs_attributes_copy(int from, const struct stat *st, int to, struct dfs_err *err);

/**
 * dfs_attributes_offer() - the same for a copy elsewhere, as far as this process may
 *
 * Where the owner cannot be kept, mode and times are, but no set-id bits, and
 * the copy is never open to anybody to whom the file is not.
 */
void dfs_attributes_offer(int from, const struct stat *st, int to);

#endif
