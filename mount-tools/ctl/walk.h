/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk: the files that FILE... and -r stand for, each once.
 *
 * A symlink that is named is followed. Below a directory, a symlink to a file
 * is followed too (a snapshot of a hub cache is nothing but symlinks to its
 * blobs). A file that is reached by its own name and by links is taken once,
 * under the first link's name: a blob's own is a hash that tells nobody much.
 * Symlinks to directories are not followed. .deltafs is left out.
 */
#ifndef DELTAFSCTL_WALK_H
#define DELTAFSCTL_WALK_H

#include "ctl.h"
#include "results.h"
#include "util/err.h"

/* Of what is compressed already, to a codec that gives up bits: see anew.h. */
enum ctl_anew {
	CTL_ANEW_NONE,		/* it is not */
	CTL_ANEW_PLAIN,		/* it is made plain, and then coded */
	CTL_ANEW_REFUSED,	/* it stays as it is: it gave up bits before, though it may be plain now */
	CTL_ANEW_NEVER,		/* the same, since its name is the hash of its content */
	CTL_ANEW_OVER,		/* that was told */
};

struct ctl_file {
	char *path;		/* as it was reached */
	const char *below;	/* in path: behind the directory that was named; the last component of a file that was */
	bool named;		/* by the user, not found by -r */
	bool link;		/* found as a symlink */
	uint64_t dev, ino;
	const struct ctl_file *twin;	/* an earlier one with the same below; NULL: none */
	bool made;		/* with -o: OUT/below was made from it */
	enum ctl_anew anew;
	bool before;		/* likewise: it was compressed before, and may have given up bits then */
	bool queued;		/* the daemon of its mount was asked to compress it */
};

struct ctl_files {
	struct ctl_file *files;
	size_t n;
	struct ctl_totals *totals;
};

/**
 * ctl_walk() - all files of ctl->args
 * @totals: what cannot be looked at is a result of its own there; NULL: it is said and counted only
 * @ret_files: ctl_files_release() it
 *
 * What cannot be looked at is a failure; the rest goes on. Return: 0; -EINVAL: a directory without -r, said; -ENOMEM.
 */
int ctl_walk(struct ctl *ctl, struct ctl_totals *totals, struct ctl_files *ret_files);
/* ctl_walk_maker() - the earlier file that OUT/below was made from already; NULL: none */
const struct ctl_file *ctl_walk_maker(const struct ctl_file *file);

void ctl_files_release(struct ctl_files *files);

DFS_AUTO_KIND(files, struct ctl_files, ctl_files_release(p));

#endif
