/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes: see processes.h. */
#include "processes.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void end_all(const pid_t *children, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (children[i] > 0)
			kill(children[i], SIGTERM);
}

static bool wait_all(pid_t *children, unsigned n, bool right)
{
	int status;
	pid_t ended;

	while ((ended = wait(&status)) > 0) {
		for (unsigned i = 0; i < n; i++)
			children[i] = children[i] == ended ? 0 : children[i];
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		if (right && WIFSIGNALED(status))
			fprintf(stderr, "a process ended by signal %d\n", WTERMSIG(status));
		if (right)
			end_all(children, n);
		right = false;
	}
	return right;
}

bool processes_run(unsigned n, void (*run)(void *context, unsigned process), void *context)
{
	pid_t children[PROCESSES] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		children[i] = fork();
		if (children[i] < 0) {
			perror("fork");
			end_all(children, i);
			return wait_all(children, i, false);
		}
		if (!children[i]) {
			run(context, i);
			exit(2);
		}
	}
	return wait_all(children, n, true);
}
