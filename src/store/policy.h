/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy: what the owner of a directory wants to become of the files below it.
 *
 * An attribute of the directory, so that it moves with it: "user.deltafs.policy",
 * or "trusted.deltafs.policy" where the file system keeps no others. Its value
 * is a record, lines of
 *
 *	codec=SPEC	how files are encoded
 *	base=ID|PATH	the one base they are coded against; "auto": what suits best
 *	quiet=SECONDS	so long unwritten they are at rest
 *	ingest=on|off	off: they stay as they are
 *	existing=on|off	on: what was there before the mount is compressed as well
 *	keep=DURATION	so long the original of a file that gives up bits is kept; "manual": until somebody decides; "none"
 *	exclude=GLOB	these stay as they are; any number of such lines
 *	since=NUMBER	when codec was set or taken back, in nanoseconds since 1970; with it, and not by a user
 *
 * in any order. A PATH is relative to the store. Each holds for all that lies
 * below, until a directory further down says otherwise; patterns add up. Lines
 * that make no sense (of a later version, or damaged) are passed over, and kept.
 */
#ifndef DFS_STORE_POLICY_H
#define DFS_STORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "store/expand.h"
#include "store/store.h"
#include "util/bytes.h"
#include "util/err.h"

#define DFS_POLICY_XATTR "user.deltafs.policy"
#define DFS_POLICY_XATTR_TRUSTED "trusted.deltafs.policy"

/* A record's bytes. More does not fit into a block of ext4 beside an ACL. */
#define DFS_POLICY_MAX 2048

enum dfs_policy_key {
	DFS_POLICY_CODEC,
	DFS_POLICY_BASE,
	DFS_POLICY_QUIET,
	DFS_POLICY_INGEST,
	DFS_POLICY_EXISTING,
	DFS_POLICY_KEEP,
	DFS_POLICY_EXCLUDE,
	DFS_POLICY_SINCE,
	DFS_POLICY_KEYS
};

/* dfs_policy_word() - "codec" */
const char *dfs_policy_word(enum dfs_policy_key key);

/**
 * dfs_policy_check() - does a line make sense
 * @ret_key, @ret_value: the latter points into @line; each may be NULL
 * Return: 0; -EINVAL with a sentence that says what would.
 */
int dfs_policy_check(const char *line, enum dfs_policy_key *ret_key, const char **ret_value, struct dfs_err *err);

/* --- a record, as lines; dfs_paths_release() them */

/* dfs_policy_split() - of an attribute's value. Return: 0; -ENOMEM. */
int dfs_policy_split(const char *text, size_t len, struct dfs_paths *ret_lines);

/* dfs_policy_join() - back. Return: 0; -E2BIG with a sentence; -ENOMEM. */
int dfs_policy_join(const struct dfs_paths *lines, struct dfs_buf *ret_text, struct dfs_err *err);

/* dfs_policy_put() - a line that makes sense: it replaces that of its key; a pattern joins the others. Return: 0; -ENOMEM. */
int dfs_policy_put(struct dfs_paths *lines, const char *line);

/* dfs_policy_drop() - lines of a key ("exclude"), or one line ("exclude=*.bin"). Return: how many went. */
size_t dfs_policy_drop(struct dfs_paths *lines, const char *what);

/* dfs_policy_line() - the line of a key that has one; NULL: there is none */
const char *dfs_policy_line(const struct dfs_paths *lines, enum dfs_policy_key key);

/**
 * dfs_policy_stamp() - say from when on what replaces a record holds
 * @old: what the directory has
 * A codec that gives up bits is for what comes from now on, whether it is set
 * or, since a nearer one is taken back, inherited: see write/permit.h. Where
 * the codec stays so does its time. Waits for up to 10 ms. Return: 0; -ENOMEM.
 */
int dfs_policy_stamp(const struct dfs_paths *old, struct dfs_paths *lines);

/**
 * dfs_policy_read() - the record of a directory
 * @fd: of the directory, in a store or in a mount; open for reading
 * Return: 0, without a line if it has none; -EACCES, -EIO, -ENOMEM.
 */
int dfs_policy_read(int fd, struct dfs_paths *ret_lines);

/* --- what holds at a place */

struct dfs_policy_setting {
	enum dfs_policy_key key;
	char *value;
	char *from;	/* the directory whose record it is */
};

/* Of a directory and all above it: the nearest first. */
struct dfs_policy {
	struct dfs_policy_setting *settings;
	size_t n;
};

/**
 * dfs_policy_load() - what holds for the files in a directory of the store
 * @rel: path of the directory, or of a file in it
 * Return: 0; -EIO, -EMFILE, -ENOMEM. What is not there or not to be read has no record.
 */
int dfs_policy_load(const struct dfs_store *store, const char *rel, struct dfs_policy *ret_policy);
void dfs_policy_release(struct dfs_policy *policy);

/* dfs_policy_add() - the record of the next directory above. Return: 0; -ENOMEM. */
int dfs_policy_add(struct dfs_policy *policy, const char *from, const struct dfs_paths *lines);

/* dfs_policy_get() - the nearest setting of a key; NULL: none */
const struct dfs_policy_setting *dfs_policy_get(const struct dfs_policy *policy, enum dfs_policy_key key);

/* dfs_policy_is() - of a key that is on or off; @otherwise: nobody says */
bool dfs_policy_is(const struct dfs_policy *policy, enum dfs_policy_key key, bool otherwise);

/* dfs_policy_quiet_ms() - @otherwise: nobody says */
unsigned dfs_policy_quiet_ms(const struct dfs_policy *policy, unsigned otherwise);

/* dfs_policy_excludes() - the pattern that a file of the store matches by its path below the directory of the pattern; NULL: none */
const struct dfs_policy_setting *dfs_policy_excludes(const struct dfs_policy *policy, const char *rel);

DFS_AUTO_KIND(policy, struct dfs_policy, dfs_policy_release(p));

#endif
