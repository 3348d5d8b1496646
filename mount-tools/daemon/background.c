/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) wait_for(pid_t child, int fd, int failed)
{
	int status;
	char byte;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(0);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	fprintf(stderr, "deltafs: the daemon died before it was ready\n");
	_exit(failed);
}

int background_start(struct background *background, int failed, struct dfs_err *err)
{
	int fds[2], null;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return dfs_fail_errno(err, "pipe");
	child = fork();
	if (child < 0) {
		close(fds[0]);
		close(fds[1]);
		return dfs_fail_errno(err, "fork");
	}
	if (child > 0) {
		close(fds[1]);
		wait_for(child, fds[0], failed);
	}
	close(fds[0]);
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		close(null);
	}
	background->ready_fd = fds[1];
	return 0;
}

void background_ready(struct background *background)
{
	int null;

	if (background->ready_fd < 0)
		return;
	/* An own directory would keep its file system from being unmounted. */
	if (chdir("/") < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	while (write(background->ready_fd, "", 1) < 0 && errno == EINTR)
		;
	close(background->ready_fd);
	background->ready_fd = -1;
}
