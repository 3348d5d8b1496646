/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seen: what the tensors of a file are like beside their base, looked at once
 * for all codecs that are tried on it.
 */
#ifndef DFS_WRITE_SEEN_H
#define DFS_WRITE_SEEN_H

#include "write/expect.h"

struct dfs_seen_tensor {
	bool looked;		/* else nothing below holds */
	bool differs;		/* from the base's */
	bool finite;		/* and so small that a codec can take it */
	uint64_t exact;		/* bytes of a container that it takes exactly, about */
};

struct dfs_seen {
	const struct dfs_header *header;
	struct dfs_seen_tensor *of;	/* header->n_tensors */
	uint64_t budget;		/* bytes that may still be read of tensors as wholes */
};

/* So much is read whole: a fraction of a second. One value that is no number makes a tensor exact. */
#define DFS_SEEN_BUDGET (256ull << 20)

/* dfs_seen_init() - @budget: of tensors beyond it only places are looked at. Return: 0; -ENOMEM. */
int dfs_seen_init(struct dfs_seen *seen, const struct dfs_header *header, uint64_t budget, struct dfs_err *err);
void dfs_seen_release(struct dfs_seen *seen);

/**
 * dfs_seen_look() - at a segment that a codec would give up bits of, unless that is done
 * @w: of the same header
 * Return: 0; -EIO, -ENOMEM.
 */
int dfs_seen_look(struct dfs_seen *seen, struct dfs_work *w, uint32_t segment, struct dfs_hand *hand,
		  const struct dfs_seen_tensor **ret_tensor, struct dfs_err *err);

#endif
