/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * candidates: the bases of a store, opened, and which of them suits a file.
 *
 * WRITE: classify -> this (by choose) -> encode. Kept from file to file as
 * long as the directories of bases and pins are unchanged: opening twenty
 * models for each of many small files would take longer than coding them.
 * All calls from one thread.
 */
#ifndef DFS_WRITE_CANDIDATES_H
#define DFS_WRITE_CANDIDATES_H

#include "store/bases.h"
#include "write/choose.h"

struct dfs_candidates;

/* dfs_candidates_new() - both borrowed. Return: NULL: out of memory. */
struct dfs_candidates *dfs_candidates_new(struct dfs_store *store, struct dfs_bases *bases);
void dfs_candidates_free(struct dfs_candidates *candidates); /* NULL is fine */

/**
 * dfs_candidates_refresh() - open what is registered now, unless that is done
 * A base that cannot be opened is passed over. Return: 0; -ENOMEM; errors of reading .deltafs.
 */
int dfs_candidates_refresh(struct dfs_candidates *candidates, struct dfs_err *err);

/* dfs_candidates_drop() - close them: their descriptors, and the room of what was removed meanwhile */
void dfs_candidates_drop(struct dfs_candidates *candidates);

/* dfs_candidates_registry() - as of the last refresh; borrowed until the next */
const struct dfs_registry *dfs_candidates_registry(const struct dfs_candidates *candidates);

/* dfs_candidates_model() - by its ID; borrowed until the next refresh. NULL: not there. */
const struct dfs_model *dfs_candidates_model(const struct dfs_candidates *candidates, struct dfs_hash id);

struct dfs_candidate_choice {
	const struct dfs_model *model;	/* borrowed until the next refresh; NULL: none */
	struct dfs_choice choice;
	bool is_private;		/* one would have done, but the file's owner may not read it */
};

/**
 * dfs_candidates_choose() - the best base that the owner of the file may read
 * The file's attributes are those of @input's descriptor. Return: 0; -EIO, -ENOMEM.
 */
int dfs_candidates_choose(const struct dfs_candidates *candidates, const struct dfs_work_input *input,
			  struct dfs_hand *hand, struct dfs_candidate_choice *ret_choice, struct dfs_err *err);

/* dfs_candidates_try() - the same, of one base alone: choice.model if it helps and may be read */
int dfs_candidates_try(const struct dfs_candidates *candidates, const struct dfs_work_input *input, struct dfs_hash id,
		       struct dfs_hand *hand, struct dfs_candidate_choice *ret_choice, struct dfs_err *err);

/**
 * dfs_candidates_take() - the base that somebody wants, whatever it makes of the file
 * @user: may read it, or it is private and none is taken
 * Return: 0; -ENOENT with a sentence: there is no such base (any more); -EIO, -ENOMEM.
 */
int dfs_candidates_take(const struct dfs_candidates *candidates, struct dfs_hash id, uid_t user,
			const struct dfs_work_input *input, struct dfs_hand *hand,
			struct dfs_candidate_choice *ret_choice, struct dfs_err *err);

#endif
