/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: see journal.h.
 *
 * Whoever sets writing has the descriptor, alone, until he clears it: a flush,
 * or the last step of writing anew. Others only add to out meanwhile.
 */
#include "store/journal.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/internal.h"
#include "util/clock.h"
#include "util/io.h"

/* Below it nothing is written anew: some thousand records, read in a millisecond. */
#define COMPACT_MIN (256u << 10)

/* After a failure: soon enough for a person who made room, too seldom to be noticed on a full disk. */
#define RETRY_MS 30000

DFS_AUTO_KIND(buf, struct dfs_buf, dfs_buf_release(p));

struct dfs_journal {
	const struct dfs_journal_form *form;
	struct dfs_store *store;
	struct dfs_log *log;
	bool disabled;			/* nothing is ever written; fixed once open */
	bool frozen;			/* part of it could not be read: only appended to; fixed once open */

	pthread_mutex_t lock;
	pthread_cond_t written;		/* writing became false */
	struct dfs_buf out;		/* noted, and not in the file; under lock, as all below */
	struct dfs_buf since;		/* noted since the snapshot */
	bool compacting;		/* between snapshot and the last step of compact */
	bool since_lost;		/* since lacks something */
	bool stale;			/* the file lacks something: nothing is appended until it is written anew */
	bool told;			/* the log knows that it is stale */
	bool writing;
	uint64_t size;			/* of the file */
	uint64_t compact_size;		/* beyond it, the file is to be written anew */
	int64_t retry_ms;		/* CLOCK_MONOTONIC; not before */

	int fd;				/* of who set writing; -1: there is none, and the file is stale */
	bool glue;			/* the same: the file ends in a torn line */
	struct dfs_buf snapshot;	/* of who compacts, and the next */
	bool snapshot_lost;
};

/* Under the lock, or before there are others. */
static void be_stale(struct dfs_journal *j)
{
	j->stale = true;
	j->out.len = 0;
	j->retry_ms = dfs_clock_ms(CLOCK_MONOTONIC) + RETRY_MS;
}

/* A sentence about a failure, once until all is well again. Not under the lock. */
static void tell(struct dfs_journal *j, const char *why)
{
	bool told;

	pthread_mutex_lock(&j->lock);
	told = j->told;
	j->told = true;
	pthread_mutex_unlock(&j->lock);
	if (!told)
		dfs_log_line(j->log, DFS_LOG_WARNING,
			     "%s/%s: %s; until it can be written, %s is forgotten when deltafs ends",
			     j->store->path, j->form->path, why, j->form->holds);
}

