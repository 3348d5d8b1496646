/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_norm: base list sets what fine-tunes of a base are compared with.
 */
#ifndef DELTAFSCTL_BASE_NORM_H
#define DELTAFSCTL_BASE_NORM_H

#include "ctl.h"
#include "tensor/norms.h"

/* ctl_base_norms_read() - of --norm and --exact-norm, which want one base. @ret_norms: as of dfs_registry_set_norms(). Return: CTL_DONE; CTL_USAGE. */
int ctl_base_norms_read(const struct ctl *ctl, struct dfs_norms *ret_norms);

/* ctl_base_norms_set() - by the daemon of a store that is mounted. Return: 0; -errno with a sentence. */
int ctl_base_norms_set(struct ctl *ctl, const struct dfs_norms *norms, struct dfs_err *err);

#endif
