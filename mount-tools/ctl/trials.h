/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trials: what each codec that can be asked for would make of a file.
 */
#ifndef DELTAFSCTL_TRIALS_H
#define DELTAFSCTL_TRIALS_H

#include <jansson.h>

#include "codec/codec.h"
#include "ctl.h"
#include "write/trial.h"

struct ctl_trials {
	unsigned n;
	struct {
		unsigned codec;
		struct dfs_trial trial;
	} of[DFS_CODECS];
	struct dfs_err missing;	/* why a codec cannot be tried here; empty: all can */
};

/* ctl_trials_make() - with their defaults, over input->base. Return: 0; -EIO, -ENOMEM. */
int ctl_trials_make(const struct dfs_work_input *input, struct dfs_hand *hand, struct ctl_trials *ret_trials,
		    struct dfs_err *err);

/* ctl_trials_say() - a table; @now: bytes that the file takes. Nothing if no codec would take anything. */
void ctl_trials_say(const struct ctl *ctl, const struct ctl_trials *trials, uint64_t now);

/* ctl_trials_json() - an array; steal the reference */
json_t *ctl_trials_json(const struct ctl_trials *trials, uint64_t now);

#endif
