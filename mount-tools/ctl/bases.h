/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bases: the registered bases of a store, opened to choose one for each file.
 */
#ifndef DELTAFSCTL_BASES_H
#define DELTAFSCTL_BASES_H

#include "session.h"
#include "write/choose.h"

/* All zero is none yet. */
struct ctl_bases {
	struct dfs_model **models;	/* NULL entries could not be opened, which was said */
	size_t n;
	char *store;			/* whose they are */
	struct dfs_hand *hand;
};

/**
 * ctl_bases_choose() - the registered base that makes a file smallest
 * @ret_base: NULL: alone; owned by @bases
 * @ret_why: why none
 * Return: 0; errors of dfs_choose().
 */
int ctl_bases_choose(struct ctl_bases *bases, struct ctl_session *session,
		     const struct dfs_work_input *input, const struct dfs_model **ret_base,
		     const char **ret_why, struct dfs_err *err);

/* ctl_bases_pick() - the same, or what --base says. Return: 0; errors of that. */
int ctl_bases_pick(struct ctl_bases *bases, struct ctl_session *session, int fd, const struct dfs_header *header,
		   uint64_t len, const struct dfs_model **ret_base, const char **ret_why, struct dfs_err *err);

/* ctl_bases_release() - also to have them opened anew after the registry changed */
void ctl_bases_release(struct ctl_bases *bases);

#endif
