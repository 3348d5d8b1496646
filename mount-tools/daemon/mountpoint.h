/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mountpoint: is the place fit to be mounted on, and is this process able to.
 * What is not gets one sentence that says what to do about it.
 */
#ifndef DELTAFS_MOUNTPOINT_H
#define DELTAFS_MOUNTPOINT_H

#include <stdbool.h>

#include "util/err.h"

/**
 * mountpoint_check() - look at the place, and clear away a dead mount of ours
 * @path: as the user wrote it
 * @ret_path: absolute, without symlinks; free() it
 *
 * A daemon that was killed leaves a mount behind that answers nothing but
 * ENOTCONN; it is detached here.
 * Return: 0; -ENOENT, -ENOTDIR, -EBUSY, ... with a sentence.
 */
int mountpoint_check(const char *path, char **ret_path, struct dfs_err *err);

/* mountpoint_able() - can this process mount at all. Return: 0; -errno with a sentence. */
int mountpoint_able(bool allow_other, struct dfs_err *err);

#endif
