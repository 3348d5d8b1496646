/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * describe: what a user may want to know of a file without reading it.
 */
#ifndef DFS_READ_DESCRIBE_H
#define DFS_READ_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include "read/view.h"

struct dfs_description {
	const char *state;	/* "plain", "container", "newer" (of a later version), "broken" */
	char codec[128];	/* names of the codecs used, most bytes first, with commas; "" if plain */
	bool exact;		/* reading gives the bytes that were written */
	char base[512];		/* names of the base files, or their hashes, with commas; "" if there are none */
	char base_id[DFS_HASH_HEX];	/* of the first one's model; "" if there is none */
	uint64_t stored_bytes;	/* on disk, as the file's length */
	uint64_t shown_bytes;
	char reason[512];	/* why it is plain, or cannot be opened; "" for a container */
	const char *reason_word;	/* of who knows why it is plain (write/reason.h); NULL: nobody does */
};

/**
 * dfs_file_describe() - look at an open regular file of the store
 * @reader: whose memory its metadata takes meanwhile
 *
 * Reads its metadata, decodes nothing. Return: 0; -EIO, -ENOMEM.
 */
int dfs_file_describe(struct dfs_reader *reader, int fd, struct dfs_description *ret_description);

#endif
