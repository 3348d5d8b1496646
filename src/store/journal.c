/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: see journal.h; journal_anew.c writes it anew.
 */
#include "store/journal_state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "util/clock.h"
#include "util/io.h"

void dfs_journal_be_stale(struct dfs_journal *j)
{
	j->stale = true;
	j->out.len = 0;
	j->retry_ms = dfs_clock_ms(CLOCK_MONOTONIC) + RETRY_MS;
}

void dfs_journal_tell(struct dfs_journal *j, const char *why)
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
	dfs_journal_be_stale(j);
	if (!j->disabled)
		dfs_journal_tell(j, ret == -EINVAL ? "no regular file" : strerror(-ret));
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
		j->unsynced = true;
		j->writing = false;
		if (ret < 0) {
			failed = ret;
			dfs_journal_be_stale(j);
		}
		pthread_cond_broadcast(&j->written);
		dfs_buf_release(&records);
	}
	pthread_mutex_unlock(&j->lock);
	if (failed)
		dfs_journal_tell(j, strerror(-failed));
}

void dfs_journal_sync(struct dfs_journal *j)
{
	DFS_AUTO(fd) int fd = -1;
	int failed;

	pthread_mutex_lock(&j->lock);
	while (j->writing)
		pthread_cond_wait(&j->written, &j->lock);
	/* a descriptor of its own: nobody who appends waits for this */
	if (j->unsynced && !j->stale && j->fd >= 0)
		fd = fcntl(j->fd, F_DUPFD_CLOEXEC, 0);
	j->unsynced &= fd < 0;
	pthread_mutex_unlock(&j->lock);
	if (fd < 0 || fsync(fd) == 0)
		return;
	failed = errno;
	/* what is in the file now nobody knows, and another fsync would not tell */
	pthread_mutex_lock(&j->lock);
	dfs_journal_be_stale(j);
	pthread_mutex_unlock(&j->lock);
	dfs_journal_tell(j, strerror(failed));
}
