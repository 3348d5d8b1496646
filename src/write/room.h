/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * room: may something be written to the store, or is its disk too full?
 *
 * What is done unasked stops before the disk is full: users need the rest more.
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

#endif
