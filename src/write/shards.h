/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shards: a model of several files waits until all of them are there.
 *
 * WRITE: rest -> this -> choose base. "NAME-00001-of-00003.safetensors" is one
 * of three in its directory. Coded with its sisters it may become a base with
 * them, or find a base that suits them all; so none is coded while another is
 * missing, is being written, or is an unfinished download. The index does not
 * count: who copies shards without it has a model all the same.
 */
#ifndef DFS_WRITE_SHARDS_H
#define DFS_WRITE_SHARDS_H

#include "store/store.h"
#include "write/ledger.h"
#include "write/queue.h"

/*
 * Times that one is put off: 5 s, 10 s, ... (dfs_reason_again_ms()), so after
 * ten minutes and a half it goes without its sisters. Less: a slow download
 * has its shards coded one by one; more: a shard that somebody keeps alone
 * stays large.
 */
#define DFS_SHARDS_TRIES 7

/**
 * dfs_shards_check() - which sisters of a file are not complete?
 * @ledger: may be NULL
 * @ret_why: which, if any
 *
 * If none, those that wait for others have their turn at once. Looks at names
 * and attributes, and reads nothing.
 * Return: 0: none; -EAGAIN: some, see @ret_why; -ENOMEM.
 */
int dfs_shards_check(const struct dfs_store *store, struct dfs_queue *queue, struct dfs_ledger *ledger,
		     const char *rel, struct dfs_reason *ret_why);

#endif
