/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * anew: what is compressed already, or was, for a codec that gives up bits.
 * From an exact container it works on the bytes that this shows; what has given
 * up bits before is refused, unless --again asks for it: what is lossy, and
 * what has become something else since and has its original still. Of other
 * files that became plain nobody knows whether they gave up anything: it is
 * said that they may have.
 *
 * All of them are made plain before the first is coded: a codec that looks at
 * whole models reads every file of one.
 */
#ifndef DELTAFSCTL_ANEW_H
#define DELTAFSCTL_ANEW_H

#include "session.h"
#include "walk.h"
#include "write/spec.h"

/* ctl_anew_mark() - which of @files are such; nothing is changed, nothing said */
void ctl_anew_mark(const struct ctl *ctl, const struct dfs_spec *spec, struct ctl_files *files);

/* ctl_may_be_lossy() - false: whatever somebody asks for, since the name is the hash of the content: its own, or with -o that at OUT, and not that of a link to it */
bool ctl_may_be_lossy(const struct ctl *ctl, const struct ctl_file *file);

/* ctl_anew_note() - to be said of a file that gives up bits now; NULL: nothing */
const char *ctl_anew_note(const struct ctl_file *file);

/* ctl_anew_why_left() - why a container stays as it is */
const char *ctl_anew_why_left(const struct ctl_file *file);

/* ctl_anew_begin() - make those plain that are to be coded anew; what is refused, or fails, is told, and over */
void ctl_anew_begin(struct ctl *ctl, struct ctl_session *session, struct ctl_files *files, struct ctl_totals *totals);

/* ctl_anew_failed() - add to what went wrong with @file that it is plain by now, if so */
void ctl_anew_failed(const struct ctl_file *file, struct dfs_err *err);

#endif
