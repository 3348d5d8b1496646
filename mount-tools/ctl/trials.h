/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trials: what each codec that can be asked for would make of a file, or what
 * one would that is asked for.
 */
#ifndef DELTAFSCTL_TRIALS_H
#define DELTAFSCTL_TRIALS_H

#include <jansson.h>

#include "codec/codec.h"
#include "ctl.h"
#include "write/scope.h"
#include "write/trial.h"

struct ctl_trial {
	unsigned codec;
	struct dfs_trial trial;
};

/* All zero is empty. */
struct ctl_trials {
	unsigned n;
	struct ctl_trial of[DFS_CODECS];
	struct dfs_err missing;	/* why a codec cannot be tried here; empty: all can */
	const char *spec;	/* SPEC that was asked for, borrowed; NULL: all, with their defaults */
	enum dfs_scope *scopes;	/* of the tensors, of the first codec that was tried; NULL: nobody asked */
	size_t n_scoped;	/* 0: none was tried */
};

/**
 * ctl_trials_make() - try codecs over input->base
 * @codec: SPEC; NULL: each codec with its defaults
 * @tensors: what becomes of each tensor is wanted, and they are read whole for it
 * @ret_trials: ctl_trials_release() it, whatever is returned
 * Return: 0; -EINVAL: no such codec; -EIO, -ENOMEM.
 */
int ctl_trials_make(const struct dfs_work_input *input, const char *codec, bool tensors, struct dfs_hand *hand,
		    struct ctl_trials *ret_trials, struct dfs_err *err);
void ctl_trials_release(struct ctl_trials *trials);

/* ctl_trials_exact() - bytes of the file coded exactly, as the tables have it; 0: there is no table */
uint64_t ctl_trials_exact(const struct ctl_trials *trials);

/* ctl_trials_say() - a table; @now: bytes that the file takes. Nothing if no codec would take anything. */
void ctl_trials_say(const struct ctl *ctl, const struct ctl_trials *trials, uint64_t now);

/* ctl_trials_json() - an array; steal the reference */
json_t *ctl_trials_json(const struct ctl_trials *trials, uint64_t now);

/* ctl_scopes_say() - a line for each tensor: lossy or exact, and why; @header: NULL: no tensors */
void ctl_scopes_say(const struct ctl *ctl, const struct ctl_trials *trials, const struct dfs_header *header);

/* ctl_scopes_json() - an array; steal the reference */
json_t *ctl_scopes_json(const struct ctl_trials *trials, const struct dfs_header *header);

#endif