/* Made here and not with the first record, whose thread may create files as somebody else. */
static int open_there(struct dfs_journal *j)
{
	struct stat st;
	int ret = dfs_store_openat(j->store, j->form->path, j->disabled ? O_RDONLY : O_RDWR | O_APPEND | O_CREAT, &j->fd);

	if (ret < 0)
		return ret;
	if (fstat(j->fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	close(dfs_steal_fd(&j->fd));
	return -EINVAL;
}

/* --- opening */

/* What the reading says about the file. */
static void judge(struct dfs_journal *j, const struct dfs_journal_reading *r, int ret)
{
	if (r->version > j->form->version) {
		dfs_log_line(j->log, DFS_LOG_WARNING,
			     "%s/%s: of version %u, which this deltafs does not know; it is left as it is, and %s is forgotten when deltafs ends",
			     j->store->path, j->form->path, r->version, j->form->holds);
		j->disabled = true;
		return;
	}
	if (ret < 0) {
		dfs_log_line(j->log, DFS_LOG_WARNING, "%s/%s: read: %s; %s may be forgotten in part",
			     j->store->path, j->form->path, strerror(-ret), j->form->holds);
		j->frozen = true;
	} else if (r->damaged) {
		dfs_log_line(j->log, DFS_LOG_WARNING, "%s/%s: damaged; %lu of its lines were passed over",
			     j->store->path, j->form->path, r->damaged);
		j->compact_size = 0;
	}
}

static int load(struct dfs_journal *j, dfs_journal_line_fn *each, void *arg)
{
	struct dfs_journal_reading r;
	int ret = open_there(j);

	if (ret == 0) {
		ret = dfs_journal_read(j->fd, j->form, each, arg, &r);
		if (ret == -ENOMEM)
			return ret;
		j->size = r.size;
		j->glue = r.torn;
		judge(j, &r, ret);
		return 0;
	}
	be_stale(j);
	if (!j->disabled)
		tell(j, ret == -EINVAL ? "no regular file" : strerror(-ret));
	return 0;
}

int dfs_journal_open(struct dfs_store *store, struct dfs_log *log, const struct dfs_journal_form *form,
		     dfs_journal_line_fn *each, void *arg, struct dfs_journal **ret_journal, struct dfs_err *err)
{
	struct dfs_journal *j = calloc(1, sizeof(*j));

	if (!j)
		return dfs_fail(err, ENOMEM, "out of memory");
	j->store = store;
	j->form = form;
	j->log = log;
	j->fd = -1;
	j->compact_size = COMPACT_MIN;
	j->disabled = store->lock_fd < 0;
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->written, NULL);
	if (load(j, each, arg) < 0) {
		dfs_journal_close(j);
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	*ret_journal = j;
	return 0;
}

void dfs_journal_close(struct dfs_journal *j)
{
	if (!j)
		return;
	dfs_journal_flush(j);
	if (j->fd >= 0)
		close(j->fd);
	dfs_buf_release(&j->out);
	dfs_buf_release(&j->since);
	dfs_buf_release(&j->snapshot);
	pthread_cond_destroy(&j->written);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

/* --- appending */

void dfs_journal_note(struct dfs_journal *j, const char *const *fields, size_t n)
{
	if (j->disabled)
		return;
	pthread_mutex_lock(&j->lock);
	/* without memory the rest goes unnoted as well, so that what is there keeps its meaning */
	if (!j->stale && dfs_journal_line(&j->out, fields, n) == -ENOMEM)
		j->stale = true;
	if (j->compacting && dfs_journal_line(&j->since, fields, n) == -ENOMEM)
		j->since_lost = true;
	pthread_mutex_unlock(&j->lock);
}

/* By who set writing. What goes before the first record: the version, or a newline after what is torn. */
static int begin(struct dfs_journal *j, const struct stat *st)
{
	DFS_AUTO(buf) struct dfs_buf line = { 0 };
	int ret = 0;

	if (st->st_nlink == 0)
		return -ENOENT; /* removed behind our back */
	if (j->glue)
		ret = dfs_buf_append(&line, "\n", 1);
	else if (st->st_size == 0)
		ret = dfs_journal_line_first(&line, j->form);
	return ret < 0 ? ret : dfs_write_all(j->fd, line.data, line.len);
}

/* By who set writing. */
static int append(struct dfs_journal *j, const struct dfs_buf *records)
{
	struct stat st;
	int ret;

	if (fstat(j->fd, &st) < 0)
		return -errno;
	ret = begin(j, &st);
	if (ret < 0)
		return ret;
	j->glue = false;
	return dfs_write_all(j->fd, records->data, records->len);
}

void dfs_journal_flush(struct dfs_journal *j)
{
	int failed = 0;

	pthread_mutex_lock(&j->lock);
	while (j->out.len && !j->writing) {
		struct dfs_buf records = j->out;
		int ret;

		j->out = (struct dfs_buf){ 0 };
		j->writing = true;
		pthread_mutex_unlock(&j->lock);
		ret = append(j, &records);
		pthread_mutex_lock(&j->lock);
		j->size += records.len;
		j->writing = false;
		if (ret < 0) {
			failed = ret;
			be_stale(j);
		}
		pthread_cond_broadcast(&j->written);
		dfs_buf_release(&records);
	}
	pthread_mutex_unlock(&j->lock);
	if (failed)
		tell(j, strerror(-failed));
}

/* --- writing anew */

int dfs_journal_compact_in_ms(struct dfs_journal *j)
{
	int64_t rest;

	if (j->disabled || j->frozen)
		return -1;
	pthread_mutex_lock(&j->lock);
	rest = j->stale || j->size > j->compact_size ? j->retry_ms - dfs_clock_ms(CLOCK_MONOTONIC) : -1;
	if (rest < 0 && (j->stale || j->size > j->compact_size))
		rest = 0;
	pthread_mutex_unlock(&j->lock);
	return (int)rest;
}

void dfs_journal_snapshot(struct dfs_journal *j)
{
	j->snapshot.len = 0;
	j->snapshot_lost = dfs_journal_line_first(&j->snapshot, j->form) < 0;
	pthread_mutex_lock(&j->lock);
	j->compacting = true;
	j->since.len = 0;
	j->since_lost = false;
	pthread_mutex_unlock(&j->lock);
}

void dfs_journal_snapshot_add(struct dfs_journal *j, const char *const *fields, size_t n)
{
	if (!fields || dfs_journal_line(&j->snapshot, fields, n) == -ENOMEM)
		j->snapshot_lost = true;
}

static int write_snapshot(struct dfs_journal *j, int *ret_fd, char **ret_name, struct dfs_err *err)
{
	int ret;

	if (j->disabled || j->frozen)
		return dfs_fail(err, EROFS, "is left as it is");
	if (j->snapshot_lost)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_store_tmp(j->store, ret_fd, ret_name, err);
	if (ret < 0)
		return ret;
	ret = dfs_write_all(*ret_fd, j->snapshot.data, j->snapshot.len);
	if (ret < 0)
		return dfs_fail(err, -ret, "write: %s", strerror(-ret));
	return fsync(*ret_fd) < 0 ? dfs_fail_errno(err, "fsync") : 0;
}

/* What came since goes behind the snapshot, unsynced as any record, and the file into place. */
static int replace(struct dfs_journal *j, int fd, const char *name, const struct dfs_buf *since, struct dfs_err *err)
{
	int ret = dfs_write_all(fd, since->data, since->len);

	if (ret == 0 && renameat(j->store->fd, name, j->store->fd, j->form->path) < 0)
		ret = -errno;
	return ret < 0 ? dfs_fail(err, -ret, "write anew: %s", strerror(-ret)) : 0;
}

/* Under the lock, by who set writing: the new file is in place, and *fd is it. */
static void settle(struct dfs_journal *j, int *fd, uint64_t size)
{
	int old = j->fd;

	j->fd = *fd;
	*fd = old;
	j->glue = false;
	j->size = size;
	j->compact_size = 2 * size > COMPACT_MIN ? 2 * size : COMPACT_MIN;
	j->retry_ms = 0;
}

/* Under the lock, by who set writing: all as before, with what was noted meanwhile. */
static void restore(struct dfs_journal *j, struct dfs_buf *before, bool was_stale)
{
	j->stale |= was_stale;
	if (!j->stale && dfs_buf_append(before, j->out.data, j->out.len) < 0)
		j->stale = true;
	if (j->stale) {
		be_stale(j);
		return;
	}
	dfs_buf_release(&j->out);
	j->out = *before;
	*before = (struct dfs_buf){ 0 };
	j->retry_ms = dfs_clock_ms(CLOCK_MONOTONIC) + RETRY_MS;
}

/* The last step: with the descriptor in our hands, so that no record falls between the files. */
static int take_over(struct dfs_journal *j, int ret, int *fd, const char *name, struct dfs_err *err)
{
	DFS_AUTO(buf) struct dfs_buf before = { 0 };
	DFS_AUTO(buf) struct dfs_buf since = { 0 };
	bool was_stale;

	pthread_mutex_lock(&j->lock);
	while (j->writing)
		pthread_cond_wait(&j->written, &j->lock);
	j->writing = true;
	before = j->out;
	since = j->since;
	j->out = j->since = (struct dfs_buf){ 0 };
	was_stale = j->stale;
	j->stale = j->compacting = false;
	if (ret == 0 && j->since_lost)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	pthread_mutex_unlock(&j->lock);
	if (ret == 0)
		ret = replace(j, *fd, name, &since, err);
	pthread_mutex_lock(&j->lock);
	if (ret == 0)
		settle(j, fd, j->snapshot.len + since.len);
	else
		restore(j, &before, was_stale);
	j->writing = false;
	pthread_cond_broadcast(&j->written);
	pthread_mutex_unlock(&j->lock);
	return ret;
}

int dfs_journal_compact(struct dfs_journal *j)
{
	DFS_AUTO(fd) int fd = -1;
	DFS_AUTO(mem) char *name = NULL;
	struct dfs_err err = { "" };
	bool told;
	int ret = write_snapshot(j, &fd, &name, &err);

	ret = take_over(j, ret, &fd, name, &err);
	if (ret < 0 && name)
		unlinkat(j->store->fd, name, 0);
	if (ret < 0 && !j->disabled && !j->frozen)
		tell(j, err.text);
	dfs_journal_flush(j);
	pthread_mutex_lock(&j->lock);
	told = j->told;
	j->told = told && j->stale;
	told = told && !j->stale;
	pthread_mutex_unlock(&j->lock);
	if (told && ret == 0)
		dfs_log_line(j->log, DFS_LOG_NOTICE, "%s/%s: written again", j->store->path, j->form->path);
	return ret;
}
