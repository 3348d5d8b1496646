/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * harden: a daemon of root gives up what it can do without.
 */
#ifndef DELTAFS_HARDEN_H
#define DELTAFS_HARDEN_H

#include "util/err.h"

/**
 * harden() - for a daemon of root; one of a user keeps all it has
 *
 * A user's unmounting takes a setuid program, which no_new_privs would disarm.
 * Before any thread is started: rights are a thread's own, and handed on to
 * those that it starts. Return: 0; -errno of capset(2).
 */
int harden(struct dfs_err *err);

#endif
