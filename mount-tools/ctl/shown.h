/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shown: the header of a model file as a mount would show it, be it plain or a container.
 */
#ifndef DELTAFSCTL_SHOWN_H
#define DELTAFSCTL_SHOWN_H

#include "read/view.h"
#include "tensor/safetensors.h"

/* ctl_shown_header() - of a container; no base is needed. @ret_header: NULL: it is no model. Return: 0; errors of reading. */
int ctl_shown_header(struct dfs_view *view, struct dfs_header **ret_header, struct dfs_err *err);

/* ctl_shown_header_at() - of what @fd is, a container or not. As above. */
int ctl_shown_header_at(int fd, const char *name, struct dfs_header **ret_header, struct dfs_err *err);

/* ctl_shown_header_of() - the same, for who does not want to know why there is none. Return: dfs_header_free() it; NULL. */
struct dfs_header *ctl_shown_header_of(const char *path);

#endif
