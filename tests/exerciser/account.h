/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account: what an exerciser did last, what it was refused, and its end when
 * something is wrong. All that is needed to see the same again is in a report:
 * the seed, the number of the operation, and the operations before it.
 */
#ifndef DFS_TESTS_ACCOUNT_H
#define DFS_TESTS_ACCOUNT_H

#include <stdint.h>

#define ACCOUNT_LINES 50
#define ACCOUNT_LINE 240	/* what is longer is cut */
#define ACCOUNT_REFUSALS 32	/* pairs of operation and errno that are told apart */

struct account_refusal {
	const char *operation;
	int error;
	uint64_t times;
};

struct account {
	const char *who;	/* first word of each report; not owned */
	uint64_t seed;
	uint64_t operation;	/* number of the present one; the first is 1 */
	char lines[ACCOUNT_LINES][ACCOUNT_LINE];
	struct account_refusal refusals[ACCOUNT_REFUSALS];
};

/* account_next() - the next operation begins; nothing is noted of it yet */
void account_next(struct account *a);

/* account_again() - the present operation could not be; another takes its number */
void account_again(struct account *a);

/**
 * account_note() - add to the line of the present operation
 *
 * Before the system call, so that it is in the report if that never returns.
 */
void account_note(struct account *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * account_refused() - the file system does not have an operation, and said so
 * @operation: its name; not copied
 * @error: errno of the refusal
 */
void account_refused(struct account *a, const char *operation, int error);

/* account_print_refusals() - to stdout, one line for each pair: "refused: NAME: ERROR, N times" */
void account_print_refusals(const struct account *a);

/**
 * account_fail() - report on stderr and end the process with status 1
 *
 * The report is one write(2): those of processes that fail together do not mix.
 */
_Noreturn void account_fail(const struct account *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
