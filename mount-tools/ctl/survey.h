/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survey: the plain files of a mount, by the reason why they are plain.
 *
 * What the daemon knows of each, asked file by file (user.deltafs.reason_word),
 * so that it is true now: what was removed is not there, and what was refused
 * before a restart is. Who may not look into a directory does not see what is
 * in it. A walk of a time; in a tree that is too large for that what was not
 * reached is not counted.
 */
#ifndef DELTAFSCTL_SURVEY_H
#define DELTAFSCTL_SURVEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"
#include "write/reason.h"

/* So many files of each reason are known by name. */
#define CTL_SURVEY_NAMES 8

struct ctl_survey_reason {
	uint64_t n;
	uint64_t bytes;
	char *paths[CTL_SURVEY_NAMES];	/* in the mount; the first min(n, CTL_SURVEY_NAMES) are there */
	char *texts[CTL_SURVEY_NAMES];	/* the sentence, with its cure */
};

struct ctl_survey {
	bool complete;
	uint64_t ms;			/* that it took */
	uint64_t unseen, unseen_bytes;	/* models that nobody has looked at: what "deltafsctl encode -r" would take */
	struct ctl_survey_reason refused[DFS_REASONS + 1];	/* by reason; the last: of a newer daemon */
};

/**
 * ctl_survey_make() - walk a mount
 * @point: where it is mounted
 * @ms: for so long at most
 * @ret_survey: ctl_survey_release() it, also after a failure
 * Return: 0; -ENOMEM; errors of opening @point.
 */
int ctl_survey_make(const char *point, unsigned ms, struct ctl_survey *ret_survey, struct dfs_err *err);
void ctl_survey_release(struct ctl_survey *survey);

/* ctl_survey_json() - as deltafsctl(1) describes it */
json_t *ctl_survey_json(const struct ctl_survey *survey);

/* ctl_survey_named() - how many of @reason are known by name */
static inline size_t ctl_survey_named(const struct ctl_survey_reason *reason)
{
	return reason->n < CTL_SURVEY_NAMES ? reason->n : CTL_SURVEY_NAMES;
}

#endif
