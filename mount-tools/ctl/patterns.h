/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patterns: include= and exclude= of a codec whose pattern is no tensor's name
 * are mistyped, most likely.
 */
#ifndef DELTAFSCTL_PATTERNS_H
#define DELTAFSCTL_PATTERNS_H

#include "walk.h"
#include "write/spec.h"

/* ctl_patterns() - warn of those that no tensor of any of @files is called by; with --json they are "unmatched" too */
void ctl_patterns(const struct ctl *ctl, const struct dfs_spec *spec, const struct ctl_files *files);

#endif
