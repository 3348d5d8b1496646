/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thaw_data: bytes into the temporary, and out of both files. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/io.h"
#include "write/thaw_state.h"

/* --- turns; under the lock */

static bool turns_meet(const struct dfs_thaw *thaw, const struct dfs_thaw_turn *turn, bool old)
{
	for (const struct dfs_thaw_turn *at = thaw->turns; at; at = at->next)
		if (at != turn && at->old == old && at->off < turn->end && turn->off < at->end)
			return true;
	return false;
}

static void turn_begin(struct dfs_thaw *thaw, struct dfs_thaw_turn *turn)
{
	turn->next = thaw->turns;
	thaw->turns = turn;
}

static void turn_end(struct dfs_thaw *thaw, struct dfs_thaw_turn *turn)
{
	struct dfs_thaw_turn **p = &thaw->turns;

	while (*p != turn)
		p = &(*p)->next;
	*p = turn->next;
	pthread_cond_broadcast(&thaw->changed);
}

/* --- old bytes */

/* Nobody writes to [off, end) meanwhile: it is our turn. At most other old bytes come, which are the same. */
static int fill_gaps(struct dfs_thaw *thaw, uint64_t off, uint64_t end, const uint8_t *bytes)
{
	uint64_t from, to = off;

	for (;;) {
		int ret;

		pthread_mutex_lock(&thaw->lock);
		from = dfs_cover_missing(&thaw->cover, to, end);
		to = dfs_cover_present(&thaw->cover, from, end);
		pthread_mutex_unlock(&thaw->lock);
		if (from >= end)
			return 0;
		ret = dfs_pwrite_all(thaw->fd, bytes + (from - off), to - from, from);
		if (ret < 0)
			return ret;
	}
}

/* Return: false if it does not run. */
static bool old_begin(struct dfs_thaw *thaw, struct dfs_thaw_turn *turn)
{
	bool runs;

	pthread_mutex_lock(&thaw->lock);
	runs = thaw->state == DFS_THAW_RUNNING;
	if (runs)
		turn_begin(thaw, turn);
	while (runs && turns_meet(thaw, turn, false))
		pthread_cond_wait(&thaw->changed, &thaw->lock);
	pthread_mutex_unlock(&thaw->lock);
	return runs;
}

int dfs_thaw_put_old(struct dfs_thaw *thaw, uint64_t off, uint64_t end, const uint8_t *bytes, struct dfs_err *err)
{
	struct dfs_thaw_turn turn = { .off = off, .end = end, .old = true };
	int ret;

	if (!old_begin(thaw, &turn))
		return 0;
	ret = fill_gaps(thaw, off, end, bytes);
	pthread_mutex_lock(&thaw->lock);
	if (ret == 0)
		dfs_cover_add(&thaw->cover, off, end, 0);
	turn_end(thaw, &turn);
	pthread_mutex_unlock(&thaw->lock);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: write it uncompressed: %s", thaw->name, strerror(-ret));
	return 0;
}

/* --- writing */

/* Return: pieces promised; a failure. */
static int write_begin(struct dfs_thaw *thaw, struct dfs_thaw_turn *turn, struct dfs_err *err)
{
	int promised;

	while (turns_meet(thaw, turn, true))
		pthread_cond_wait(&thaw->changed, &thaw->lock);
	if (thaw->state == DFS_THAW_FAILED) {
		if (err)
			*err = thaw->err;
		return thaw->ret;
	}
	promised = dfs_cover_promise(&thaw->cover, turn->off, turn->end);
	if (promised < 0)
		return dfs_fail(err, -promised, "%s: %s", thaw->name,
				promised == -EAGAIN ? "too many small pieces wait for what is around them" : "out of memory");
	dfs_thaw_start(thaw);
	turn_begin(thaw, turn);
	return promised;
}

/* Return: 0, or why no more than *ret_done bytes were written. */
static int write_some(int fd, const uint8_t *from, size_t len, uint64_t off, size_t *ret_done)
{
	size_t done = 0;
	int ret = 0;

	while (done < len && ret == 0) {
		ssize_t n = pwrite(fd, from + done, len - done, (off_t)(off + done));

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			ret = n < 0 ? -errno : -EIO;
	}
	*ret_done = done;
	return ret;
}

/* Room was promised for the pieces at the ends of the whole write: a shorter one is cut where no piece is left. */
static uint64_t end_of_short(const struct dfs_thaw *thaw, uint64_t off, uint64_t end)
{
	uint64_t cut = end - end % DFS_COVER_BLOCK;

	if (end >= thaw->old_size)
		return end;
	return cut > off ? cut : off;
}

ssize_t dfs_thaw_write(struct dfs_thaw *thaw, const void *buf, size_t len, uint64_t off, struct dfs_err *err)
{
	struct dfs_thaw_turn turn = { .off = off, .end = off + len };
	int ret, promised;
	uint64_t end;
	size_t done;

	if (off > INT64_MAX || len > INT64_MAX - off)
		return dfs_fail(err, EFBIG, "%s: no file ends at %llu + %zu", thaw->name, (unsigned long long)off, len);
	if (len == 0)
		return 0;
	pthread_mutex_lock(&thaw->lock);
	promised = write_begin(thaw, &turn, err);
	pthread_mutex_unlock(&thaw->lock);
	if (promised < 0)
		return promised;
	ret = write_some(thaw->fd, buf, len, off, &done);
	end = ret < 0 ? end_of_short(thaw, off, off + done) : off + len;
	pthread_mutex_lock(&thaw->lock);
	dfs_cover_add(&thaw->cover, off, end, promised);
	if (end > off && end > thaw->size)
		thaw->size = end;
	turn_end(thaw, &turn);
	pthread_mutex_unlock(&thaw->lock);
	if (ret < 0 && end == off)
		return dfs_fail(err, -ret, "%s: write at %llu: %s", thaw->name, (unsigned long long)off, strerror(-ret));
	return (ssize_t)(end - off);
}

