/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader: what all open files of a process share: the decoded-chunk cache,
 * the decode threads, open shared tables, bases.
 *
 * READ: view -> segment -> chunk -> predict -> codec -> hash check -> cache.
 */
#ifndef DFS_READ_READER_H
#define DFS_READ_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/bases.h"
#include "store/store.h"
#include "util/log.h"

struct dfs_reader;

/* metadata_bytes of programs that look at one file and end: tables of delta-come are 1/34 of a model. */
#define DFS_METADATA_OF_TOOLS ((size_t)1 << 30)

struct dfs_reader_config {
	size_t cache_bytes;	/* decoded chunks, tables, buffers in flight; 0: the smaller of 256 MiB and 1/8 of the memory cgroup */
	size_t metadata_bytes;	/* of open files, besides; 0: part of cache_bytes */
	unsigned threads;	/* 0: one a CPU */
	bool idle;		/* they run when nobody else wants the CPU */
	size_t readahead_bytes;	/* decoded ahead of each cursor at most; 0: default */
	unsigned settle_after_ms;	/* bases of unknown content are hashed once nothing was read for so long; 0: only if in doubt */
	struct dfs_bases *bases;	/* borrowed; NULL: files coded against a base cannot be read */
	struct dfs_store *store;	/* borrowed; whose files are read, to tell who may read which base; NULL: everything may be */
	struct dfs_log *log;	/* borrowed; may be NULL */
};

/**
 * dfs_reader_new() - start the threads that decode
 * @config: copied; what it points at must outlive the reader
 * @ret_reader: dfs_reader_free() it
 *
 * A cache below 4 MiB is too small to work in, and is made that.
 * Return: 0; -ENOMEM; -EAGAIN: no more threads for this user or cgroup.
 */
int dfs_reader_new(const struct dfs_reader_config *config, struct dfs_reader **ret_reader, struct dfs_err *err);
void dfs_reader_free(struct dfs_reader *reader); /* after the last view is closed */

/* dfs_reader_shown_at() - what is read here is shown by this process as file system @dev: see dfs_bases_shown_at(); any thread */
void dfs_reader_shown_at(struct dfs_reader *reader, dev_t dev);

/* dfs_reader_note() - somebody reads from this store without a view: settling waits for him, too. Threads: any. */
void dfs_reader_note(struct dfs_reader *reader);

/**
 * dfs_reader_uses() - does a file that is open for reading need one of these base files?
 * Who has a container open goes on reading when it has no name any more. Threads: any.
 */
bool dfs_reader_uses(struct dfs_reader *reader, const struct dfs_hash *hashes, size_t n);

/* dfs_reader_metadata_most() - bytes of memory that the metadata of one file may take: of a file with more, none is read */
size_t dfs_reader_metadata_most(const struct dfs_reader *reader);

struct dfs_reader_stats {
	uint64_t chunks_decoded, chunks_hit, bytes_decoded, bytes_delivered, failures;
	size_t cache_bytes_now, cache_bytes_peak;
};
void dfs_reader_stats(struct dfs_reader *reader, struct dfs_reader_stats *ret_stats);

#endif
