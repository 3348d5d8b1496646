/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kept: see kept.h. Here: one of them, made and let go. */
#include "store/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/claim.h"
#include "store/internal.h"
#include "util/io.h"

/* A path, and some lines of numbers. */
#define RECORD_MAX 8192

/* --- which file */

static int file_id(int dir, const char *path, int flags, struct dfs_file_id *ret_id)
{
	struct statx st;

	if (statx(dir, path, flags, STATX_INO | STATX_BTIME, &st) < 0)
		return -errno;
	*ret_id = (struct dfs_file_id){ .ino = st.stx_ino };
	if (st.stx_mask & STATX_BTIME)
		ret_id->born_ns = st.stx_btime.tv_sec * INT64_C(1000000000) + st.stx_btime.tv_nsec;
	return 0;
}

int dfs_file_id_of(int fd, struct dfs_file_id *ret_id)
{
	return file_id(fd, "", AT_EMPTY_PATH, ret_id);
}

int dfs_file_id_at(int dir, const char *path, struct dfs_file_id *ret_id)
{
	return file_id(dir, path, AT_SYMLINK_NOFOLLOW, ret_id);
}

bool dfs_file_id_same(const struct dfs_file_id *a, const struct dfs_file_id *b)
{
	return a->ino == b->ino && (a->born_ns == b->born_ns || !a->born_ns || !b->born_ns);
}

/* --- the struct */

void dfs_kept_release(struct dfs_kept *kept)
{
	free(kept->path);
	kept->path = NULL;
}

int dfs_kept_copy(const struct dfs_kept *kept, struct dfs_kept *ret_copy)
{
	char *path = strdup(kept->path);

	if (!path)
		return -ENOMEM;
	*ret_copy = *kept;
	ret_copy->path = path;
	return 0;
}

bool dfs_kept_is_for(const struct dfs_kept *kept, const struct dfs_file_id *file)
{
	for (size_t i = 0; i < DFS_KEPT_FILES; i++)
		if (kept->files[i].ino && dfs_file_id_same(&kept->files[i], file))
			return true;
	return false;
}

char *dfs_kept_path(const char *id, char ret_path[DFS_KEPT_PATH_SIZE])
{
	snprintf(ret_path, DFS_KEPT_PATH_SIZE, DFS_KEPT_DIR "/%s", id);
	return ret_path;
}

char *dfs_kept_record_path(const char *id, char ret_path[DFS_KEPT_PATH_SIZE])
{
	snprintf(ret_path, DFS_KEPT_PATH_SIZE, DFS_KEPT_DIR "/%s" DFS_KEPT_RECORD, id);
	return ret_path;
}

bool dfs_kept_is_id(const char *text)
{
	return strlen(text) == DFS_KEPT_ID - 1 && strspn(text, "0123456789abcdef") == DFS_KEPT_ID - 1;
}

/* --- records */

int dfs_kept_read(const struct dfs_store *store, const char *id, struct dfs_kept *ret_kept)
{
	DFS_AUTO(buf) struct dfs_buf text = { 0 };
	char path[DFS_KEPT_PATH_SIZE];
	int ret = dfs_read_small(store->fd, dfs_kept_record_path(id, path), RECORD_MAX, &text);

	if (ret == -EINVAL || ret == -EFBIG || ret == -ELOOP)
		return -EUCLEAN;
	return ret < 0 ? ret : dfs_kept_unpack(id, text.data, text.len, ret_kept);
}

/* The room that the last one has does for this one. */
static int write_over(struct dfs_store *store, const char *path, const struct dfs_buf *text)
{
	DFS_AUTO(fd) int fd = openat(store->fd, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = dfs_pwrite_all(fd, text->data, text->len, 0);
	if (ret == 0 && (ftruncate(fd, (off_t)text->len) < 0 || fdatasync(fd) < 0))
		ret = -errno;
	return ret;
}

int dfs_kept_write(struct dfs_store *store, const struct dfs_kept *kept, struct dfs_err *err)
{
	DFS_AUTO(buf) struct dfs_buf text = { 0 };
	char path[DFS_KEPT_PATH_SIZE];
	int ret;

	if (dfs_kept_pack(kept, &text) < 0)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_write_durable(store, dfs_kept_record_path(kept->id, path), text.data, text.len, err);
	return (ret == -ENOSPC || ret == -EDQUOT) && write_over(store, path, &text) == 0 ? 0 : ret;
}

/* --- made */

static int link_unchanged(struct dfs_store *store, int fd, const char *path, struct stat *st)
{
	struct stat now;
	int ret;

	if (fstat(fd, &now) < 0)
		return -errno;
	if (!dfs_stat_unchanged(&now, st))
		return -ESTALE;
	ret = dfs_link_fd(fd, store->fd, path);
	if (ret == 0 && fstat(fd, &now) == 0)
		*st = now;
	return ret;
}

static int link_watched(struct dfs_store *store, int fd, const char *path, struct stat *st,
			const struct dfs_pin_watch *watch)
{
	int ret = watch ? watch->enter(watch->arg, fd) : 0;

	if (ret < 0)
		return ret;
	ret = link_unchanged(store, fd, path, st);
	if (watch)
		watch->leave(watch->arg, ret == 0 ? st : NULL);
	return ret;
}

static int sync_kept(struct dfs_store *store, struct dfs_err *err)
{
	int ret = dfs_sync_dir(store, DFS_KEPT_DIR);

	return ret < 0 ? dfs_fail(err, -ret, "fsync of %s/" DFS_KEPT_DIR ": %s", store->path, strerror(-ret)) : 0;
}

static int new_id(char ret_id[DFS_KEPT_ID])
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -errno;
	snprintf(ret_id, DFS_KEPT_ID, "%016" PRIx64, number);
	return 0;
}

