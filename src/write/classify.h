/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * classify: is a file a model file, or bytes like any other.
 *
 * WRITE: plain file -> this -> choose base.
 */
#ifndef DFS_WRITE_CLASSIFY_H
#define DFS_WRITE_CLASSIFY_H

#include <stdbool.h>

#include "tensor/safetensors.h"
#include "util/auto.h"
#include "util/err.h"

DFS_AUTO_KIND(header, struct dfs_header *, dfs_header_free(*p));

/**
 * dfs_classify() - read the header of a file, if it has one
 * @ret_header: dfs_header_free() it; NULL: not a valid safetensors file (or
 *	beyond the limits), so opaque bytes
 * @ret_why: then says which rule it breaks; may be NULL
 *
 * Return: 0; -EIO, -ENOMEM, with a sentence in @err.
 */
int dfs_classify(int fd, struct dfs_header **ret_header, struct dfs_err *ret_why,
		 struct dfs_err *err);

/* dfs_classify_name() - is @name one that writers give to files they have not finished? The list is in rest.h. */
bool dfs_classify_name(const char *name);

#endif
