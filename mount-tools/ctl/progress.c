/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress: see progress.h. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl.h"
#include "text.h"
#include "util/log.h"

#define REDRAW_S 0.1
#define NAME_COLUMNS 24
/* A hundred hours: more is a guess from too little. */
#define MOST_SECONDS 360000.0

static double seconds_since(struct timespec from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from.tv_sec) + (double)(now.tv_nsec - from.tv_nsec) * 1e-9;
}

void ctl_progress_start(struct ctl_progress *progress, const char *verb, const char *name)
{
	const char *slash = strrchr(name, '/');

	*progress = (struct ctl_progress){
		.verb = verb, .name = slash && slash[1] ? slash + 1 : name,
		.terminal = isatty(STDERR_FILENO) == 1,
	};
}

/* Columns; a terminal that does not say is taken for one of 80. */
static int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col ? 80 : size.ws_col;
}

/* Cut @text to @room bytes, between characters: then it is no wider than so many columns. */
static void cut(char *text, size_t room)
{
	if (strlen(text) <= room)
		return;
	while (room && ((unsigned char)text[room] & 0xc0) == 0x80)
		room--;
	text[room] = '\0';
}

/* "1:05", or nothing to be believed yet. */
static void time_left(char text[16], double rate, uint64_t bytes)
{
	double seconds = rate > 0 ? (double)bytes / rate : MOST_SECONDS;

	if (seconds < MOST_SECONDS)
		snprintf(text, 16, "%d:%02d", (int)seconds / 60, (int)seconds % 60);
	else
		snprintf(text, 16, "?");
}

static void draw(struct ctl_progress *p, uint64_t done, uint64_t total)
{
	double spent = seconds_since(p->start), rate = spent > 0 ? (double)done / spent : 0;
	double share = total ? (double)done / (double)total : 1;
	int width = terminal_width(), bar, full;
	char name[128], speed[CTL_BYTES_LEN], left[16], line[512];

	/* A file's name is anybody's: it must not steer the terminal. */
	dfs_log_escape(p->name, name, sizeof(name));
	cut(name, NAME_COLUMNS);
	ctl_bytes(speed, (uint64_t)rate);
	time_left(left, rate, total - done);
	bar = width - 60;
	bar = bar < 0 ? 0 : bar > 40 ? 40 : bar;
	full = (int)(share * bar);
	snprintf(line, sizeof(line), "%s %s %3d%% [%.*s%.*s] %s%s%s left", p->verb, name, (int)(100 * share),
		 full, "########################################",
		 bar - full, "                                        ",
		 p->counts ? "" : speed, p->counts ? "" : "/s, ", left);
	/* In the last column some terminals go on to the next line. */
	cut(line, (size_t)(width - 1));
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	p->shown = true;
}

bool ctl_progress_tell(void *arg, uint64_t done, uint64_t total)
{
	struct ctl_progress *p = arg;

	if (!p->begun || done < p->done) {
		clock_gettime(CLOCK_MONOTONIC, &p->start);
		p->last = p->start;
		p->begun = true;
	}
	p->done = done;
	/* What is over within a second needs no bar. */
	if (p->terminal && seconds_since(p->start) > 1 && seconds_since(p->last) > REDRAW_S) {
		draw(p, done < total ? done : total, total);
		clock_gettime(CLOCK_MONOTONIC, &p->last);
	}
	return !ctl_interrupted();
}

void ctl_progress_end(struct ctl_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
