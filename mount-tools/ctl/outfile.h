/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outfile: a file that -o names: there whole, or as it was before.
 *
 * It is written without a name (O_TMPFILE), so whatever ends the program ends
 * it too. Where the file system knows none, or OUT exists and must be
 * replaced, it is called .OUT.deltafs-tmp meanwhile, which the next run for
 * the same OUT replaces.
 */
#ifndef DELTAFSCTL_OUTFILE_H
#define DELTAFSCTL_OUTFILE_H

#include <stdbool.h>

#include "util/auto.h"
#include "util/err.h"
#include "walk.h"

struct ctl_outfile {
	int fd;			/* read and write; of a pipe or device: write */
	char *path;
	char *tmp;		/* its name meanwhile */
	bool named;		/* tmp exists */
	bool direct;		/* path is a pipe, a device: written as it is */
};

/* ctl_outfile_open() - begin; an existing regular file stays until commit. Return: 0; errors of open. */
int ctl_outfile_open(struct ctl_outfile *out, const char *path, struct dfs_err *err);

/* ctl_outfile_reopen() - a second descriptor for reading, that shares nothing with the first. Return: it, or -errno. */
int ctl_outfile_reopen(const struct ctl_outfile *out, struct dfs_err *err);

/* ctl_outfile_commit() - fsync, take the name, fsync the directory. Return: 0; errors of those calls. */
int ctl_outfile_commit(struct ctl_outfile *out, struct dfs_err *err);

/* ctl_outfile_release() - without commit nothing is left */
void ctl_outfile_release(struct ctl_outfile *out);

DFS_AUTO_KIND(outfile, struct ctl_outfile, ctl_outfile_release(p));

/**
 * ctl_outfile_place() - where the output for one file goes
 * @out: of -o
 * @many: there may be several: @out is a directory, made if it is not there
 *
 * Directories on the way are made. What was made from another file of this
 * call, and @file itself, are no place. Return: free() it; NULL with the
 * reason in @err.
 */
char *ctl_outfile_place(const char *out, const struct ctl_file *file, bool many, struct dfs_err *err);

/**
 * ctl_outfile_name() - the absolute path of that place, by no link: a link of its own name is replaced
 * Nothing is made. Return: free() it; NULL: out of memory, or it cannot be told.
 */
char *ctl_outfile_name(const struct ctl *ctl, const struct ctl_file *file);

/* ctl_outfile_streams() - is @out, of -o, standard output? A container has to be read back, and is never written there. */
bool ctl_outfile_streams(const char *out);

#endif
