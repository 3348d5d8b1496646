/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limit: how much memory this process may use, and does, as far as it can be told.
 */
#ifndef DFS_READ_LIMIT_H
#define DFS_READ_LIMIT_H

#include <stdint.h>

/**
 * dfs_memory_limit() - the least of the machine's memory and the limits of
 * this process's memory cgroup (version 1 or 2) and of all above it
 *
 * Return: bytes.
 */
uint64_t dfs_memory_limit(void);

/**
 * dfs_memory_limit_in() - the same from other files, for tests
 * @groups: like /proc/self/cgroup
 * @mount: where cgroups are mounted, like /sys/fs/cgroup
 *
 * Return: bytes; UINT64_MAX if there is no limit.
 */
uint64_t dfs_memory_limit_in(const char *groups, const char *mount);

/* dfs_memory_held() - bytes that this process has to itself, without what it maps of files; 0 if that cannot be told */
uint64_t dfs_memory_held(void);

#endif
