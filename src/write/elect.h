/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elect: a container that was coded alone becomes the base of its family.
 *
 * WRITE: choose base (none) -> this -> encode. The first fine-tune of a family
 * comes when there is no base for it, and is coded alone. When a second comes,
 * the first is made plain again, pinned and registered, in place and unseen,
 * if by a sample what the second saves over it is more than what the first
 * loses. Other members of the family that were coded alone count with the
 * second: they are queued to be coded anew.
 */
#ifndef DFS_WRITE_ELECT_H
#define DFS_WRITE_ELECT_H

#include "store/store.h"
#include "util/log.h"
#include "write/ingest.h"
#include "write/queue.h"
#include "write/solos.h"
#include "write/work.h"

/* All borrowed. */
struct dfs_elect_config {
	struct dfs_store *store;	/* its writer lock is held */
	struct dfs_solos *solos;
	struct dfs_reader *reader;
	struct dfs_queue *queue;	/* who becomes plain is looked at again should this end half-way; may be NULL */
	struct dfs_log *log;
	const struct dfs_ingest_watch *watch;	/* may be NULL */
	struct dfs_hand *hand;
	dfs_progress_fn *progress;	/* may be NULL */
	void *progress_arg;
};

/**
 * dfs_elect() - find a sister of a file and make it its base
 * @rel: the file's path in the store
 * @input: the file; its base is ignored
 * @alone: bytes that it would take alone
 * @ret_id: the base
 *
 * A sister that is open for writing, that the file's owner may not read, that a
 * policy keeps as it is, that has no room as a plain file, or cannot be read at all is passed over: alone
 * the file takes less than waiting for one. Return: 1: there is a base; 0: none
 * that pays; -ECANCELED, -ENOMEM; errors of reading the store.
 */
int dfs_elect(const struct dfs_elect_config *config, const char *rel, const struct dfs_work_input *input,
	      uint64_t alone, struct dfs_hash *ret_id, struct dfs_err *err);

/**
 * dfs_elect_shards() - the files of the model that @rel is one of
 * "DIR/NAME-00001-of-00003.safetensors" is one of three; any other name stands for itself.
 * @ret_rels: in order; dfs_paths_release() it
 * Return: 0; -ENOMEM.
 */
int dfs_elect_shards(const char *rel, struct dfs_paths *ret_rels);

#endif
