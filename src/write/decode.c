/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode: a window at a time, hashed on the way. */
#include "write/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "read/view.h"
#include "util/auto.h"
#include "util/hash.h"
#include "util/io.h"
#include "write/ticker.h"

/* Read and written at once: a few chunks, so that several threads decode. */
#define WINDOW (1u << 20)

DFS_AUTO_KIND(hasher, struct dfs_hasher *, if (*p) dfs_hasher_free(*p));

/* Not every file system can promise room; those that cannot find out as they go. */
static int reserve(int fd, uint64_t size, struct dfs_err *err)
{
	struct stat st;

	if (size == 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (fallocate(fd, 0, 0, (off_t)size) < 0 && (errno == ENOSPC || errno == EFBIG || errno == EDQUOT))
		return dfs_fail(err, errno, "no room for %llu bytes: %s", (unsigned long long)size, strerror(errno));
	return 0;
}

static int copy_out(struct dfs_view *view, int out_fd, const struct dfs_decode_config *config,
		    struct dfs_hasher *hasher, uint8_t *buf, struct dfs_err *err)
{
	struct dfs_ticker ticker = {
		config->progress, config->progress_arg, dfs_view_size(view), { 0 }
	};
	size_t len;

	for (uint64_t off = 0; off < ticker.total; off += len) {
		int ret = dfs_view_read(view, off, WINDOW, buf, &len, err);

		if (ret < 0)
			return ret;
		if (len == 0)
			return dfs_fail(err, ESTALE, "it became shorter while it was read");
		ret = dfs_write_all(out_fd, buf, len);
		if (ret < 0)
			return dfs_fail(err, -ret, "write: %s", strerror(-ret));
		dfs_hasher_add(hasher, buf, len);
		ret = dfs_ticker_tell(&ticker, off + len, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int dfs_decode(int fd, const char *name, int out_fd, const struct dfs_decode_config *config,
	       struct dfs_err *err)
{
	DFS_AUTO(view) struct dfs_view *view = NULL;
	DFS_AUTO(hasher) struct dfs_hasher *hasher = dfs_hasher_new();
	DFS_AUTO(mem) uint8_t *buf = malloc(WINDOW);
	const struct dfs_container *c;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0), ret;

	if (own < 0)
		return dfs_fail_errno(err, "%s", name);
	ret = dfs_view_open(config->reader, own, name, &view, err);
	if (ret < 0) {
		close(own);
		return ret;
	}
	if (!hasher || !buf)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = reserve(out_fd, dfs_view_size(view), err);
	if (ret == 0)
		ret = copy_out(view, out_fd, config, hasher, buf, err);
	c = dfs_view_container(view);
	if (ret == 0 && c && !dfs_hash_equal(dfs_hasher_end(hasher), c->sb.shown_hash))
		return dfs_fail(err, EUCLEAN, "%s: every chunk is right, but the hash of the whole file is not", name);
	return ret;
}
