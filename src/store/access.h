/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * access: may this container be decoded against that base?
 *
 * A daemon that reads for many must not read for one what he could not read
 * himself: a container made by hand, with codec `copy` over somebody's private
 * base, would show that base. What deltafs published carries a mark that users
 * cannot forge and is never asked. The rule for all others (DESIGN, "Claim"):
 *
 *	its owner is root, the store's owner, or who runs this process: yes
 *	its owner could open the base by one of its names: yes
 *	the base has no name (any more) and its owner is the base's: yes
 *	else: no
 *
 * "Could open" is search permission on every directory above and read
 * permission on the file, by mode bits and the owner's groups. Group bits of
 * what has an ACL grant nothing, since they are the ACL's mask; the bits for
 * others only what it grants to everybody it names. A name is one
 * that the registry keeps and that still leads to the base, through no
 * symlink. Modes may change later: published containers do not depend on them.
 */
#ifndef DFS_STORE_ACCESS_H
#define DFS_STORE_ACCESS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "format/container.h"
#include "store/bases.h"
#include "store/claim.h"
#include "store/store.h"

/* What a directory or file on the way is; filled in by the lookup. */
struct dfs_access_node {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool has_acl;
	uint8_t acl_least;	/* has_acl: bits of the mode's kind that every user and group named in it has */
};

/* A name of the base: the nodes from "/" (or wherever the way begins) to the file. */
struct dfs_access_name {
	const struct dfs_access_node *nodes;	/* directories, and last the file */
	size_t n;
};

struct dfs_access {
	uid_t owner;			/* of the container */
	bool trusted;			/* by its mark */
	uid_t store_owner, self;	/* of the store's root; of this process */
	uid_t base_owner;
	const struct dfs_access_name *names;	/* that lead to the base now */
	size_t n_names;
	/* the owner's groups: getgrouplist(3), or a test's. Called at most once. Return: how many, at most @max. */
	size_t (*groups)(void *arg, uid_t uid, gid_t *ret_groups, size_t max);
	void *arg;
};

/* dfs_access_allows() - the rule, on facts alone */
bool dfs_access_allows(const struct dfs_access *access);

/**
 * dfs_access_check() - the rule, for an open container and an open base
 * @container: its attributes
 * @trusted: of its claim
 * @base: dfs_bases_get()'s for @want
 *
 * Looks at names and asks for the owner's groups only if they matter; then it
 * may wait for the name service, so not for a thread that others wait for.
 * The answer depends on the container by its owner and mark alone.
 * Return: 0; -EACCES with a sentence; -ENOMEM.
 */
int dfs_access_check(const struct dfs_store *store, const struct stat *container, bool trusted,
		     const struct dfs_base_file *want, const struct dfs_base *base,
		     struct dfs_err *err);

/**
 * dfs_access_may_read() - could this user open a file of the store by its name?
 * The same rule as for a base, for one that is to become one.
 * @rel: its path in the store
 * Return: 0; -EACCES; errors of looking it up; -ENOMEM.
 */
int dfs_access_may_read(const struct dfs_store *store, uid_t user, const char *rel);

/* dfs_access_refuse() - the sentence for such an answer, if it is known already. Return: @ret. */
int dfs_access_refuse(const struct stat *container, const struct dfs_base_file *want, int ret,
		      struct dfs_err *err);

#endif
