/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thaw: a container becomes plain while it is written to.
 *
 * WRITE, backwards: container -> view -> this -> publish.
 *
 * A temporary file of the full size is made when a container is opened for
 * writing; nothing else happens until something is written. Then a job decodes
 * the old file into it, window by window, around what has been written. What
 * is written goes into it at once, at its offset, and is never decoded over.
 * Meanwhile each byte is either old (in the view) or in the temporary; see
 * dfs_thaw_where(). When all of it is in the temporary, whoever waits is told,
 * and the caller publishes it.
 *
 *	dfs_thaw_new()	 open(O_RDWR): reserves
 *	dfs_thaw_write() the first one starts the decode
 *	dfs_thaw_where(), dfs_thaw_read_mixed()
 *	dfs_thaw_then()	 flush, fsync, truncate: parked until it is complete
 *	dfs_thaw_result(), dfs_thaw_take(), dfs_publish()
 *	dfs_thaw_free()	 the last release
 *
 * If it fails (a base is missing, a chunk is damaged, the disk is full), the
 * container stays as it was, and writers get the reason from then on.
 *
 * Memory: the struct; a bit for each 4 KiB of the file; 1 MiB at most for
 * pieces of such blocks; 1 MiB while a thread of the pool works on it.
 *
 * Threads: any function from any thread, but dfs_thaw_free(): only when no
 * other call on the same thaw runs or follows. One lock inside, never held
 * over I/O or a decode.
 */
#ifndef DFS_WRITE_THAW_H
#define DFS_WRITE_THAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "read/view.h"
#include "store/store.h"
#include "util/err.h"
#include "util/pool.h"

struct dfs_thaw;

/* All but the name borrowed until dfs_thaw_free() has returned. */
struct dfs_thaw_config {
	struct dfs_store *store;	/* prepared: the temporary is made there */
	/*
	 * Whose jobs decode, as DFS_URGENT: somebody waits. Its threads bound how
	 * many thaws decode at once; a base that hangs keeps one of them per thaw
	 * until that is freed or cancelled, so it wants spares.
	 */
	struct dfs_pool *pool;
	struct dfs_view *view;		/* the old file */
	const char *name;		/* for sentences; copied */
};

/**
 * dfs_thaw_new() - reserve: a temporary file of the size that @config->view shows
 * @ret_thaw: dfs_thaw_free() it
 *
 * Nothing is decoded. Fast where fallocate(2) is; a file system without it is
 * asked for its free room instead, which is no promise.
 *
 * Return: 0; -ENOSPC, -EDQUOT; -EFBIG: larger than the file system or
 * RLIMIT_FSIZE (let SIGXFSZ be ignored) allow; errors of dfs_store_tmp(); -ENOMEM.
 */
int dfs_thaw_new(const struct dfs_thaw_config *config, struct dfs_thaw **ret_thaw, struct dfs_err *err);

/**
 * dfs_thaw_free() - end it
 *
 * A decode under way is cancelled, see dfs_thaw_cancel(). The temporary is
 * removed, and its room is back, unless it was taken. Waits for no disk but
 * that of the temporary, for no base and for no decode: memory that a decode
 * thread still writes to is let go of by that thread. NULL is fine.
 */
void dfs_thaw_free(struct dfs_thaw *thaw);

/**
 * dfs_thaw_cancel() - give up: the result is -ECANCELED, and who waits is told
 *
 * Nothing if it is complete or has failed already. Does not block.
 */
void dfs_thaw_cancel(struct dfs_thaw *thaw);

/* dfs_thaw_begin() - start the decode unless it was started. A failure shows in dfs_thaw_result(). Does not block. */
void dfs_thaw_begin(struct dfs_thaw *thaw);
/* dfs_thaw_begun() - was it ever started? Also true once it is complete or has failed. */
bool dfs_thaw_begun(struct dfs_thaw *thaw);

/**
 * dfs_thaw_write() - write bytes at their place, and start the decode unless it was started
 * @off: may lie behind the end: the file grows, zeros between
 *
 * Never waits for a decode; only, where the decode thread puts old bytes into
 * the page cache in the same place, for that.
 *
 * Return: bytes written, less than @len only if the disk did not take more;
 * -EAGAIN: DFS_COVER_PIECES pieces of 4 KiB blocks wait for their decode: call
 * dfs_thaw_write_slowly(), where blocking is allowed (never if @off and
 * @off + @len are multiples of 4096, or at or behind the old end);
 * -EFBIG: beyond what a file may have, or RLIMIT_FSIZE; the thaw's failure, as
 * dfs_thaw_result(); errors of pwrite(2); -ENOMEM.
 */
