/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock: the time in milliseconds, when a wait ends, files' times, and times compared.
 */
#ifndef DFS_UTIL_CLOCK_H
#define DFS_UTIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* dfs_clock_ms() - what @clock shows; CLOCK_MONOTONIC_COARSE where many ask and a few ms do not matter */
static inline int64_t dfs_clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* dfs_clock_after() - @ms (not negative) from now by @clock, as pthread_cond_timedwait(3) takes it */
static inline struct timespec dfs_clock_after(clockid_t clock, int64_t ms)
{
	struct timespec end;

	clock_gettime(clock, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	return end;
}

/* dfs_clock_file_ns() - nanoseconds since 1970, by the clock that files' times are taken from */
static inline int64_t dfs_clock_file_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * dfs_clock_past_files() - a time that no file was made after so far, and every one from now on
 * Files' times go in steps of up to 10 ms: what was made in the step that it is would not be told apart. Waits for the next.
 */
static inline int64_t dfs_clock_past_files(void)
{
	const struct timespec step = { .tv_nsec = 500000 };
	struct timespec now;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	for (unsigned i = 0; i < 100 && dfs_clock_file_ns() < ns; i++)
		nanosleep(&step, NULL);
	return ns;
}

static inline bool dfs_time_same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

#endif
