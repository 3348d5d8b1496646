/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: one line an event, at most LINES_A_MINUTE of them.
 *
 * The lock guards only the counting; writing is outside, so a sink that
 * stalls (a full pipe) holds up who logs and nobody else.
 */
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "util/io.h"

/*
 * A disk that fails page by page gives one event a chunk: enough lines to
 * see which files are concerned, too few to fill /var/log overnight (600
 * lines of 200 bytes are 170 MB a day).
 */
#define LINES_A_MINUTE 600
#define WINDOW_S 60
#define LINE_MAX_BYTES 2048

struct dfs_log {
	enum dfs_log_sink sink;
	enum dfs_log_level level;
	int fd;			/* of DFS_LOG_TO_FILE, else -1 */
	pthread_mutex_t lock;
	time_t window;		/* when this minute began, CLOCK_MONOTONIC seconds; under lock */
	unsigned lines;		/* in this minute; under lock */
	unsigned long left_out;	/* since the last line that told; under lock */
};

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[DFS_LOG_ERROR] = { "error", LOG_ERR },
	[DFS_LOG_WARNING] = { "warning", LOG_WARNING },
	[DFS_LOG_NOTICE] = { "notice", LOG_NOTICE },
	[DFS_LOG_INFO] = { "info", LOG_INFO },
	[DFS_LOG_DEBUG] = { "debug", LOG_DEBUG },
};

struct dfs_log *dfs_log_new(enum dfs_log_sink sink, const char *path, enum dfs_log_level level)
{
	struct dfs_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->sink = sink;
	log->level = level;
	log->fd = -1;
	if (sink == DFS_LOG_TO_FILE) {
		log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
		if (log->fd < 0) {
			free(log);
			return NULL;
		}
	}
	if (sink == DFS_LOG_TO_SYSLOG)
		openlog("deltafs", LOG_PID, LOG_DAEMON);
	pthread_mutex_init(&log->lock, NULL);
	return log;
}

/* How many bytes of UTF-8 at @s show as one harmless character; 0 if they do not. */
static size_t printable(const unsigned char *s)
{
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (s[0] >= 0x20 && s[0] < 0x7f)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || (s[0] == 0xc2 && s[1] < 0xa0))
		return 0; /* C0, DEL, stray bytes; C2 80 .. C2 9F are terminal controls too */
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

void dfs_log_escape(const char *text, char *out, size_t room)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0;

	while (*s && used + 5 < room) {
		size_t n = printable(s);

		if (n) {
			memcpy(out + used, s, n);
		} else {
			n = 1;
			used += (size_t)snprintf(out + used, room - used, "\\x%02x", *s) - 1;
		}
		used += n;
		s += n;
	}
	out[used] = '\0';
}

static void emit(const struct dfs_log *log, enum dfs_log_level level, const char *text)
{
	char line[LINE_MAX_BYTES + 64], when[32] = "";
	time_t now = time(NULL);
	struct tm utc;
	int n;

	if (log->sink == DFS_LOG_TO_SYSLOG) {
		syslog(levels[level].priority, "%s", text);
		return;
	}
	if (log->sink == DFS_LOG_TO_FILE && gmtime_r(&now, &utc))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ ", &utc);
	n = snprintf(line, sizeof(line), "%sdeltafs: %s: %s\n", when, levels[level].name, text);
	/* A log that cannot be written has nowhere to complain. */
	(void)dfs_write_all(log->fd < 0 ? STDERR_FILENO : log->fd, line, (size_t)n);
}

/* Counts a line. Return: whether it may be written; @ret_left_out: lines to confess first. */
static bool admit(struct dfs_log *log, unsigned long *ret_left_out)
{
	struct timespec now = { 0 };
	bool may;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*ret_left_out = 0;
	pthread_mutex_lock(&log->lock);
	if (now.tv_sec - log->window >= WINDOW_S || !log->lines) {
		log->window = now.tv_sec;
		log->lines = 0;
	}
	may = log->lines < LINES_A_MINUTE;
	if (may) {
		log->lines++;
		*ret_left_out = log->left_out;
		log->left_out = 0;
	} else {
		log->left_out++;
	}
	pthread_mutex_unlock(&log->lock);
	return may;
}

static void confess(const struct dfs_log *log, unsigned long left_out)
{
	char text[64];

	if (!left_out)
		return;
	snprintf(text, sizeof(text), "%lu lines left out", left_out);
	emit(log, DFS_LOG_WARNING, text);
}

void dfs_log_line(struct dfs_log *log, enum dfs_log_level level, const char *fmt, ...)
{
	char raw[LINE_MAX_BYTES], text[LINE_MAX_BYTES];
	unsigned long left_out;
	va_list args;
	int saved = errno;

	if (!log || level > log->level || !admit(log, &left_out))
		return;
	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	dfs_log_escape(raw, text, sizeof(text));
	confess(log, left_out);
	emit(log, level, text);
	errno = saved;
}

void dfs_log_free(struct dfs_log *log)
{
	if (!log)
		return;
	confess(log, log->left_out);
	if (log->sink == DFS_LOG_TO_SYSLOG)
		closelog();
	if (log->fd >= 0)
		close(log->fd);
	pthread_mutex_destroy(&log->lock);
	free(log);
}
