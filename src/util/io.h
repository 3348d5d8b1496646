/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io: whole reads and writes. Interrupted and short calls are continued; a
 * read that ends before @len because the file does is -EIO, never zeros.
 */
#ifndef DFS_UTIL_IO_H
#define DFS_UTIL_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* dfs_pread_all() - exactly @len bytes. Return: 0; -EIO if the file ends first; -errno. */
int dfs_pread_all(int fd, void *buf, size_t len, uint64_t off);

/* dfs_pread_some() - up to @len bytes, less only at end of file. Return: bytes or -errno. */
ssize_t dfs_pread_some(int fd, void *buf, size_t len, uint64_t off);

/* dfs_pwrite_all() - exactly @len bytes. Return: 0 or -errno. */
int dfs_pwrite_all(int fd, const void *buf, size_t len, uint64_t off);

/* dfs_write_all() - the same at the descriptor's own position (pipes too). */
int dfs_write_all(int fd, const void *buf, size_t len);

#endif
