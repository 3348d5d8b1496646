/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * left: which files encode leaves as they are before anything is read at length.
 */
#ifndef DELTAFSCTL_LEFT_H
#define DELTAFSCTL_LEFT_H

#include <sys/stat.h>

#include "results.h"
#include "tensor/safetensors.h"
#include "util/err.h"
#include "walk.h"

/**
 * ctl_left() - is there nothing to do with a file?
 * @fd: the file; @st its attributes
 * @ret_header: of a safetensors file; dfs_header_free() it; NULL: it is none
 *
 * Return: 1: it stays as it is, with the result; 0; -errno with a sentence.
 */
int ctl_left(const struct ctl *ctl, const struct ctl_file *file, int fd, const struct stat *st,
	     struct dfs_header **ret_header, struct ctl_result *ret_result, struct dfs_err *err);

#endif
