/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_place: a directory whose policy is asked for or changed, in a mount
 * or in a store (store/policy.h).
 *
 * What is changed of a store that is mounted read-write is changed through the
 * mount, so that its daemon knows.
 */
#ifndef DELTAFSCTL_POLICY_PLACE_H
#define DELTAFSCTL_POLICY_PLACE_H

#include "ctl.h"
#include "store/expand.h"
#include "store/policy.h"

struct ctl_place {
	int fd;			/* of the directory, for reading */
	char *path;		/* of it, resolved */
	char *root;		/* of the mount or store that it lies in; its own if in none */
	char *store;		/* path of the store; NULL: in none */
};

/**
 * ctl_place_open() - find it
 * @changes: its policy will be changed: not in a read-only mount
 * @ret_place: ctl_place_release() it in any case
 * Return: 0; -errno with a sentence.
 */
int ctl_place_open(const char *path, bool changes, struct ctl_place *ret_place, struct dfs_err *err);
void ctl_place_release(struct ctl_place *place);

DFS_AUTO_KIND(place, struct ctl_place, ctl_place_release(p));

/* ctl_place_read() - its own record. Return: 0; -errno with a sentence. */
int ctl_place_read(const struct ctl_place *place, struct dfs_paths *ret_lines, struct dfs_err *err);

/* ctl_place_write() - replace it, durably, with its time (dfs_policy_stamp()); no lines: remove it. Return: 0; -errno with a sentence. */
int ctl_place_write(const struct ctl_place *place, struct dfs_paths *lines, struct dfs_err *err);

/**
 * ctl_place_policy() - what holds there: its own and what it inherits
 * Directories that the user may not read are passed over, with a warning. Return: 0; -errno with a sentence.
 */
int ctl_place_policy(const struct ctl_place *place, struct dfs_policy *ret_policy, struct dfs_err *err);

/**
 * ctl_place_base() - what a policy calls the base that a user means
 * @ret_text: its ID; where the user may not see the bases, a path in the store; free() it
 * Return: 0; -errno with a sentence: no such base, ...
 */
int ctl_place_base(const struct ctl_place *place, const char *text, char **ret_text, struct dfs_err *err);

#endif
