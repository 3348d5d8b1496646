/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon: the daemon that shows a file, if one does, and what it is asked
 * (fuse/control.h).
 *
 * A path in a mount leads to it, and so does one in a store that is mounted
 * read-write: the lock says where. The rights are those of who asks.
 */
#ifndef DELTAFSCTL_DAEMON_H
#define DELTAFSCTL_DAEMON_H

#include <stdbool.h>

#include "ctl.h"
#include "fuse/control.h"
#include "results.h"
#include "util/hash.h"

struct ctl_daemon {
	int fd;				/* of the file or directory in the mount, for reading; -1: none */
	char *path;			/* of it */
	struct dfs_control state;	/* as it was then */
	char told[640], base[64];	/* what a result points at */
};

/**
 * ctl_daemon_open() - find the daemon of @path, which exists
 * @ret_daemon: ctl_daemon_release() it in any case
 *
 * Return: 1: it answers; 0: there is none, or it knows nothing of this; -errno
 * with a sentence: it is there and cannot be asked, or @path is not.
 */
int ctl_daemon_open(const char *path, struct ctl_daemon *ret_daemon, struct dfs_err *err);

/* ctl_daemon_writer() - the same, but 0 for a daemon that changes nothing (a read-only mount) */
int ctl_daemon_writer(const char *path, struct ctl_daemon *ret_daemon, struct dfs_err *err);
void ctl_daemon_release(struct ctl_daemon *daemon);

DFS_AUTO_KIND(daemon, struct ctl_daemon, ctl_daemon_release(p));

/*
 * ctl_daemon_follow() - where its name leads to another file by now: to that
 * A codec that gives up bits, and revert, leave another file there, and the old
 * one to who has it open, and for a moment to who has its name.
 */
void ctl_daemon_follow(struct ctl_daemon *daemon);

/* ctl_daemon_ask() - one request. Return: 0; -errno with a sentence. */
int ctl_daemon_ask(const struct ctl_daemon *daemon, unsigned long request, struct dfs_control *c, struct dfs_err *err);

/* ctl_daemon_state() - ask anew. Return: as above. */
int ctl_daemon_state(struct ctl_daemon *daemon, struct dfs_err *err);

/* ctl_daemon_queue() - have a plain file compressed as soon as its turn comes. @base: the ID of the base; NULL: whatever the daemon chooses. @codec: SPEC; NULL: as it has it. Return: 0; -errno. */
int ctl_daemon_queue(const struct ctl_daemon *daemon, const struct dfs_hash *base, const char *codec, struct dfs_err *err);

/* ctl_daemon_await() - until nothing waits at the file. Return: 0 with the result; -errno: it was tried, and will be again; interrupted. */
int ctl_daemon_await(struct ctl_daemon *daemon, struct ctl_result *result, struct dfs_err *err);

/* ctl_daemon_decode() - have a file made plain, and wait for it. Return: 0 with the result; -errno. */
int ctl_daemon_decode(struct ctl_daemon *daemon, struct ctl_result *result, struct dfs_err *err);

/**
 * ctl_daemon_decide() - have the original of a file take its place, or let go of it; and wait for that
 * @written: reverts, though somebody may have written to the file since
 * @ret_bytes: of the original
 * Return: 0; -ENOENT: nothing is kept of it; -EEXIST: somebody may have; -errno.
 */
int ctl_daemon_decide(struct ctl_daemon *daemon, bool reverts, bool written, uint64_t *ret_bytes, struct dfs_err *err);

/* ctl_daemon_result() - what the file is now, in words: compressed, or left for a reason */
void ctl_daemon_result(struct ctl_daemon *daemon, struct ctl_result *result);

/* ctl_daemon_outcome() - the same once nothing waits at it: of the file that has its name then, which is another one where bits were given up */
void ctl_daemon_outcome(struct ctl_daemon *daemon, struct ctl_result *result);

/* ctl_pause() - between two looks: 5 ms the first time, a fifth of a second in the end. @ms: begins as 0. */
void ctl_pause(unsigned *ms);

/**
 * ctl_daemon_mountpoint() - where the store of @path is mounted, read-write if it is so
 * @ret_point: free() it; NULL: nowhere that is known
 * @ret_store: free() it; of a path in a store, or in a mount of one; NULL: neither
 * Return: 0; -errno with a sentence: no such path, ...
 */
int ctl_daemon_mountpoint(const char *path, char **ret_point, char **ret_store, struct dfs_err *err);

#endif
