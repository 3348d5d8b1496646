/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shared: a directory in which several processes do the same to the same few
 * names at once. What is there is not known, but what may not be is:
 *
 * - an errno that no order of the operations explains;
 * - a file that is not one complete version of those that were renamed there;
 * - a counter that lost an increment made under O_EXCL or flock(2);
 * - a log that lost, tore or reordered a record appended with O_APPEND;
 * - a listing that leaves out, or has twice, what is there all the time.
 */
#ifndef DFS_TESTS_SHARED_H
#define DFS_TESTS_SHARED_H

#include <stdint.h>

#include "account.h"
#include "draw.h"

enum { COUNTER_EXCLUSIVE, COUNTER_FLOCK, COUNTERS };

/* What one process did; the parent of all reads it when they have ended. */
struct shared_tally {
	uint64_t increments[COUNTERS];
	uint64_t records;
	uint64_t published, versions_read;
};

struct shared {
	struct account *account;
	struct rng *rng;
	int directory;			/* a descriptor of it */
	unsigned process;
	const struct matter *matter;
	struct shared_tally *tally;	/* in memory that the parent sees */
};

/* shared_begin() - before there is more than one process. Return: the descriptor. */
int shared_begin(struct account *a, const char *path);

/* shared_operation() - one, drawn by lot */
void shared_operation(struct shared *s);

/* shared_verify() - when all have ended: what their tallies say is there; then it is emptied */
void shared_verify(struct account *a, int directory, const struct shared_tally *tallies,
		   unsigned processes);

#endif
