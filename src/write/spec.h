/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spec: what a user asks for by --codec: `exact`, or a codec with options.
 */
#ifndef DFS_WRITE_SPEC_H
#define DFS_WRITE_SPEC_H

#include "util/err.h"

/**
 * dfs_spec_check() - can this build do what @spec asks
 * @spec: NULL: "exact"
 *
 * Return: 0; -EINVAL (no such codec; the sentence names the nearest);
 * -ENOTSUP (a codec that is not in this build, or none that can be asked for
 * by itself).
 */
int dfs_spec_check(const char *spec, struct dfs_err *err);

#endif
