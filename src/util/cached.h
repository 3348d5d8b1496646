/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cached: is a piece of a file in the kernel's page cache?
 */
#ifndef DFS_UTIL_CACHED_H
#define DFS_UTIL_CACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * dfs_cached() - is any page of [off, off + len) in the page cache?
 * @off: a multiple of the page size
 * @len: at most 1 MiB
 *
 * Reads nothing and waits for nothing. Return: true also where the kernel does
 * not tell (a file that this process may not write).
 */
bool dfs_cached(int fd, uint64_t off, size_t len);

#endif
