/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: findings as lines, or as one JSON object.
 */
#ifndef FSCK_REPORT_H
#define FSCK_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "options.h"
#include "store/check.h"

struct fsck_report {
	const struct fsck_options *options;
	json_t *findings;		/* with --json */
	unsigned long repaired, repairable, left;
};

/* fsck_say(), fsck_warn() - one line, to stdout; to stderr with the program's name */
void fsck_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fsck_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* fsck_report_add() - a finding */
void fsck_report_add(struct fsck_report *report, const struct dfs_finding *finding);

/* fsck_report_end() - the summary. @whole: the check came to its end. Return: FSCK_REPAIRED, FSCK_LEFT, both or neither. */
int fsck_report_end(struct fsck_report *report, const struct dfs_check *check, bool whole);

#endif
