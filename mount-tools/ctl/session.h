/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session: the store that the files at hand lie in, opened once: its lock if
 * it is to be changed, its bases, a reader over them, and the base that the
 * user named.
 */
#ifndef DELTAFSCTL_SESSION_H
#define DELTAFSCTL_SESSION_H

#include <sys/stat.h>

#include "ctl.h"
#include "read/reader.h"
#include "store/bases.h"
#include "store/registry.h"
#include "store/store.h"
#include "write/ingest.h"
#include "write/keeper.h"
#include "write/model.h"

struct ctl_session {
	struct ctl *ctl;
	bool writer;			/* the store is changed: lock it */
	struct dfs_store *store;	/* NULL: the file lies in none (never if writer) */
	char *new_store;		/* where there is none: make this directory one; NULL: refuse */
	struct dfs_registry registry;
	bool hidden;			/* the registry is not for this user to read: empty here */
	struct dfs_keeper *keeper;	/* of originals; NULL: not a writer */
	struct dfs_bases *bases;
	struct dfs_reader *reader;
	struct dfs_model *base;		/* of --base; NULL: none given, or none opened yet */
};

/* ctl_session_init() - @writer: files will be changed in place */
void ctl_session_init(struct ctl_session *s, struct ctl *ctl, bool writer);
void ctl_session_release(struct ctl_session *s);

DFS_AUTO_KIND(session, struct ctl_session, ctl_session_release(p));

/**
 * ctl_session_enter() - be in the store of @path
 * @ret_rel: the file's path there; free() it; NULL if it lies in no store
 *
 * A writer is refused inside a mount, with the path to use instead; makes
 * .deltafs if it has to and may; holds the lock until the session leaves.
 * Return: 0; -EBUSY: somebody else writes; -ENOENT: no store; errors of those calls.
 */
int ctl_session_enter(struct ctl_session *s, const char *path, char **ret_rel, struct dfs_err *err);

/* ctl_session_enter_new() - the same for a file that is to be made: its directory exists */
int ctl_session_enter_new(struct ctl_session *s, const char *path, char **ret_rel, struct dfs_err *err);

/**
 * ctl_session_thaw() - make a container of its store plain, with progress
 * @path: as the user named it; @rel: of ctl_session_enter()
 * Return: as dfs_thaw().
 */
int ctl_session_thaw(struct ctl_session *s, const char *path, const char *rel, struct dfs_ingest_result *ret_done,
		     struct dfs_err *err);

/**
 * ctl_session_open() - be in the store @path itself, or in the one whose mount it is
 * A writer makes it a store and locks it. Return: 0; errors of those calls.
 */
int ctl_session_open(struct ctl_session *s, const char *path, struct dfs_err *err);

/**
 * ctl_session_base() - open what --base says
 *
 * For a writer a path that is no base of the store yet becomes one (it is
 * pinned, and that is said), since what is compressed in place needs it from
 * then on. Return: 0, with s->base; errors of opening, hashing, pinning.
 */
int ctl_session_base(struct ctl_session *s, struct dfs_err *err);

/* ctl_session_register() - make the model at @path a base of the store, and say so */
int ctl_session_register(struct ctl_session *s, const char *path, struct dfs_err *err);

/* ctl_session_reload() - read the registry again after a change. Return: 0; -ENOMEM, ... */
int ctl_session_reload(struct ctl_session *s, struct dfs_err *err);

/* ctl_session_is_base() - is the file of these attributes what a base of the store is read from */
bool ctl_session_is_base(const struct ctl_session *s, const struct stat *st);

/* ctl_say_added() - what dfs_registry_add() did with @path; with --json one of "bases_added" */
void ctl_say_added(struct ctl *ctl, const char *path, const struct dfs_registry_added *added);

#endif
