/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keeper_keep: an original comes, and goes on being kept for what takes the place of its file. See keeper.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/mark.h"
#include "util/clock.h"
#include "write/keeper_internal.h"

static int describe(const struct dfs_keep *keep, const struct stat *st, struct dfs_kept *ret_kept, struct dfs_err *err)
{
	struct dfs_kept kept = {
		.at_s = time(NULL), .until_s = keep->until_s, .bytes = (uint64_t)st->st_size, .hash = keep->hash,
		.mode = st->st_mode & 07777,
	};
	int ret = dfs_kept_begin(&kept, keep->fd, err);

	if (ret == 0)
		ret = dfs_file_id_of(keep->new_fd, &kept.files[0]);
	if (ret < 0)
		return ret;
	kept.path = strdup(keep->rel);
	if (!kept.path)
		return dfs_fail(err, ENOMEM, "out of memory");
	*ret_kept = kept;
	return 0;
}

static bool is_making(struct dfs_keeper *k, const char *id)
{
	const struct dfs_keeper_entry *e;
	bool making;

	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, id);
	making = e && e->making;
	pthread_mutex_unlock(&k->lock);
	return making;
}

static void end_making(struct dfs_keeper *k, const char *id, bool done)
{
	struct dfs_keeper_entry *e;

	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, id);
	if (e) {
		e->making = false;
		if (done)
			dfs_keeper_unhold(k, e);
		else
			dfs_keeper_drop(k, e);
	}
	pthread_mutex_unlock(&k->lock);
}

/* A second time it gives up bits. One that does not say so was emptied, and killed was who would have let go of what is kept of that. */
static int follow_again(struct dfs_keeper *k, const struct dfs_keep *keep, struct dfs_err *err)
{
	if (!dfs_mark_has(&dfs_mark_exact, keep->fd))
		return dfs_fail(err, EEXIST, "that of what the file held before is kept still; deltafsctl accept or revert");
	return dfs_keeper_follow(k, keep->fd, keep->new_fd, err);
}

int dfs_keeper_keep(struct dfs_keeper *k, const struct dfs_keep *keep, struct stat *st, char ret_id[DFS_KEPT_ID],
		    struct dfs_err *err)
{
	DFS_AUTO(kept) struct dfs_kept kept = { 0 };
	struct dfs_keeper_view view;
	struct dfs_kept mine;
	int ret;

	ret_id[0] = '\0';
	if (dfs_keeper_ask(k, keep->fd, &view))
		return follow_again(k, keep, err);
	ret = describe(keep, st, &kept, err);
	if (ret == 0 && dfs_kept_copy(&kept, &mine) < 0)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	if (ret < 0)
		return ret;
	/* Before it has another link: nobody is to see that. */
	pthread_mutex_lock(&k->lock);
	ret = dfs_keeper_add(k, &mine, true);
	pthread_mutex_unlock(&k->lock);
	if (ret < 0) {
		dfs_kept_release(&mine);
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	ret = dfs_kept_make(k->config.store, &kept, keep->fd, st, keep->watch, err);
	if (ret < 0)
		end_making(k, kept.id, false);
	else
		memcpy(ret_id, kept.id, DFS_KEPT_ID);
	return ret;
}

bool dfs_keeper_refused(int ret)
{
	return ret == -EEXIST || ret == -EPERM || ret == -EACCES || ret == -EXDEV || ret == -EMLINK || ret == -ENOTSUP || ret == -ENOSYS;
}

/* It may have failed after the rename. What cannot be told is kept. */
static bool may_have_taken(const struct dfs_keeper *k, const struct dfs_keep *keep)
{
	struct dfs_file_id there, new;
	int ret = dfs_file_id_at(dfs_store_fd(k->config.store), keep->rel, &there);

	if (ret < 0)
		return ret != -ENOENT && ret != -ENOTDIR;
	return dfs_file_id_of(keep->new_fd, &new) < 0 || dfs_file_id_same(&there, &new);
}

void dfs_keeper_placed(struct dfs_keeper *k, const char *id)
{
	if (k && *id)
		end_making(k, id, true);
}

void dfs_keeper_kept(struct dfs_keeper *k, const struct dfs_keep *keep, const char *id, bool done)
{
	if (!*id || !is_making(k, id))
		return;
	done = done || may_have_taken(k, keep);
	if (!done)
		dfs_kept_undo(k->config.store, id, keep->fd, keep->watch);
	end_making(k, id, done);
}

/* @anyway: what cannot be written down is known all the same, and the next look writes it */
static int follow(struct dfs_keeper *k, int old_fd, int new_fd, bool anyway, struct dfs_err *err)
{
	DFS_AUTO(kept) struct dfs_kept kept = { 0 };
	struct dfs_file_id old, new;
	struct dfs_keeper_entry *e;
	int ret;

	if (!k || !atomic_load(&k->n_now) || dfs_file_id_of(old_fd, &old) < 0 || dfs_file_id_of(new_fd, &new) < 0)
		return 0;
	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_hold_for(k, &old);
	ret = e ? dfs_kept_copy(&e->kept, &kept) : 0;
	pthread_mutex_unlock(&k->lock);
	if (!e)
		return 0;
	kept.files[0] = new;
	kept.files[1] = old;
	ret = ret < 0 ? dfs_fail(err, ENOMEM, "out of memory") : dfs_kept_write(k->config.store, &kept, err);
	pthread_mutex_lock(&k->lock);
	if (ret == 0 || anyway) {
		memcpy(e->kept.files, kept.files, sizeof(kept.files));
		e->followed_ms = dfs_clock_ms(CLOCK_MONOTONIC);
	}
	e->moved |= ret < 0 && anyway;
	dfs_keeper_unhold(k, e);
	pthread_mutex_unlock(&k->lock);
	return ret;
}

int dfs_keeper_follow(struct dfs_keeper *k, int old_fd, int new_fd, struct dfs_err *err)
{
	return follow(k, old_fd, new_fd, false, err);
}

void dfs_keeper_follow_written(struct dfs_keeper *k, int old_fd, int new_fd)
{
	struct dfs_err err = { "" };

	if (follow(k, old_fd, new_fd, true, &err) < 0 && k->config.log)
		dfs_log_line(k->config.log, DFS_LOG_WARNING, "%s; it is tried again", err.text);
}

