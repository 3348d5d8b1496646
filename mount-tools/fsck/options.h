/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: those that every fsck.TYPE has, and what fsck(8) hands on.
 */
#ifndef FSCK_OPTIONS_H
#define FSCK_OPTIONS_H

#include <stdbool.h>

/* Those of fsck(8); what happened is their sum. */
enum fsck_exit {
	FSCK_CLEAN = 0,
	FSCK_REPAIRED = 1,
	FSCK_LEFT = 4,
	FSCK_FAILED = 8,
	FSCK_USAGE = 16,
	FSCK_CANCELLED = 32,
};

struct fsck_options {
	bool no;		/* write nothing; so it is without any of the next three */
	bool preen, all;	/* -p or -a; -y */
	bool full;
	bool verbose;
	bool progress;
	bool json;
	bool help, version;
	unsigned threads;
	const char *store;
};

/* fsck_options_parse() - Return: 0; FSCK_USAGE, which was said. */
int fsck_options_parse(int argc, char **argv, struct fsck_options *ret_options);

void fsck_options_help(void);

#endif