/* --- writing slowly */

/* Return: 0: it runs, or is complete; the failure. */
static int ensure_begun(struct dfs_thaw *thaw, struct dfs_err *err)
{
	int ret;

	dfs_thaw_begin(thaw);
	ret = dfs_thaw_result(thaw, err);
	return ret == -EINPROGRESS ? 0 : ret;
}

/* Afterwards all of the block around @off is there. */
static int settle_block(struct dfs_thaw *thaw, uint64_t off, struct dfs_err *err)
{
	uint64_t start = off - off % DFS_COVER_BLOCK, end = start + DFS_COVER_BLOCK;
	uint8_t bytes[DFS_COVER_BLOCK];
	size_t got;
	int ret;

	if (start == off || off >= thaw->old_size)
		return 0;
	if (end > thaw->old_size)
		end = thaw->old_size;
	ret = dfs_view_read(thaw->view, start, end - start, bytes, &got, err);
	if (ret < 0)
		return ret;
	if (got < end - start)
		return dfs_fail(err, ESTALE, "%s: became shorter while it was read", thaw->name);
	return dfs_thaw_put_old(thaw, start, end, bytes, err);
}

ssize_t dfs_thaw_write_slowly(struct dfs_thaw *thaw, const void *buf, size_t len, uint64_t off, struct dfs_err *err)
{
	int ret = ensure_begun(thaw, err);

	if (ret == 0)
		ret = settle_block(thaw, off, err);
	if (ret == 0)
		ret = settle_block(thaw, off + len, err);
	return ret < 0 ? ret : dfs_thaw_write(thaw, buf, len, off, err);
}

/* --- reading */

/* Under the lock. Where a read of @len bytes at @off ends; at most at the file's end. */
static uint64_t read_end(const struct dfs_thaw *thaw, uint64_t off, size_t len)
{
	return off < thaw->size && len < thaw->size - off ? off + len : thaw->size;
}

enum dfs_thaw_where dfs_thaw_where(struct dfs_thaw *thaw, uint64_t off, size_t len)
{
	enum dfs_thaw_where where = DFS_THAW_MIXED;
	uint64_t end;

	pthread_mutex_lock(&thaw->lock);
	end = read_end(thaw, off, len);
	if (thaw->state == DFS_THAW_FAILED)
		where = DFS_THAW_OLD;
	else if (dfs_cover_missing(&thaw->cover, off, end) >= end)
		where = DFS_THAW_NEW;
	else if (dfs_cover_present(&thaw->cover, off, end) >= end)
		where = DFS_THAW_OLD;
	pthread_mutex_unlock(&thaw->lock);
	return where;
}

/* Bytes that are in the temporary now, over those in @buf. */
static int overlay(struct dfs_thaw *thaw, uint8_t *buf, uint64_t off, uint64_t end, size_t *ret_len)
{
	uint64_t from, to = off;

	for (;;) {
		ssize_t got;

		pthread_mutex_lock(&thaw->lock);
		from = dfs_cover_present(&thaw->cover, to, end);
		to = dfs_cover_missing(&thaw->cover, from, end);
		pthread_mutex_unlock(&thaw->lock);
		if (from >= end)
			break;
		got = dfs_pread_some(thaw->fd, buf + (from - off), to - from, from);
		if (got < 0)
			return (int)got;
		if ((size_t)got < to - from) {
			end = from + (size_t)got; /* it was cut meanwhile, after it was complete */
			break;
		}
	}
	*ret_len = end > off ? end - off : 0;
	return 0;
}

/*
 * The old bytes first, so that what was written before this began is seen, and
 * what is decoded meanwhile does no harm. What is old later on was so at first.
 */
int dfs_thaw_read_mixed(struct dfs_thaw *thaw, void *buf, size_t len, uint64_t off, size_t *ret_len,
			struct dfs_err *err)
{
	uint64_t end, from, to;
	bool failed, gaps;
	size_t got;
	int ret;

	pthread_mutex_lock(&thaw->lock);
	failed = thaw->state == DFS_THAW_FAILED;
	end = read_end(thaw, off, len);
	gaps = dfs_cover_gaps(&thaw->cover, off, end, &from, &to);
	pthread_mutex_unlock(&thaw->lock);
	if (failed)
		return dfs_view_read(thaw->view, off, len, buf, ret_len, err);
	if (gaps) {
		ret = dfs_view_read(thaw->view, from, to - from, (uint8_t *)buf + (from - off), &got, err);
		if (ret < 0)
			return ret;
		if (got < to - from)
			return dfs_fail(err, ESTALE, "%s: became shorter while it was read", thaw->name);
	}
	ret = overlay(thaw, buf, off, end, ret_len);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: read at %llu: %s", thaw->name, (unsigned long long)off, strerror(-ret));
	return 0;
}

uint64_t dfs_thaw_size(struct dfs_thaw *thaw)
{
	uint64_t size;

	pthread_mutex_lock(&thaw->lock);
	size = thaw->state == DFS_THAW_FAILED ? thaw->old_size : thaw->size;
	pthread_mutex_unlock(&thaw->lock);
	return size;
}

int dfs_thaw_fd(const struct dfs_thaw *thaw)
{
	return thaw->fd;
}
