/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lost_store: the root of a store that has lost its .deltafs.
 *
 * A container remembers its base by the path in the store. A mount, which is
 * told the store, finds it by that; a command is told a file, and looks for
 * the nearest directory above it from which that path leads to a base.
 */
#ifndef DELTAFSCTL_LOST_STORE_H
#define DELTAFSCTL_LOST_STORE_H

#include "util/err.h"

/**
 * ctl_lost_store() - the directory from which a base that the container @path names is where it was
 * @ret_root: absolute; free() it
 *
 * The base must be a regular file of the right size, and the path to it go
 * through no symlink. Return: 0; -ENOENT: no container, without a base, or
 * none is there; -ENOMEM; errors of reading @path.
 */
int ctl_lost_store(const char *path, char **ret_root);

#endif
