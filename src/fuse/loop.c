/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop: threads that take requests off the kernel's hands.
 *
 * libfuse has such a loop, but its buffers begin anywhere. In ours the bytes
 * of a WRITE begin where a disk can take them; see direct.h. Nor does it say
 * how large a buffer it reads into, and a batch of FORGETs fills any: so it is
 * read here, and handed to libfuse.
 */
#include <errno.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuse/direct.h"
#include "fuse/internal.h"
#include "read/limit.h"

/*
 * They wait for disks when plain files are read or written, for a lease that
 * another program has when a file is opened, and for nothing else that takes
 * long. More: memory for stacks and buffers; fewer: a slow disk under some
 * files holds up the others.
 */
#define WORKERS_MAX 32

/* What precedes the bytes of a WRITE, and where its buffer begins for them to be aligned. */
#define BEFORE (sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in))
#define BEGINS (DFS_DIRECT_ALIGN - BEFORE)
#define REQUEST_MAX (BEFORE + DFS_WRITE_MAX)
#define BUFFER_SIZE (BEGINS + REQUEST_MAX)

/*
 * The memory of all buffers in few large pages: a disk is told of fewer
 * pieces. Where memory is short, not: one is taken whole at its first byte.
 */
#define HUGE_PAGE ((size_t)2 << 20)
#define HUGE_PAGES_FROM ((uint64_t)1 << 30)
#define MEMORY_SIZE (WORKERS_MAX * BUFFER_SIZE + HUGE_PAGE)

struct worker {
	struct loop *loop;
	void *buf;
	pthread_t thread;
};

struct loop {
	struct fuse_session *session;
	struct dfs_log *log;
	char *memory;
	int ended;		/* an eventfd: one of them has */
	atomic_int failed;	/* -errno of the first that could not go on */
	unsigned max;
	pthread_mutex_t lock;
	unsigned n, n_idle;	/* under lock */
	bool complained;	/* under lock */
	struct worker workers[WORKERS_MAX];
};

static void *worker_main(void *arg);

