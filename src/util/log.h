/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: one line an event, to syslog, stderr or a file, at most a few hundred
 * lines a minute (what was left out is counted in a line of its own).
 */
#ifndef DFS_UTIL_LOG_H
#define DFS_UTIL_LOG_H

#include <stddef.h>
#include <stdint.h>

struct dfs_log;

enum dfs_log_level { DFS_LOG_ERROR, DFS_LOG_WARNING, DFS_LOG_NOTICE, DFS_LOG_INFO, DFS_LOG_DEBUG };
enum dfs_log_sink { DFS_LOG_TO_STDERR, DFS_LOG_TO_SYSLOG, DFS_LOG_TO_FILE };

/**
 * dfs_log_new() - a log
 * @path: for DFS_LOG_TO_FILE; opened for append, 0600
 * @level: lines above it are dropped
 *
 * Return: NULL with errno set if the file cannot be opened or memory is out.
 */
struct dfs_log *dfs_log_new(enum dfs_log_sink sink, const char *path, enum dfs_log_level level);
void dfs_log_free(struct dfs_log *log);

/* dfs_log_line() - any thread; @log may be NULL (dropped). Control characters are shown as \xNN. */
void dfs_log_line(struct dfs_log *log, enum dfs_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * dfs_log_escape() - @text as one line that does nothing to a terminal
 * @out: control characters and bytes that are no UTF-8 become \xNN; cut to fit
 * @room: bytes at @out; 4 * strlen(text) + 6 are always enough
 */
void dfs_log_escape(const char *text, char *out, size_t room);

#endif
