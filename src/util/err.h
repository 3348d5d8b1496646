/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err: a negative errno for the caller, and a sentence for the reader.
 *
 * The function that finds a failure writes the sentence with dfs_fail(); each
 * caller that knows a better subject puts it in front with dfs_err_at(); the
 * outermost one (a FUSE operation, a worker, a main) prints it once. The text
 * is a fixed buffer, so that failing never allocates.
 *
 * Vocabulary beyond the kernel's meanings:
 *   -EUCLEAN  bytes on disk make no sense
 *   -EBADMSG  a hash does not match
 *   -ENOTSUP  valid, but not in this build (a newer format, an unbuilt codec)
 *   -ERANGE   a codec declines this data (an outcome, not an error)
 */
#ifndef DFS_UTIL_ERR_H
#define DFS_UTIL_ERR_H

struct dfs_err {
	char text[1024];
};

/**
 * dfs_fail() - write the sentence of a failure
 * @err: where to; may be NULL
 * @code: a positive errno
 * @fmt: printf format, without subject, capital or full stop
 *
 * Return: -@code, so that a function ends with `return dfs_fail(...)`.
 */
int dfs_fail(struct dfs_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * dfs_err_at() - put a subject in front of a sentence: "subject: sentence"
 * @err: holds a sentence already; may be NULL
 * @ret: the negative errno to hand on
 *
 * Return: @ret.
 */
int dfs_err_at(struct dfs_err *err, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * dfs_fail_errno() - a failed system call: "what: strerror(errno)"
 * @what: the call and its object, e.g. "open model.safetensors"
 *
 * Return: -errno as it was at the call.
 */
int dfs_fail_errno(struct dfs_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
