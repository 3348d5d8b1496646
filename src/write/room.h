/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * room: is there enough for what is done unasked, on the store's disk and in memory?
 *
 * It stops before the disk is full, or the memory cgroup: users need the rest more.
 */
#ifndef DFS_WRITE_ROOM_H
#define DFS_WRITE_ROOM_H

#include <stdint.h>

#include "store/store.h"

/* dfs_room_kept() - bytes that are left to users of a disk of @total bytes: 2 % or 1 GiB, whichever is less */
uint64_t dfs_room_kept(uint64_t total);

/**
 * dfs_room_check() - are @bytes free, besides those that are kept?
 * @ret_needs: how many must be free for that
 * Return: 0, also if it cannot be told; -ENOSPC.
 */
int dfs_room_check(const struct dfs_store *store, uint64_t bytes, uint64_t *ret_needs);

/* dfs_room_memory() - how much this process may hold while it encodes: three quarters of what dfs_memory_limit() says */
uint64_t dfs_room_memory(void);

/**
 * dfs_room_memory_check() - is there memory for encoding a file?
 * @most: of dfs_room_memory()
 * @threads: that encode; 0: one a CPU
 * Return: 0, also if it cannot be told; -ENOMEM.
 */
int dfs_room_memory_check(uint64_t most, unsigned threads);

#endif
