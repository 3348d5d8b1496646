/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * found_bases: nobody named a base, and whole directories are given: the
 * families among the files are found, as estimate does, and what it would say
 * is registered.
 */
#ifndef DELTAFSCTL_FOUND_BASES_H
#define DELTAFSCTL_FOUND_BASES_H

#include "bases.h"
#include "walk.h"

/* ctl_found_bases() - none in a store that is mounted: its daemon takes no new bases from here. Return: 0; -errno. */
int ctl_found_bases(struct ctl_bases *bases, struct ctl_session *session, const struct ctl_files *files,
		    struct dfs_err *err);

#endif
