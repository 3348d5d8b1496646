/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plain_mark: bytes that a user writes are never taken for a container.
 *
 * A file tells by its first bytes what it is (claim.h). What is written
 * through a mount could begin like a container: before such a write, the file
 * gets an attribute, "trusted.deltafs.plain" or "user.deltafs.plain" of length
 * 0, durably. As long as it has that it is plain, whatever it holds. At rest a
 * file that only this keeps from being taken for a container becomes one that
 * shows it, since attributes get lost in backups.
 */
#ifndef DFS_STORE_PLAIN_MARK_H
#define DFS_STORE_PLAIN_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes at the beginning of a file that tell what it is. */
#define DFS_PLAIN_MARK_RANGE 16

/**
 * dfs_plain_mark_guard() - before @len bytes are written to @fd at @off
 * @fd: of a plain file, open for reading and writing
 *
 * Costs a comparison unless the first bytes are written to; a read of them if
 * a part of them is; a synced attribute if they would claim, or would once the
 * file grows, has a hole, or somebody who writes just now is through.
 * Return: 0; -EOPNOTSUPP: they would claim, and the file system has no attributes: must not be written; errors of I/O.
 */
int dfs_plain_mark_guard(int fd, const void *buf, size_t len, uint64_t off);

/* dfs_plain_mark_wanted() - would that set the attribute? It waits for the disk then. Return: 1; 0; errors of I/O. */
int dfs_plain_mark_wanted(int fd, const void *buf, size_t len, uint64_t off);

/* dfs_plain_mark_has() - is @fd's file marked plain? */
bool dfs_plain_mark_has(int fd);

/* dfs_plain_mark_guard_all() - before the file itself, complete, takes its place. Return: as dfs_plain_mark_guard(). */
int dfs_plain_mark_guard_all(int fd);

/* dfs_plain_mark_keeps() - would @fd's file be taken for a container without the mark that it has? Return: 1; 0; errors of I/O. */
int dfs_plain_mark_keeps(int fd);

/* dfs_is_plain_mark() - is @name the attribute, under either of its names? */
bool dfs_is_plain_mark(const char *name);

#endif
