/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop: threads that take requests off the kernel's hands.
 *
 * libfuse has such a loop, but its buffers begin anywhere. In ours the bytes
 * of a WRITE begin where a disk can take them; see direct.h.
 */
#include <errno.h>
#include <linux/fuse.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuse/direct.h"
#include "fuse/internal.h"

/*
 * They wait for disks when plain files are read or written, and for nothing
 * else. More: memory for stacks and buffers; fewer: a slow disk under some
 * files holds up the others.
 */
#define WORKERS_MAX 32

/* What precedes the bytes of a WRITE, and where its buffer begins for them to be aligned. */
#define BEFORE (sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in))
#define BEGINS (DFS_DIRECT_ALIGN - BEFORE)
#define BUFFER_SIZE (DFS_DIRECT_ALIGN + DFS_WRITE_MAX)

/* The memory of all buffers in few large pages: a disk is told of fewer pieces. */
#define HUGE_PAGE ((size_t)2 << 20)
#define MEMORY_SIZE (WORKERS_MAX * BUFFER_SIZE + HUGE_PAGE)

struct worker {
	struct loop *loop;
	void *buf;
	pthread_t thread;
};

struct loop {
	struct fuse_session *session;
	char *memory;
	sem_t ended;		/* one of them has */
	atomic_int failed;	/* -errno of the first that could not go on */
	unsigned max;
	pthread_mutex_t lock;
	unsigned n, n_idle;	/* under lock */
	struct worker workers[WORKERS_MAX];
};

static void *worker_main(void *arg);

/* Signals end the session in the thread that waits for it. */
static int start_quietly(pthread_t *thread, struct worker *worker)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(thread, NULL, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

/* One more, under the lock. */
static int start_worker(struct loop *loop)
{
	struct worker *worker = &loop->workers[loop->n];
	uintptr_t first = ((uintptr_t)loop->memory + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	int ret;

	worker->loop = loop;
	worker->buf = (char *)first + loop->n * BUFFER_SIZE + BEGINS;
	ret = start_quietly(&worker->thread, worker);
	if (ret == 0) {
		loop->n++;
		loop->n_idle++;
	}
	return ret;
}

/* A worker has something to do now, or nothing any more. There is always one that waits, if there may be. */
static void count_idle(struct loop *loop, int change)
{
	pthread_mutex_lock(&loop->lock);
	loop->n_idle += (unsigned)change;
	if (loop->n_idle == 0 && loop->n < loop->max)
		(void)start_worker(loop); /* without it those that there are go on */
	pthread_mutex_unlock(&loop->lock);
}

/* Return: as fuse_session_receive_buf(). Only here can a worker be cancelled: what was taken is answered. */
static int receive(struct fuse_session *session, struct fuse_buf *buf)
{
	int got;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	got = fuse_session_receive_buf(session, buf);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return got;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct loop *loop = worker->loop;
	int got = 0, none = 0;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while (!fuse_session_exited(loop->session)) {
		struct fuse_buf buf = { .mem = worker->buf };

		got = receive(loop->session, &buf);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			break;
		count_idle(loop, -1);
		fuse_session_process_buf(loop->session, &buf);
		count_idle(loop, 1);
	}
	if (got < 0)
		atomic_compare_exchange_strong(&loop->failed, &none, got);
	fuse_session_exit(loop->session);
	sem_post(&loop->ended);
	return NULL;
}

static void end_workers(struct loop *loop)
{
	unsigned n;

	pthread_mutex_lock(&loop->lock);
	loop->max = 0;
	n = loop->n;
	pthread_mutex_unlock(&loop->lock);
	for (unsigned i = 0; i < n; i++)
		pthread_cancel(loop->workers[i].thread);
	for (unsigned i = 0; i < n; i++)
		pthread_join(loop->workers[i].thread, NULL);
}

static int run(struct loop *loop)
{
	int ret;

	pthread_mutex_lock(&loop->lock);
	ret = start_worker(loop);
	pthread_mutex_unlock(&loop->lock);
	if (ret < 0)
		return ret;
	/* A signal ends the wait as well, and says so in the session. */
	while (!fuse_session_exited(loop->session))
		sem_wait(&loop->ended);
	end_workers(loop);
	return atomic_load(&loop->failed);
}

int dfs_loop(struct dfs_mount *mount)
{
	struct loop loop = { .session = mount->session, .max = mount->single_thread ? 1 : WORKERS_MAX };
	int ret;

	loop.memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (loop.memory == MAP_FAILED)
		return -errno;
	/* Where nothing is written, requests are small, and a page does for each. */
	if (!mount->read_only)
		madvise(loop.memory, MEMORY_SIZE, MADV_HUGEPAGE);
	sem_init(&loop.ended, 0, 0);
	pthread_mutex_init(&loop.lock, NULL);
	ret = run(&loop);
	pthread_mutex_destroy(&loop.lock);
	sem_destroy(&loop.ended);
	munmap(loop.memory, MEMORY_SIZE);
	return ret;
}
