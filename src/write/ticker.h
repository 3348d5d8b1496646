/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ticker: when it is time again to tell of progress, and to hear of a cancel.
 */
#ifndef DFS_WRITE_TICKER_H
#define DFS_WRITE_TICKER_H

#include <stdint.h>
#include <time.h>

#include "util/err.h"
#include "write/encode.h"

/* Between two ticks. Less costs calls; more is felt after Ctrl-C. */
#define DFS_TICK_MS 50

struct dfs_ticker {
	dfs_progress_fn *progress;	/* may be NULL */
	void *arg;
	uint64_t total;
	struct timespec next;		/* CLOCK_MONOTONIC; zero: at once */
};

/* dfs_ticker_tell() - call progress if it is time. Return: 0; -ECANCELED with a sentence. */
int dfs_ticker_tell(struct dfs_ticker *ticker, uint64_t done, struct dfs_err *err);

#endif
