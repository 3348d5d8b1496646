/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounted: encode, of files that a daemon shows and writes.
 *
 * All that there are are queued first: the daemon goes through them although
 * this program is interrupted. Then each is waited for, and what came of it is
 * told.
 */
#ifndef DELTAFSCTL_MOUNTED_H
#define DELTAFSCTL_MOUNTED_H

#include "ctl.h"
#include "daemon.h"
#include "results.h"
#include "walk.h"

/* Of --base; all zero is not known yet. */
struct ctl_wish {
	char *store;		/* where it is a base; NULL: not known */
	struct dfs_hash base;
};

void ctl_wish_release(struct ctl_wish *wish);

/* ctl_mounted_queue() - what is shown by a daemon and can be compressed is queued there; what cannot be is left for ctl_mounted_encode() to tell */
void ctl_mounted_queue(struct ctl *ctl, struct ctl_files *files, struct ctl_wish *wish);

/* ctl_mounted_encode() - have it queued, unless it was, and wait for it. Return: 0 with the result; -errno with a sentence. */
int ctl_mounted_encode(struct ctl *ctl, const struct ctl_file *file, struct ctl_daemon *daemon, struct ctl_wish *wish,
		       struct ctl_result *ret_result, struct dfs_err *err);

#endif
