/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: is a store whole, and what of it can be mended.
 *
 * Each thing that is wrong is one finding. What a kind of finding is called,
 * and how far it may be mended, is one row of the table in check.c. Nothing is
 * mended by guessing: what is written was proven by hashes, and what is removed
 * is deltafs's own, or is there a second time. A file that read right before
 * reads the same after.
 *
 *	dfs_check_state()	.deltafs but bases: version, tmp, journals, hashes
 *	dfs_check_models()	registered models and the pins they ask for
 *	dfs_check_tree()	every file (write/check_tree.h), and the bases it needs
 *	dfs_check_pins()	what is left: pins that nobody needs, models whose record is lost
 *
 * in this order, since each uses what the one before found out.
 * All from one thread.
 */
#ifndef DFS_STORE_CHECK_H
#define DFS_STORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "store/bases.h"
#include "store/hashes.h"
#include "store/journal_line.h"
#include "store/registry.h"
#include "store/walk.h"
#include "util/bytes.h"

enum dfs_check_kind {
	DFS_CHECK_VERSION,	/* .deltafs/version makes no sense */
	DFS_CHECK_TMP,		/* left in .deltafs/tmp or kept by a crash */
	DFS_CHECK_JOURNAL,	/* damaged lines of pending or reasons */
	DFS_CHECK_HASH,		/* a remembered hash is damaged */
	DFS_CHECK_STATE,	/* something else of .deltafs is not what it should be */
	DFS_CHECK_KEPT_RECORD,	/* the record of an original makes no sense */
	DFS_CHECK_KEPT_STRAY,	/* an original of nothing that is there */
	DFS_CHECK_KEPT_ALTERED,	/* an original's content is not what was kept */
	DFS_CHECK_MODEL,	/* a model's record makes no sense */
	DFS_CHECK_PIN_LOST,	/* a base that is needed has no pin, and should have one */
	DFS_CHECK_PIN_ALTERED,	/* a pin's content is not what its name says */
	DFS_CHECK_PIN_SPARE,	/* nobody needs the pin, and its bytes have another name */
	DFS_CHECK_PIN_STRAY,	/* nobody needs the pin, and nothing else holds its bytes */
	DFS_CHECK_REFERENCE,	/* a base by reference is not where it was */
	DFS_CHECK_UNREADABLE,	/* the system cannot read a file or directory */
	DFS_CHECK_BROKEN,	/* claims to be a container, and is none */
	DFS_CHECK_OVERWRITTEN,	/* marked as a container, and a whole model file */
	DFS_CHECK_NEWER,	/* for a later deltafs */
	DFS_CHECK_METADATA,	/* of a container: hash, sections, relations, or cut short */
	DFS_CHECK_CONTENT,	/* a payload or a chunk does not match its hash */
	DFS_CHECK_SUPERBLOCK,	/* one of the two is damaged */
	DFS_CHECK_TRAILING,	/* bytes follow the container */
	DFS_CHECK_MARK,		/* the mark is of another container */
	DFS_CHECK_BASE,		/* a container's base is not to be had */
	DFS_CHECK_KINDS
};

/* How far to go. Each includes the one before. */
enum dfs_check_repair {
	DFS_REPAIR_NONE,	/* write nothing at all */
	DFS_REPAIR_SAFE,	/* nothing is lost by it, whatever happened before */
	DFS_REPAIR_ALL,		/* also what gives room back that a person might have wanted to look at */
};

enum dfs_check_outcome {
	DFS_CHECK_REPAIRED,
	DFS_CHECK_REPAIRABLE,	/* it was not asked for */
	DFS_CHECK_LEFT,		/* it cannot be, or it failed */
};

/* All borrowed, for the time of the call. */
struct dfs_finding {
	enum dfs_check_kind kind;
	enum dfs_check_outcome outcome;
	const char *path;	/* in the store */
	const char *what;	/* is wrong */
	const char *then;	/* what was done, or what can be done */
};

/* A base that somebody needs, and what came of looking for it. */
struct dfs_check_base;

struct dfs_check {
	/* set by the caller */
	struct dfs_store *store;
	struct dfs_bases *bases;
	enum dfs_check_repair repair;
	bool full;		/* read the content of bases, and decode containers */
	bool live;		/* somebody else writes to the store: what is in work is no finding */
	void (*found)(void *arg, const struct dfs_finding *finding);
	dfs_hash_progress_fn *progress;	/* of reading one file; ends the check */
	void *arg;

	/* all zero at first */
	struct dfs_buf seen;		/* struct dfs_check_base[] */
	struct dfs_buf lost;		/* struct dfs_hash[]: IDs of the models whose record makes no sense */
	bool uncertain;			/* not all needs are known: no pin may go */
	uint64_t n_models, n_containers;
};

/* dfs_check_end() - free what it remembers */
void dfs_check_end(struct dfs_check *check);

/* dfs_check_mend_fn() - Return: 0; -errno with a sentence. */
typedef int dfs_check_mend_fn(void *arg, struct dfs_err *err);

/**
 * dfs_check_found() - one thing is wrong; mend it, if that is asked for
 * @what: a sentence without subject
 * @mend: NULL: this one cannot be. Called with the store's lock held.
 */
void dfs_check_found(struct dfs_check *check, enum dfs_check_kind kind, const char *path, const char *what,
		     dfs_check_mend_fn *mend, void *arg);

/* dfs_check_word() - what a kind is called in JSON */
const char *dfs_check_word(enum dfs_check_kind kind);

/**
 * dfs_check_rubbish() - what lies in .deltafs/tmp, and what a crash left in .deltafs/kept
 * Ask before the lock is taken, which clears it; tell after. Return: 0; -errno.
 */
int dfs_check_rubbish(const struct dfs_store *store, struct dfs_paths *ret_names);
void dfs_check_rubbish_tell(struct dfs_check *check, const struct dfs_paths *names);

/* dfs_check_state() - Return: 0; -ENOMEM, -EACCES, ... */
int dfs_check_state(struct dfs_check *check, struct dfs_err *err);

/* dfs_check_kept() - originals (store/kept.h). Return: 0; -ENOMEM, -EACCES, ... */
int dfs_check_kept(struct dfs_check *check, struct dfs_err *err);

/* dfs_check_journal() - lines of a journal. @sense: is called with each, and told to keep nothing. Return: 0; -ENOMEM. */
int dfs_check_journal(struct dfs_check *check, const struct dfs_journal_form *form, dfs_journal_line_fn *sense,
		      struct dfs_err *err);

/* dfs_check_models() - Return: 0; -ENOMEM, -EACCES, -ECANCELED, ... */
int dfs_check_models(struct dfs_check *check, struct dfs_err *err);

/**
 * dfs_check_base() - a base that the container @file needs
 * What is wrong with its pin is told once. Return: 0: it can be read; -EIO with a sentence; -ENOMEM, -ECANCELED.
 */
int dfs_check_base(struct dfs_check *check, const struct dfs_walk_file *file, const struct dfs_base_file *want,
		   struct dfs_err *err);

/* dfs_check_pins() - Return: 0; -ENOMEM, -EACCES, ... */
int dfs_check_pins(struct dfs_check *check, struct dfs_err *err);

/**
 * dfs_check_outside() - superblocks, mark and length of a container
 * @file: its claim is of kind DFS_CONTAINER, and its metadata are right
 * @proven: its payloads are, too; else nothing is mended
 */
void dfs_check_outside(struct dfs_check *check, const struct dfs_walk_file *file, bool proven);

#endif
