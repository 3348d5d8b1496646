/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits: what the file system under a store cannot do.
 */
#include "store/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/xattr.h>

#include "store/claim.h"
#include "store/internal.h"
#include "util/caps.h"

static bool has_xattrs(const struct dfs_store *store)
{
	/* Without the right the kernel does not even ask the file system. */
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);

	return fgetxattr(store->fd, dfs_claim_xattr(), NULL, 0) >= 0 || errno != ENOTSUP;
}

/* A shared lock on the root: nobody else locks that. */
static bool has_locks(const struct dfs_store *store)
{
	if (flock(store->fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK || errno == EINTR;
	flock(store->fd, LOCK_UN);
	return true;
}

/* True also if it cannot be tried: then something else is said about it. */
static bool has_links(struct dfs_store *store)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(mem) char *twin = NULL;
	DFS_AUTO(fd) int fd = -1;
	bool has = true;

	if (store->lock_fd < 0 || dfs_store_tmp(store, &fd, &name, NULL) < 0)
		return true;
	if (asprintf(&twin, "%s-twin", name) >= 0) {
		has = linkat(store->fd, name, store->fd, twin, 0) == 0 || errno == ENOSPC ||
		      errno == EDQUOT;
		unlinkat(store->fd, twin, 0);
	}
	unlinkat(store->fd, name, 0);
	return has;
}

size_t dfs_store_limits(struct dfs_store *store, struct dfs_err *ret_sentences)
{
	size_t n = 0;

	if (!has_xattrs(store))
		dfs_fail(
			&ret_sentences[n++], ENOTSUP,
			"%s: this file system has no extended attributes, so a container is told by its content alone and counts as made by whoever owns it",
			store->path);
	if (!has_locks(store))
		dfs_fail(
			&ret_sentences[n++], ENOLCK,
			"%s: this file system has no file locks, so nothing keeps a second writer out; it can only be read",
			store->path);
	if (!has_links(store))
		dfs_fail(
			&ret_sentences[n++], ENOTSUP,
			"%s: this file system has no hard links, so a base that is added is cloned or copied",
			store->path);
	return n;
}
