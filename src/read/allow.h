/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allow: may this view's owner have that base? Asked by a thread of its own,
 * remembered for a while.
 *
 * READ: bases.c -> this -> store/access
 *
 * The answer to the rule of store/access.h may take the name service, which
 * may take for ever. So a chunk that needs one is parked (gate.h) until it is
 * there; chunks of what deltafs published, or of root's, need none.
 *
 * What decides, besides the modes on the way and the owner's groups, is the
 * owner and the base; the rest is the same for all containers. So answers are
 * kept by owner and open of the base: another file at its place, or another
 * mode of it, is another open.
 */
#ifndef DFS_READ_ALLOW_H
#define DFS_READ_ALLOW_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "read/gate.h"
#include "store/bases.h"
#include "util/err.h"
#include "util/pool.h"

struct dfs_view;

/*
 * Seconds for which an answer holds. A grant that is taken back is good for so
 * long still, and each of its ends costs a reader the time of a question; a
 * refusal is gone soon after its reason was mended.
 */
#define DFS_ALLOW_GRANT_S 60
#define DFS_ALLOW_REFUSAL_S 2

/* Owners times bases in use at once; more of them ask more often. */
#define DFS_ALLOW_ANSWERS 64

struct dfs_answer {
	uint64_t serial;	/* of the base's open; 0: free */
	uid_t uid;
	int64_t until_s;	/* CLOCK_MONOTONIC */
	int ret;
};

struct dfs_allow {
	struct dfs_pool *pool;	/* the threads that ask */
	pthread_mutex_t lock;
	struct dfs_answer answers[DFS_ALLOW_ANSWERS];	/* under lock; a ring */
	unsigned next;					/* under lock */
	uint64_t asked;					/* under lock: questions so far */
};

/* dfs_allow_init() - Return: 0 or -errno: no thread to be had. */
int dfs_allow_init(struct dfs_allow *allow);
void dfs_allow_release(struct dfs_allow *allow); /* after the decoders */

/* dfs_allow_is_given() - is @view's owner one whom nobody needs to ask about? */
bool dfs_allow_is_given(const struct dfs_view *view);

/**
 * dfs_allow() - may @view be decoded against @base, its file number @file?
 * @ret_key: where to park, if -EAGAIN
 * Return: 0; -EACCES with a sentence; -EAGAIN: it is being asked; -ENOMEM.
 */
int dfs_allow(struct dfs_view *view, uint32_t file, struct dfs_base *base,
	      struct dfs_gate_key *ret_key, struct dfs_err *err);

#endif