/* One more, under the lock. */
static int start_worker(struct loop *loop)
{
	struct worker *worker = &loop->workers[loop->n];
	uintptr_t first = ((uintptr_t)loop->memory + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	int ret;

	worker->loop = loop;
	worker->buf = (char *)first + loop->n * BUFFER_SIZE + BEGINS;
	ret = -pthread_create(&worker->thread, NULL, worker_main, worker);
	if (ret == 0) {
		loop->n++;
		loop->n_idle++;
	}
	return ret;
}

/* Without it those that there are go on. Under the lock. */
static void start_another(struct loop *loop)
{
	int ret = start_worker(loop);

	if (ret < 0 && !loop->complained)
		dfs_log_line(loop->log, DFS_LOG_WARNING, "no thread for another request: %s", strerror(-ret));
	loop->complained = ret < 0;
}

/* A worker has something to do now, or nothing any more. There is always one that waits, if there may be. */
static void count_idle(struct loop *loop, int change)
{
	pthread_mutex_lock(&loop->lock);
	loop->n_idle += (unsigned)change;
	if (loop->n_idle == 0 && loop->n < loop->max)
		start_another(loop);
	pthread_mutex_unlock(&loop->lock);
}

/* What nobody waits for, comes by the thousand, and is soon done. */
static bool is_forget(const struct fuse_in_header *header)
{
	return header->opcode == FUSE_FORGET || header->opcode == FUSE_BATCH_FORGET;
}

/*
 * A worker that is cancelled leaves no frame behind with a local whose address
 * is known to others: what checks the use of addresses takes that for theirs
 * still. So these have frames of their own.
 */
#define OWN_FRAME __attribute__((noinline))

OWN_FRAME static void process(const struct worker *worker, size_t len)
{
	const struct fuse_buf buf = { .mem = worker->buf, .size = len };
	bool counts = !is_forget(worker->buf);

	if (counts)
		count_idle(worker->loop, -1);
	fuse_session_process_buf(worker->loop->session, &buf);
	if (counts)
		count_idle(worker->loop, 1);
}

OWN_FRAME static void end(struct loop *loop, ssize_t ret)
{
	int none = 0;

	if (ret < 0)
		atomic_compare_exchange_strong(&loop->failed, &none, (int)ret);
	fuse_session_exit(loop->session);
	eventfd_write(loop->ended, 1);
}

/* Only here can a worker be cancelled. */
static ssize_t read_request(int fd, void *buf)
{
	ssize_t got;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	got = read(fd, buf, REQUEST_MAX);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return got;
}

/* Return: bytes; 0: the session is over; -errno. */
static ssize_t receive(struct fuse_session *session, void *buf)
{
	ssize_t got;

	do {
		if (fuse_session_exited(session))
			return 0;
		got = read_request(fuse_session_fd(session), buf);
	} while (got < 0 && (errno == EINTR || errno == ENOENT)); /* ENOENT: who asked was interrupted before it was taken */
	if (got < 0)
		return errno == ENODEV ? 0 : -errno;
	return got < (ssize_t)sizeof(struct fuse_in_header) ? -EIO : got;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	ssize_t got;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while ((got = receive(worker->loop->session, worker->buf)) > 0)
		process(worker, (size_t)got);
	end(worker->loop, got);
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

static sigset_t endings(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

void dfs_signals_begin(struct dfs_mount *mount)
{
	sigset_t set = endings();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	mount->handles_signals = fuse_set_signal_handlers(mount->session) == 0;
}

/*
 * Who ends a daemon by umount and a signal at once sees it end well all the
 * same: without libfuse's handlers the signal would kill it while it cleans up.
 */
void dfs_signals_end(struct dfs_mount *mount)
{
	sigset_t set = endings();

	if (!mount->handles_signals)
		return;
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fuse_remove_signal_handlers(mount->session);
}

/* A signal ends the session as well. It comes while we wait and at no other time: else it could come just before. */
static void wait_for_end(const struct loop *loop)
{
	struct pollfd ended = { .fd = loop->ended, .events = POLLIN };
	sigset_t set = endings(), waiting;

	pthread_sigmask(SIG_BLOCK, &set, &waiting);
	sigdelset(&waiting, SIGTERM);
	sigdelset(&waiting, SIGINT);
	sigdelset(&waiting, SIGHUP);
	while (!fuse_session_exited(loop->session))
		ppoll(&ended, 1, NULL, &waiting);
}

static int run(struct loop *loop)
{
	int ret;

	pthread_mutex_lock(&loop->lock);
	ret = start_worker(loop);
	pthread_mutex_unlock(&loop->lock);
	if (ret < 0)
		return ret;
	wait_for_end(loop);
	end_workers(loop);
	return atomic_load(&loop->failed);
}

int dfs_loop(struct dfs_mount *mount)
{
	struct loop loop = { .session = mount->session, .log = mount->log, .max = mount->single_thread ? 1 : WORKERS_MAX };
	int ret;

	loop.memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (loop.memory == MAP_FAILED)
		return -errno;
	/* Where nothing is written, requests are small, and a page does for each. */
	if (!mount->read_only && dfs_memory_limit() >= HUGE_PAGES_FROM)
		madvise(loop.memory, MEMORY_SIZE, MADV_HUGEPAGE);
	loop.ended = eventfd(0, EFD_CLOEXEC);
	if (loop.ended < 0) {
		ret = -errno;
		munmap(loop.memory, MEMORY_SIZE);
		return ret;
	}
	pthread_mutex_init(&loop.lock, NULL);
	ret = run(&loop);
	pthread_mutex_destroy(&loop.lock);
	close(loop.ended);
	munmap(loop.memory, MEMORY_SIZE);
	return ret;
}
