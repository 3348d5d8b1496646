/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * results: what became of each file, as a line or a JSON object, and totals.
 */
#ifndef DELTAFSCTL_RESULTS_H
#define DELTAFSCTL_RESULTS_H

#include "ctl.h"

enum ctl_outcome {
	CTL_CHANGED,	/* the command did its work */
	CTL_LEFT,	/* there was nothing to do, and why says why */
	CTL_BROKEN,	/* it failed */
	CTL_OUTCOMES
};

struct ctl_result {
	enum ctl_outcome outcome;
	const char *what;		/* "compressed", "plain": of CTL_CHANGED and CTL_LEFT */
	const char *why;		/* NULL: nothing to say */
	const char *base;		/* ID; NULL: none */
	uint64_t original_bytes, stored_bytes;
	bool lossy;			/* what it is, or was, compressed to has given up bits */
	bool quiet;			/* no line for people: found by -r and of no interest */
};

struct ctl_totals {
	uint64_t n[CTL_OUTCOMES];
	uint64_t original_bytes, stored_bytes;	/* of those that did not fail */
};

/* ctl_result_add() - say it, and count it in @totals and ctl->failures */
void ctl_result_add(struct ctl *ctl, const char *path, const struct ctl_result *result,
		    struct ctl_totals *totals);

/* ctl_result_fail() - the same for a failure */
void ctl_result_fail(struct ctl *ctl, const char *path, const struct dfs_err *err,
		     struct ctl_totals *totals);

/* ctl_totals_say() - the last line, if there were several files, and "total" of the JSON object */
void ctl_totals_say(struct ctl *ctl, const struct ctl_totals *totals, const char *done);

#endif
