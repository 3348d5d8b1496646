/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * messages: what libfuse has to say, in our log and in our sentences.
 *
 * Else it would write to standard error, which is /dev/null in a daemon. Its
 * hook is one for the process and has no argument of ours: hence the one
 * variable of this program that is not handed down. It is set before the first
 * thread that calls libfuse, and not changed while there are any.
 *
 * A few failures of read(2) and writev(2) on its device libfuse tells by
 * perror(3); no hook sees those.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fuse/internal.h"

static struct {
	struct dfs_log *log;
	struct dfs_err *caught;		/* not NULL: the first goes here, and nothing to the log */
} messages;

static const struct {
	enum fuse_log_level theirs;
	enum dfs_log_level ours;
} levels[] = {
	{ FUSE_LOG_ERR, DFS_LOG_ERROR },
	{ FUSE_LOG_WARNING, DFS_LOG_WARNING },
	{ FUSE_LOG_NOTICE, DFS_LOG_NOTICE },
	{ FUSE_LOG_INFO, DFS_LOG_INFO },
};
#define N_LEVELS (sizeof(levels) / sizeof(levels[0]))

/* Smaller is more urgent. */
static enum dfs_log_level level_of(enum fuse_log_level theirs)
{
	for (size_t i = 0; i < N_LEVELS; i++)
		if (theirs <= levels[i].theirs)
			return levels[i].ours;
	return DFS_LOG_DEBUG;
}

static void on_message(enum fuse_log_level level, const char *fmt, va_list args)
{
	char text[512];

	/* Option -d: every request, in pieces of lines, more than a log takes. It implies -f. */
	if (level == FUSE_LOG_DEBUG) {
		vfprintf(stderr, fmt, args);
		return;
	}
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	if (!messages.caught)
		dfs_log_line(messages.log, level_of(level), "%s", text);
	else if (!*messages.caught->text)
		dfs_fail(messages.caught, EIO, "%s", strncmp(text, "fuse: ", 6) ? text : text + 6);
}

void dfs_messages_to(struct dfs_log *log)
{
	messages.log = log;
	fuse_set_log_func(log ? on_message : NULL);
}

void dfs_messages_catch(struct dfs_err *caught)
{
	messages.caught = caught;
}
