/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gamma: what info tells of the gain that ultradelta gave a whole model.
 */
#ifndef DELTAFSCTL_GAMMA_H
#define DELTAFSCTL_GAMMA_H

#include "ctl.h"
#include "format/container.h"

/* ctl_say_gamma() - nothing, unless one of the container's tables is ultradelta's */
void ctl_say_gamma(struct ctl *ctl, const struct dfs_container *c);

#endif
