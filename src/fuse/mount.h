/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mount: a store, shown at a mountpoint, until somebody ends it.
 *
 * Calling sequence: dfs_mount_new() mounts; dfs_mount_run() serves; then
 * dfs_mount_free(), before the reader and the store it was given.
 *
 * This folder is the only one that knows libfuse. It translates and decides
 * nothing: which bytes a file has is src/read's to say, which files there are
 * the store's.
 */
#ifndef DFS_FUSE_MOUNT_H
#define DFS_FUSE_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "read/reader.h"
#include "store/store.h"
#include "util/log.h"
#include "write/ingest.h"
#include "write/ledger.h"
#include "write/permit.h"
#include "write/queue.h"
#include "write/survey.h"
#include "write/turn.h"

struct dfs_mount;

struct dfs_mount_config {
	const char *mountpoint;		/* absolute, without symlinks */
	const char *options;		/* of mount(8), comma-separated, e.g. "nosuid,noexec"; "" */
	struct dfs_store *store;	/* borrowed, as all below */
	struct dfs_reader *reader;
	struct dfs_log *log;
	struct dfs_queue *queue;	/* told of what is written; NULL: nothing is compressed */
	struct dfs_ledger *ledger;	/* what became of it, to be shown; may be NULL */
	struct dfs_permit_mount permit;	/* what is compressed is coded with that, where no policy says otherwise */
	struct dfs_survey *survey;	/* told of policies that change; NULL if the queue is */
	struct dfs_keeper *keeper;	/* of the store's originals; NULL if read-only */
	struct dfs_turn *turn;		/* of who compresses; for bases that are added or removed; NULL if read-only */
	size_t readahead_bytes;		/* of the kernel, for this mount; set where allowed */
	bool read_only;			/* else the caller holds the store's writer lock */
	bool nowriteback;		/* each write goes to the store at once */
	bool allow_other;
	bool blocks_logical;		/* st_blocks is the size shown, not what is stored */
	bool single_thread;
	bool debug;			/* every request to stderr */
	void (*ready)(void *arg);	/* the mount answers; called once, from a thread of its own; may be NULL */
	void *ready_arg;
};

/**
 * dfs_mount_new() - mount
 *
 * Return: 0; -ENOMEM; -EIO with what the kernel or fusermount3 said.
 * Threads: before any other thread of the process needs signals.
 */
int dfs_mount_new(const struct dfs_mount_config *config, struct dfs_mount **ret_mount, struct dfs_err *err);

/**
 * dfs_mount_run() - serve until unmounted, or SIGTERM, SIGINT or SIGHUP
 *
 * Unmounts at the end, also where files are open; what somebody else has
 * mounted there meanwhile stays. Return: 0; -EIO; -EBUSY: unmounted, but reads
 * hang in a disk or a base and may still use all that the mount was given:
 * nothing may be freed, the process can only _exit(2).
 */
int dfs_mount_run(struct dfs_mount *mount, struct dfs_err *err);

/* dfs_mount_free() - NULL is fine; SIGTERM, SIGINT and SIGHUP stay blocked in this thread, which only cleans up now */
void dfs_mount_free(struct dfs_mount *mount);

/* dfs_mount_watch() - for who compresses files of the store: from one thread, until dfs_mount_free() */
struct dfs_ingest_watch dfs_mount_watch(struct dfs_mount *mount);

/* dfs_mount_versions() - libfuse's version, for -V */
const char *dfs_mount_library_version(void);

#endif
