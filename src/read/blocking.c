/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blocking: a read that waits for its answer, for tools and verification.
 *
 * READ: caller -> this -> request.c
 */
#include <pthread.h>
#include <string.h>

#include "read/internal.h"

/* Kernel requests have this size at most; a longer read is a run of such. */
#define PIECE (1u << 20)

struct blocking {
	struct dfs_read read;	/* first: done() gets its address */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over;		/* under lock */
	int ret;
	uint8_t *buf;
	struct dfs_err *err;	/* may be NULL */
};

static void blocking_done(struct dfs_read *read, int ret, const struct iovec *iov, int n, const struct dfs_err *err)
{
	struct blocking *b = (struct blocking *)read;

	for (int i = 0; i < n; i++) {
		memcpy(b->buf, iov[i].iov_base, iov[i].iov_len);
		b->buf += iov[i].iov_len;
	}
	if (ret < 0 && b->err)
		*b->err = *err;
	pthread_mutex_lock(&b->lock);
	b->ret = ret;
	b->over = true;
	pthread_cond_signal(&b->ended);
	pthread_mutex_unlock(&b->lock);
}

static int read_piece(struct dfs_view *view, uint64_t off, size_t len, uint8_t *buf, struct dfs_err *err)
{
	struct blocking b = {
		.read = { .off = off, .len = len, .done = blocking_done },
		.buf = buf,
		.err = err,
	};

	pthread_mutex_init(&b.lock, NULL);
	pthread_cond_init(&b.ended, NULL);
	dfs_view_submit(view, &b.read);
	pthread_mutex_lock(&b.lock);
	while (!b.over)
		pthread_cond_wait(&b.ended, &b.lock);
	pthread_mutex_unlock(&b.lock);
	pthread_cond_destroy(&b.ended);
	pthread_mutex_destroy(&b.lock);
	return b.ret;
}

int dfs_view_read(struct dfs_view *view, uint64_t off, size_t len, void *buf,
		  size_t *ret_len, struct dfs_err *err)
{
	size_t got = 0;

	if (off >= view->size)
		len = 0;
	else if (len > view->size - off)
		len = view->size - off;
	while (got < len) {
		size_t piece = PIECE - (off + got) % PIECE;
		int ret;

		if (piece > len - got)
			piece = len - got;
		ret = read_piece(view, off + got, piece, (uint8_t *)buf + got, err);
		if (ret < 0)
			return ret;
		got += piece;
	}
	*ret_len = got;
	return 0;
}
