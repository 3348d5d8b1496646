/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ticker: see ticker.h. */
#include "write/ticker.h"

#include <errno.h>
#include <stdbool.h>

static bool is_before(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

int dfs_ticker_tell(struct dfs_ticker *ticker, uint64_t done, struct dfs_err *err)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (is_before(now, ticker->next))
		return 0;
	now.tv_nsec += DFS_TICK_MS * 1000000L;
	if (now.tv_nsec >= 1000000000L) {
		now.tv_sec++;
		now.tv_nsec -= 1000000000L;
	}
	ticker->next = now;
	if (ticker->progress && !ticker->progress(ticker->arg, done, ticker->total))
		return dfs_fail(err, ECANCELED, "interrupted");
	return 0;
}
