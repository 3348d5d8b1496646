/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_norm: base list sets what fine-tunes of a base are compared with.
 */
#ifndef DELTAFSCTL_BASE_NORM_H
#define DELTAFSCTL_BASE_NORM_H

#include "ctl.h"

/* ctl_base_norms_check() - --norm and --exact-norm want one base, and a number. Return: CTL_DONE; CTL_USAGE. */
int ctl_base_norms_check(const struct ctl *ctl);

/* ctl_base_norms_set() - by the daemon of a store that is mounted. Return: 0, also if nobody wants it; -errno with a sentence. */
int ctl_base_norms_set(struct ctl *ctl, struct dfs_err *err);

#endif