static const char *why_no_link(int ret)
{
	switch (ret) {
	case -ESTALE:
		return "was changed meanwhile";
	case -EBUSY:
		return "somebody has it open for writing";
	case -EPERM:
	case -EACCES:
		return "hard links to it are not allowed here, by the file system or because another user owns it";
	default:
		return strerror(-ret);
	}
}

int dfs_kept_begin(struct dfs_kept *kept, int fd, struct dfs_err *err)
{
	int ret = new_id(kept->id);

	if (ret == 0)
		ret = dfs_file_id_of(fd, &kept->original);
	return ret < 0 ? dfs_fail(err, -ret, "its original cannot be kept: %s", strerror(-ret)) : 0;
}

int dfs_kept_make(struct dfs_store *store, const struct dfs_kept *kept, int fd, struct stat *st,
		  const struct dfs_pin_watch *watch, struct dfs_err *err)
{
	char path[DFS_KEPT_PATH_SIZE];
	int ret;

	/* what is kept must outlive a power cut, whoever wrote it just before */
	if (fsync(fd) < 0)
		return dfs_fail_errno(err, "fsync");
	ret = dfs_kept_write(store, kept, err);
	if (ret < 0)
		return ret;
	ret = link_watched(store, fd, dfs_kept_path(kept->id, path), st, watch);
	if (ret < 0) {
		dfs_kept_forget(store, kept->id, NULL);
		return dfs_fail(err, -ret, "%s", why_no_link(ret));
	}
	ret = sync_kept(store, err);
	if (ret < 0)
		dfs_kept_undo(store, kept->id, fd, watch);
	return ret;
}

/* Somebody who writes to it by now need not be kept from that. */
void dfs_kept_undo(struct dfs_store *store, const char *id, int fd, const struct dfs_pin_watch *watch)
{
	bool held = watch && watch->enter(watch->arg, fd) == 0;
	char path[DFS_KEPT_PATH_SIZE];
	struct stat st;
	bool gone = unlinkat(store->fd, dfs_kept_path(id, path), 0) == 0;

	if (held)
		watch->leave(watch->arg, gone && fstat(fd, &st) == 0 ? &st : NULL);
	if (gone)
		dfs_kept_forget(store, id, NULL);
}

/* --- read again */

bool dfs_kept_made(int fd, struct dfs_hash hash)
{
	struct dfs_claim claim;
	struct stat st;

	if (fstat(fd, &st) < 0 || dfs_claim_check(fd, (uint64_t)st.st_size, &claim) < 0 || !dfs_claim_lossy(&claim))
		return false;
	return dfs_hash_is_zero(hash) || dfs_hash_equal(claim.sb.source_hash, hash);
}

int dfs_kept_check(int fd, uint64_t bytes, struct dfs_hash hash, dfs_hash_progress_fn *progress, void *arg,
		   struct dfs_err *err)
{
	struct dfs_hash now;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return dfs_fail_errno(err, "stat");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != bytes)
		return dfs_fail(err, EUCLEAN, "it has %" PRIu64 " bytes, not %" PRIu64 ": somebody changed it",
				(uint64_t)st.st_size, bytes);
	if (dfs_hash_is_zero(hash))
		return 0;
	ret = dfs_hash_file(fd, progress, arg, &now, NULL);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s", ret == -ESTALE ? "it changed while it was read" : strerror(-ret));
	if (!dfs_hash_equal(now, hash))
		return dfs_fail(err, EUCLEAN, "its content is not what was kept: it is damaged, or somebody changed it");
	return 0;
}

/* --- let go */

int dfs_kept_forget(struct dfs_store *store, const char *id, struct dfs_err *err)
{
	char path[DFS_KEPT_PATH_SIZE];

	if (unlinkat(store->fd, dfs_kept_record_path(id, path), 0) < 0 && errno != ENOENT)
		return dfs_fail_errno(err, "remove %s/%s", store->path, path);
	return 0;
}

/* A record that went first would leave an original that nobody knows anything of. */
int dfs_kept_let_go(struct dfs_store *store, const char *id, struct dfs_err *err)
{
	char path[DFS_KEPT_PATH_SIZE];
	int ret;

	if (unlinkat(store->fd, dfs_kept_path(id, path), 0) < 0 && errno != ENOENT)
		return dfs_fail_errno(err, "remove %s/%s", store->path, path);
	ret = sync_kept(store, err);
	return ret < 0 ? ret : dfs_kept_forget(store, id, err);
}
