/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ingest: a plain file of a store becomes a container, in place.
 *
 * WRITE: this runs the flow for one file: encode into a temporary file, sync
 * it, verify it from a fresh open, publish. Whatever goes wrong, or whoever
 * ends the process, before publish renames, the plain file is untouched; the
 * temporary is removed here or by the next holder of the store's lock.
 */
#ifndef DFS_WRITE_INGEST_H
#define DFS_WRITE_INGEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "read/reader.h"
#include "store/publish.h"
#include "store/registry.h"
#include "store/store.h"
#include "util/err.h"
#include "write/encode.h"
#include "write/keeper.h"
#include "write/reason.h"

/* What takes the place of a file, complete, and what it is. */
struct dfs_ingest_change {
	int old_fd, new_fd;
	struct stat old;
	bool plain;		/* the new one is a plain file */
	bool anew;		/* it has other bytes: see struct dfs_publish */
};

/* Who shows the store's files: see struct dfs_publish. */
struct dfs_ingest_watch {
	int (*enter)(void *arg, const struct dfs_ingest_change *change);
	void (*leave)(void *arg, const struct dfs_published *now);
	void *arg;
	const struct dfs_pin_watch *links;	/* around another name of the old file; may be NULL */
	struct dfs_keeper *keeper;		/* of the store's originals; may be NULL */
};

struct dfs_ingest_config {
	struct dfs_encode_config encode;
	struct dfs_reader *reader;		/* over the store's bases */
	const struct dfs_registry *registry;	/* of the store: what must stay plain */
	dfs_progress_fn *verify_progress;	/* may be NULL */
	void *verify_arg;
	const struct dfs_ingest_watch *watch;	/* may be NULL */
	struct dfs_keeper *keeper;		/* NULL: the watch's; there too: no original is kept */
	bool pin;			/* dfs_thaw(): the plain file is pinned before it is in place */
};

struct dfs_ingest_result {
	bool compressed;	/* false: it stays as it is, and why says why */
	struct dfs_err why;
	struct dfs_reason reason;	/* the same, of the list */
	bool lossy;			/* bits were given up: of what is compressed now, or dfs_thaw() made plain */
	enum dfs_reason_id why_exact;	/* see struct dfs_encode_result, */
	struct dfs_spared spared;	/* and this */
	uint64_t original_bytes;
	uint64_t stored_bytes;	/* of what is there now */
	uint64_t would_be_bytes;	/* what it was coded to in vain; 0: it was not tried */
	struct dfs_hash hash;	/* dfs_thaw(): of the plain file; zero if it was that already */
};

/**
 * dfs_ingest() - compress a file of the store
 * @store: its writer lock is held
 * @rel: path in the store
 *
 * Files that stay as they are, which is no failure: containers; bases and
 * whatever else has several names (pins not counted); what does not shrink,
 * unless its bytes would be taken for a container; what would give up bits, and
 * cannot be kept as its policy wants.
 * Return: 0; -ESTALE, -EBUSY: somebody writes to it; -ECANCELED; -ENOSPC, -EIO;
 * errors of the steps.
 */
int dfs_ingest(struct dfs_store *store, const char *rel, const struct dfs_ingest_config *config,
	       struct dfs_ingest_result *ret_result, struct dfs_err *err);

/**
 * dfs_ingest_ask() - would dfs_ingest() leave a file alone, whatever came of coding it?
 * @registry: of the store
 * @ret_reason: DFS_REASON_NONE: no
 * Return: 0; errors of opening it.
 */
int dfs_ingest_ask(struct dfs_store *store, const char *rel, const struct dfs_registry *registry,
		   struct dfs_reason *ret_reason, struct dfs_err *err);

/**
 * dfs_thaw() - make a container of the store plain again
 * As dfs_ingest(), the other way. Room is taken before anything is decoded: -ENOSPC.
 * Only config->reader, verify_progress, watch and pin count.
 */
int dfs_thaw(struct dfs_store *store, const char *rel, const struct dfs_ingest_config *config,
	     struct dfs_ingest_result *ret_result, struct dfs_err *err);

#endif