ssize_t dfs_thaw_write(struct dfs_thaw *thaw, const void *buf, size_t len, uint64_t off, struct dfs_err *err);

/* dfs_thaw_write_slowly() - the same, decoding first the two blocks that the range cuts. Return: never -EAGAIN; also errors of dfs_view_read(). */
ssize_t dfs_thaw_write_slowly(struct dfs_thaw *thaw, const void *buf, size_t len, uint64_t off, struct dfs_err *err);

enum dfs_thaw_where {
	DFS_THAW_OLD,	/* nothing of it was written: dfs_view_read(), dfs_view_submit() */
	DFS_THAW_NEW,	/* all of it was written or decoded: pread(dfs_thaw_fd()) */
	DFS_THAW_MIXED,	/* dfs_thaw_read_mixed(), where blocking is allowed */
};

/**
 * dfs_thaw_where() - where to read [@off, @off + @len) now
 *
 * Holds for a read that began before the call: a write that is over by then
 * is seen. What was NEW stays so, unless the thaw fails: then everything is
 * OLD again. Nothing at or behind the end is NEW: there pread() reads nothing.
 */
enum dfs_thaw_where dfs_thaw_where(struct dfs_thaw *thaw, uint64_t off, size_t len);

/**
 * dfs_thaw_read_mixed() - old bytes, overlaid with what is in the temporary
 * @ret_len: bytes copied, less than @len only at the end of the file
 *
 * Blocks on disk and decodes; fine wherever dfs_thaw_where() points.
 * Return: 0; errors of dfs_view_read() and pread(2).
 */
int dfs_thaw_read_mixed(struct dfs_thaw *thaw, void *buf, size_t len, uint64_t off, size_t *ret_len,
			struct dfs_err *err);

/* dfs_thaw_size() - the file's size now: the old one, or the end of what was written. Once complete, fstat() of the descriptor says it. */
uint64_t dfs_thaw_size(struct dfs_thaw *thaw);

/* dfs_thaw_done() - how far the decode is: all before this offset is in the temporary. For people. */
uint64_t dfs_thaw_done(struct dfs_thaw *thaw);

/* dfs_thaw_fd() - the temporary, O_RDWR; borrowed until dfs_thaw_free() */
int dfs_thaw_fd(const struct dfs_thaw *thaw);

/* Who waits: the caller's, with @job.run set. It must live until that was entered. */
struct dfs_thaw_wait {
	struct dfs_job job;
	struct dfs_pool *pool;
	enum dfs_urgency urgency;
	struct dfs_thaw_wait *next;	/* under the thaw's lock */
};

/**
 * dfs_thaw_then() - submit @wait->job to @pool once all is decoded, or that failed
 *
 * At once if it is so already. Starts the decode unless it was started. Who
 * still waits at dfs_thaw_free() is submitted then, and may not touch the thaw.
 * Does not block.
 */
void dfs_thaw_then(struct dfs_thaw *thaw, struct dfs_thaw_wait *wait, struct dfs_pool *pool,
		   enum dfs_urgency urgency);

/**
 * dfs_thaw_result() - how it went
 *
 * Return: 0: all is in the temporary; -EINPROGRESS: not yet, or not begun; the
 * decode's failure, with its sentence: errors of dfs_view_read(); -ESTALE: the
 * old file became shorter; -ENOSPC, -EIO, ... of writing; -ECANCELED; -ENOMEM.
 */
int dfs_thaw_result(struct dfs_thaw *thaw, struct dfs_err *err);

/**
 * dfs_thaw_take() - the finished temporary, to be published; only once
 * @ret_fd: another descriptor of it; close() it
 * @ret_tmp_name: relative to the store; free() it. The file is the caller's to
 *	publish or remove.
 *
 * Not synced. Reads and writes through the thaw go on until dfs_thaw_free().
 * Return: 0; -EINVAL: it was taken; -EMFILE, ... of dup; as dfs_thaw_result().
 */
int dfs_thaw_take(struct dfs_thaw *thaw, int *ret_fd, char **ret_tmp_name, struct dfs_err *err);

#endif
