/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes: several that do the same, and end together. */
#ifndef DFS_TESTS_PROCESSES_H
#define DFS_TESTS_PROCESSES_H

#include <stdbool.h>

#define PROCESSES 64	/* at most */

/**
 * processes_run() - fork @n processes and wait until all have ended
 * @run: what each does; its number is from 0 to @n - 1. It must not return, but
 *	end the process, with status 0 if all was right
 *
 * The first that fails ends the others: what they would find later is of no use.
 *
 * Return: whether all ended with status 0.
 */
bool processes_run(unsigned n, void (*run)(void *context, unsigned process), void *context);

#endif
