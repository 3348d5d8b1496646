/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progress: a bar with rate and time left, on a terminal only.
 */
#ifndef DELTAFSCTL_PROGRESS_H
#define DELTAFSCTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct ctl_progress {
	const char *verb;	/* "encoding" */
	const char *name;	/* of the file */
	bool counts;		/* it counts something else than bytes: no rate is told */
	bool terminal;		/* stderr is one */
	bool begun;		/* something has been told */
	bool shown;		/* there is a bar to wipe away */
	uint64_t done;		/* as last told */
	struct timespec start, last;
};

/* ctl_progress_start() - for one file; both strings are borrowed */
void ctl_progress_start(struct ctl_progress *progress, const char *verb, const char *name);

/* ctl_progress_tell() - a dfs_progress_fn with a struct ctl_progress; less done than before: a new step begins. Return: false once the user wants to stop. */
bool ctl_progress_tell(void *progress, uint64_t done, uint64_t total);

/* ctl_progress_end() - wipe the bar away */
void ctl_progress_end(struct ctl_progress *progress);

#endif
