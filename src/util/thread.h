/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thread: one that signals do not reach.
 *
 * A signal goes to any thread that does not block it. The one that waits for
 * the signal would sleep on, and the process not end.
 */
#ifndef DFS_UTIL_THREAD_H
#define DFS_UTIL_THREAD_H

#include <pthread.h>
#include <signal.h>

/* dfs_thread_start() - as pthread_create(3). Return: 0; -EAGAIN. */
static inline int dfs_thread_start(pthread_t *thread, void *(*start)(void *), void *arg)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(thread, NULL, start, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

#endif
