/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plain: a submitted read of a file that is stored as it is.
 *
 * READ: request.c -> this
 *
 * For callers that never ask which kind a file is. The mount does, and has the
 * kernel move the bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read/internal.h"
#include "util/io.h"

struct plain {
	struct dfs_job job;
	struct dfs_view *view;	/* referenced */
	struct dfs_read *read;
	uint8_t data[];
};

static void plain_run(struct dfs_job *job, void *local)
{
	struct plain *plain = (struct plain *)job;
	struct dfs_view *view = plain->view;
	struct dfs_read *read = plain->read;
	ssize_t got = dfs_pread_some(view->fd, plain->data, read->len, read->off);
	struct iovec iov = { plain->data, got > 0 ? (size_t)got : 0 };
	struct dfs_err err;

	(void)local;
	if (got < 0)
		dfs_fail(&err, (int)-got, "%s: read at %llu: %s", view->name,
			 (unsigned long long)read->off, strerror((int)-got));
	read->done(read, got < 0 ? (int)got : 0, &iov, got > 0, got < 0 ? &err : NULL);
	free(plain);
	dfs_view_unref(view);
}

void dfs_plain_submit(struct dfs_view *view, struct dfs_read *read)
{
	struct plain *plain = malloc(sizeof(*plain) + read->len);
	struct dfs_err err;

	if (!plain) {
		dfs_fail(&err, ENOMEM, "%s: out of memory", view->name);
		read->done(read, -ENOMEM, NULL, 0, &err);
		return;
	}
	*plain = (struct plain){ .job.run = plain_run, .view = view, .read = read };
	dfs_view_ref(view);
	dfs_pool_submit(view->reader->decoders, &plain->job, DFS_URGENT);
}
