/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress: see progress.h. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl.h"
#include "text.h"

#define REDRAW_S 0.1

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
	clock_gettime(CLOCK_MONOTONIC, &progress->start);
	progress->last = progress->start;
}

static int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

static void draw(struct ctl_progress *p, uint64_t done, uint64_t total)
{
	double spent = seconds_since(p->start), rate = spent > 0 ? (double)done / spent : 0;
	double left = rate > 0 ? (double)(total - done) / rate : 0;
	int width = terminal_width(), bar, full;
	char name[32], speed[CTL_BYTES_LEN], line[256];

	snprintf(name, sizeof(name), "%.24s", p->name);
	ctl_bytes(speed, (uint64_t)rate);
	bar = width - 60;
	bar = bar < 0 ? 0 : bar > 40 ? 40 : bar;
	full = total ? (int)((double)done / (double)total * bar) : bar;
	snprintf(line, sizeof(line), "%s %s %3.0f%% [%.*s%.*s] %s/s, %d:%02d left",
		 p->verb, name, total ? 100.0 * (double)done / (double)total : 100.0,
		 full, "########################################",
		 bar - full, "                                        ",
		 speed, (int)left / 60, (int)left % 60);
	fprintf(stderr, "\r%.*s\033[K", width - 1, line);
	fflush(stderr);
	p->shown = true;
}

bool ctl_progress_tell(void *arg, uint64_t done, uint64_t total)
{
	struct ctl_progress *p = arg;

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
