/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "util/auto.h"
#include "util/clock.h"

/* Fewer bytes are soon copied, and a disk wants many at once. */
#define PIECE_MIN ((size_t)512 << 10)

/* Files that end before are left to the kernel, which need not wait for a disk. */
#define FILE_MIN ((off_t)8 << 20)

/* Pieces of 1 MiB that are written at once. Fewer: the disk stands still between them; more: they wait for one another. */
#define TOGETHER_MAX 16

/*
 * Bytes a second that a disk must take, and how far it may fall behind in all.
 * A slower one is the kernel's business: whoever copies need not wait for it,
 * and who reads the mount meanwhile finds a thread.
 */
#define FAST_RATE 600000000
#define LATE_NS 100000000
#define OFF_MS 60000

#define NS_PER_S 1000000000

struct dfs_piece {
	const char *buf;
	size_t size;
	off_t off;
	bool done, written;
	pthread_cond_t wake;
	struct dfs_piece *next;
};

void dfs_direct_init(struct dfs_direct *direct)
{
	pthread_mutex_init(&direct->lock, NULL);
}

void dfs_direct_release(struct dfs_direct *direct)
{
	pthread_mutex_destroy(&direct->lock);
}

static bool is_aligned(uintptr_t number)
{
	return number % DFS_DIRECT_ALIGN == 0;
}

static bool suits(const char *buf, size_t size, off_t off)
{
	return size >= PIECE_MIN && off >= FILE_MIN && is_aligned((uintptr_t)buf) && is_aligned(size) && is_aligned((uintptr_t)off);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* @bytes took from @began until now; where several files are written at once, they share the time. Under the lock. */
static void judge(struct dfs_direct *direct, size_t bytes, int64_t began)
{
	int64_t now = now_ns(), ns = now - (began > direct->charged_ns ? began : direct->charged_ns);

	direct->charged_ns = now;
	direct->late_ns += ns - (int64_t)bytes * NS_PER_S / FAST_RATE;
	if (direct->late_ns < 0)
		direct->late_ns = 0;
	if (direct->late_ns <= LATE_NS)
		return;
	direct->late_ns = 0;
	direct->off_until_ms = dfs_clock_ms(CLOCK_MONOTONIC) + OFF_MS;
}

/* The link to what is written next. Under the lock. */
static struct dfs_piece **next_of(struct dfs_direct_queue *queue)
{
	struct dfs_piece **at = &queue->first;

	while (*at && (*at)->off < queue->end)
		at = &(*at)->next;
	return *at ? at : &queue->first;
}

/* Its end: all of them up to the first that does not follow the one before. Under the lock. */
static struct dfs_piece *together(struct dfs_piece *first, struct iovec *iov, int *ret_n, size_t *ret_bytes)
{
	struct dfs_piece *p = first;
	off_t end = first->off;

	for (*ret_n = 0, *ret_bytes = 0; p && p->off == end && *ret_n < TOGETHER_MAX; p = p->next) {
		iov[(*ret_n)++] = (struct iovec){ .iov_base = (void *)p->buf, .iov_len = p->size };
		*ret_bytes += p->size;
		end += (off_t)p->size;
	}
	return p;
}

/*
 * A descriptor of its own: O_DIRECT of the one that others use would change
 * what they do. It is had again for each write, on a local file system 5 us in
 * some ms: kept, it would be one more for each open file.
 */
static bool write_iov(const struct dfs_content *content, const struct iovec *iov, int n, size_t bytes, off_t off)
{
	DFS_AUTO(fd) int fd = dfs_content_reopen(content, O_WRONLY | O_DIRECT);

	return fd >= 0 && pwritev(fd, iov, n, off) == (ssize_t)bytes;
}

/* One write for as many as follow one another. Under the lock, which it lets go of meanwhile. */
static void lead(struct dfs_direct *direct, struct dfs_content *content)
{
	struct dfs_direct_queue *queue = &content->direct;
	struct dfs_piece **at = next_of(queue), *first = *at, *rest, *next;
	struct iovec iov[TOGETHER_MAX];
	int64_t began;
	size_t bytes;
	bool written;
	int n;

	rest = together(first, iov, &n, &bytes);
	*at = rest;
	queue->end = first->off + (off_t)bytes;
	queue->leading = true;
	pthread_mutex_unlock(&direct->lock);
	began = now_ns();
	written = write_iov(content, iov, n, bytes, first->off);
	pthread_mutex_lock(&direct->lock);
	queue->leading = false;
	judge(direct, written ? bytes : 0, began);
	for (; first != rest; first = next) {
		next = first->next;
		first->written = written;
		first->done = true;
		pthread_cond_signal(&first->wake);
	}
	if (queue->first)
		pthread_cond_signal(&queue->first->wake);
}

static void enqueue(struct dfs_direct_queue *queue, struct dfs_piece *piece)
{
	struct dfs_piece **at = &queue->first;

	while (*at && (*at)->off <= piece->off)
		at = &(*at)->next;
	piece->next = *at;
	*at = piece;
}

bool dfs_direct_write(struct dfs_direct *direct, struct dfs_content *content, const char *buf, size_t size, off_t off)
{
	struct dfs_piece piece = { .buf = buf, .size = size, .off = off, .wake = PTHREAD_COND_INITIALIZER };

	if (!suits(buf, size, off))
		return false;
	pthread_mutex_lock(&direct->lock);
	if (direct->off_until_ms <= dfs_clock_ms(CLOCK_MONOTONIC)) {
		enqueue(&content->direct, &piece);
		while (!piece.done) {
			if (content->direct.leading)
				pthread_cond_wait(&piece.wake, &direct->lock);
			else
				lead(direct, content);
		}
	}
	pthread_mutex_unlock(&direct->lock);
	pthread_cond_destroy(&piece.wake);
	return piece.written;
}
