/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_io: short and interrupted calls are continued, an early end is told. */
#include "util/io.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "../check.h"
#include "util/auto.h"

static int temp_file(void)
{
	char name[] = "/tmp/test_io.XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	return fd;
}

static void written_bytes_are_read(void **state)
{
	DFS_AUTO(fd) int fd = temp_file();
	char buf[16] = "";

	(void)state;
	CHECK_RET(0, dfs_pwrite_all(fd, "hello", 5, 3));
	CHECK_RET(0, dfs_pread_all(fd, buf, 5, 3));
	CHECK_BYTES(buf, "hello", 5);
	CHECK_RET(0, dfs_write_all(fd, "abc", 3));
	CHECK_RET(0, dfs_pread_all(fd, buf, 8, 0));
	CHECK_BYTES(buf, "abchello", 8);
	CHECK_RET(0, dfs_pread_all(fd, NULL, 0, 99));
}

static void early_end_is_an_error_or_a_count(void **state)
{
	DFS_AUTO(fd) int fd = temp_file();
	char buf[16];

	(void)state;
	CHECK_RET(0, dfs_pwrite_all(fd, "hello", 5, 0));
	CHECK_RET(-EIO, dfs_pread_all(fd, buf, 6, 0));
	CHECK_RET(-EIO, dfs_pread_all(fd, buf, 1, 5));
	assert_int_equal(dfs_pread_some(fd, buf, 16, 2), 3);
	assert_int_equal(dfs_pread_some(fd, buf, 16, 100), 0);
}

static void failures_keep_their_errno(void **state)
{
	DFS_AUTO(fd) int fd = temp_file();
	char c = 0;

	(void)state;
	CHECK_RET(-EBADF, dfs_pread_all(-1, &c, 1, 0));
	CHECK_RET(-EBADF, dfs_pwrite_all(-1, &c, 1, 0));
	CHECK_RET(-EBADF, dfs_write_all(-1, &c, 1));
	CHECK_RET(-EINVAL, dfs_pread_all(fd, &c, 1, UINT64_MAX));
}

#define PIPED (1u << 20) /* more than a pipe holds, so that writes are short */

static void on_alarm(int sig)
{
	(void)sig;
}

static void *drain_pipe(void *arg)
{
	int fd = *(int *)arg;
	uint8_t buf[999];
	uintptr_t sum = 0, n = 0;
	ssize_t got;

	while ((got = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < got; i++, n++)
			sum += buf[i] == (uint8_t)(n * 31);
	return (void *)sum;
}

static void interrupted_pipe_writes_go_on(void **state)
{
	struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	uint8_t *bytes = malloc(PIPED);
	pthread_t reader;
	void *sum;
	int fds[2];
	sigset_t alarm_set;

	(void)state;
	for (unsigned i = 0; i < PIPED; i++)
		bytes[i] = (uint8_t)(i * 31);
	assert_int_equal(pipe(fds), 0);
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm_set, NULL); /* the reader inherits it */
	assert_int_equal(pthread_create(&reader, NULL, drain_pipe, &fds[0]), 0);
	pthread_sigmask(SIG_UNBLOCK, &alarm_set, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	CHECK_RET(0, dfs_write_all(fds[1], bytes, PIPED));
	setitimer(ITIMER_REAL, &never, NULL);
	close(fds[1]);
	pthread_join(reader, &sum);
	assert_int_equal((uintptr_t)sum, PIPED);
	close(fds[0]);
	free(bytes);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(written_bytes_are_read),
	cmocka_unit_test(early_end_is_an_error_or_a_count),
	cmocka_unit_test(failures_keep_their_errno),
	cmocka_unit_test(interrupted_pipe_writes_go_on),
};

CHECK_MAIN(cases)
