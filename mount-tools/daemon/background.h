/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * background: a daemon whose starter waits until it works.
 *
 * background_start() forks; in the parent it does not return but exits, with 0
 * once the child called background_ready(), else with the child's status. The
 * child keeps standard error until then, so that its sentence is seen.
 */
#ifndef DELTAFS_BACKGROUND_H
#define DELTAFS_BACKGROUND_H

#include "util/err.h"

struct background {
	int ready_fd;	/* -1: nobody waits */
};

/* @failed: the parent's exit status if the child dies without a word. Return (child only): 0; -errno. Before any thread is started. */
int background_start(struct background *background, int failed, struct dfs_err *err);

/* background_ready() - let the starter go, and the terminal; any thread */
void background_ready(struct background *background);

#endif
