/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify: a container, through the READ flow that a mount will use.
 *
 * WRITE: encode -> this -> publish.
 */
#ifndef DFS_WRITE_VERIFY_H
#define DFS_WRITE_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "format/container.h"
#include "read/reader.h"
#include "util/err.h"
#include "write/encode.h"

struct dfs_verify_config {
	struct dfs_reader *reader;	/* borrowed; not needed by dfs_verify_fast() */
	dfs_progress_fn *progress;	/* may be NULL */
	void *progress_arg;
	bool inside;			/* leave out what lies around metadata and payloads: it was looked at */
	/* damaged() - told of each damaged place, in file order; may be NULL */
	void (*damaged)(void *arg, const struct dfs_err *what);
	void *damaged_arg;
};

/**
 * dfs_verify_same() - does a container give a plain file back
 * @fd: the container, freshly opened: nothing of what the encoder held
 * @name: for sentences
 * @plain_fd: what it was made from
 *
 * Also checks the hash of the whole file that the container holds, and both
 * superblocks. Of a lossy container, the chunks of exact codecs are compared
 * with the plain file; the others by that hash, which the encoder took of what
 * it made itself. And the plain file must be the one that it was made from.
 * Return: 0; -EUCLEAN: another content, or a superblock is damaged; -ECANCELED; errors of dfs_view_open()
 * and dfs_view_read().
 */
int dfs_verify_same(int fd, const char *name, int plain_fd, const struct dfs_verify_config *config,
		    struct dfs_err *err);

/**
 * dfs_verify_superblocks() - the one at the head and the one at the tail
 * @sb: as it was read from either
 * Readers do with one; so damage to the other shows here only.
 * Return: how many are damaged; each was told to config->damaged.
 */
unsigned dfs_verify_superblocks(int fd, const char *name, const struct dfs_superblock *sb,
				const struct dfs_verify_config *config);

/**
 * dfs_verify_full() - decode all of a container and compare with its hashes
 * Both superblocks too.
 * Goes on after damage, which is told to config->damaged.
 * Return: 0; -EUCLEAN with a sentence that counts; -ECANCELED; errors of dfs_view_open().
 */
int dfs_verify_full(int fd, const char *name, const struct dfs_verify_config *config,
		    struct dfs_err *err);

/**
 * dfs_verify_fast() - both superblocks, metadata and payload hashes, at the speed of the disk
 * Needs no base. Return: as dfs_verify_full(); -ENOTSUP: a newer format.
 */
int dfs_verify_fast(int fd, const char *name, const struct dfs_verify_config *config,
		    struct dfs_err *err);

#endif
