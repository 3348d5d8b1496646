/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a base is gets found out in the background: when nobody reads, never in the way of the end, once. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../check.h"
#include "pair.h"
#include "read/internal.h"

static struct pair pair;

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A disk that takes its time, for the thread that settles alone. */
static atomic_uint slow_ms, slow_calls;

ssize_t __real_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off);

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off)
{
	char name[16] = "";

	pthread_getname_np(pthread_self(), name, sizeof(name));
	if (strcmp(name, "settle/0") == 0) {
		slow_calls++;
		sleep_ms(slow_ms);
	}
	return __real_pread(fd, buf, len, off);
}

static void open_settling(unsigned after_ms)
{
	struct dfs_reader_config config = { .threads = 2, .settle_after_ms = after_ms };
	struct dfs_err err = { "" };

	slow_ms = slow_calls = 0;
	config.bases = pair.bases = dfs_bases_new(NULL);
	CHECK_OK(dfs_bases_add(pair.bases, pair.base, &err), err);
	CHECK_OK(dfs_reader_new(&config, &pair.reader, &err), err);
	CHECK_OK(dfs_view_open(pair.reader, open(pair.container, O_RDONLY | O_CLOEXEC), "coded", &pair.view, &err), err);
}

static enum dfs_identity identity(void)
{
	struct dfs_base *base;
	struct dfs_err err = { "" };
	enum dfs_identity is;

	CHECK_OK(dfs_bases_get(pair.bases, &dfs_view_container(pair.view)->bases[0], &base, &err), err);
	is = atomic_load(&base->identity);
	dfs_base_put(pair.bases, base);
	return is;
}

static uint64_t second(void)
{
	return pair_tensor_off(&pair, "second.weight");
}

static void a_base_is_settled_once_nobody_reads(void **state)
{
	(void)state;
	open_settling(5000); /* longer than this stands still before it looks */
	CHECK(identity() == DFS_BASE_UNKNOWN);
	CHECK(pair_is_right(&pair, second(), 4096));
	CHECK(identity() == DFS_BASE_SETTLING);
	for (double end = now() + 20; identity() != DFS_BASE_RIGHT && now() < end;)
		sleep_ms(20);
	CHECK(identity() == DFS_BASE_RIGHT);
	CHECK(slow_calls > 4);
	slow_calls = 0;
	CHECK(pair_is_right(&pair, 0, pair.len));
	dfs_pool_drain(pair.reader->settler.pool);
	CHECK(slow_calls == 0); /* once is enough */
	pair_close(&pair);
}

static void it_waits_while_somebody_reads(void **state)
{
	(void)state;
	open_settling(2000);
	for (double end = now() + 2.5; now() < end; sleep_ms(50))
		CHECK(pair_is_right(&pair, second(), 4096));
	CHECK(slow_calls == 0);
	CHECK(identity() == DFS_BASE_SETTLING);
	pair_close(&pair);
}

static void without_the_option_nothing_is_hashed(void **state)
{
	(void)state;
	open_settling(0);
	CHECK(pair_is_right(&pair, second(), 4096));
	sleep_ms(100);
	CHECK(identity() == DFS_BASE_UNKNOWN);
	pair_close(&pair);
}

static void the_end_does_not_wait_for_it(void **state)
{
	double begin;

	(void)state;
	open_settling(1);
	slow_ms = 300; /* 20 pieces: 6 s and more for all of it */
	CHECK(pair_is_right(&pair, second(), 4096));
	for (double end = now() + 20; slow_calls < 2 && now() < end;)
		sleep_ms(10);
	CHECK(slow_calls >= 2);
	begin = now();
	pair_close(&pair);
	CHECK(now() - begin < 2);
}

static void the_end_does_not_wait_for_a_quiet_moment(void **state)
{
	double begin;

	(void)state;
	open_settling(3600 * 1000);
	CHECK(pair_is_right(&pair, second(), 4096));
	begin = now();
	pair_close(&pair);
	CHECK(now() - begin < 2);
}

static void a_base_that_is_another_is_found_out_before_it_is_met(void **state)
{
	uint8_t buf[4096];
	struct dfs_err err;
	size_t got;
	int ret = 0;

	(void)state;
	open_settling(1);
	pair_flip(pair.base, second() + PAIR_BIG_LEN - 1); /* far from what is read */
	for (double end = now() + 20; ret == 0 && now() < end; sleep_ms(20))
		ret = dfs_view_read(pair.view, second(), sizeof(buf), buf, &got, &err);
	CHECK_RET(-EIO, ret);
	CHECK(strstr(err.text, "other content"));
	pair_flip(pair.base, second() + PAIR_BIG_LEN - 1);
	for (double end = now() + 20; ret != 0 && now() < end; sleep_ms(20))
		ret = dfs_view_read(pair.view, second(), sizeof(buf), buf, &got, &err);
	CHECK_RET(0, ret);
	pair_close(&pair);
}

static void a_mismatch_does_not_wait_for_a_quiet_moment(void **state)
{
	uint8_t buf[4096];
	struct dfs_err err;
	size_t got;

	(void)state;
	open_settling(3600 * 1000);
	CHECK(pair_is_right(&pair, second(), 4096)); /* waits for its moment from now on */
	pair_flip(pair.base, second() + PAIR_BIG_LEN - 1);
	CHECK_RET(-EBADMSG, dfs_view_read(pair.view, second() + PAIR_BIG_LEN - 100, 50, buf, &got, &err));
	dfs_pool_drain(pair.reader->settler.pool); /* for ever, if it waited */
	CHECK_RET(-EIO, dfs_view_read(pair.view, second() + PAIR_BIG_LEN / 2, 50, buf, &got, &err));
	CHECK(strstr(err.text, "other content"));
	pair_flip(pair.base, second() + PAIR_BIG_LEN - 1);
	pair_close(&pair);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(a_base_is_settled_once_nobody_reads),
	cmocka_unit_test(it_waits_while_somebody_reads),
	cmocka_unit_test(without_the_option_nothing_is_hashed),
	cmocka_unit_test(the_end_does_not_wait_for_it),
	cmocka_unit_test(the_end_does_not_wait_for_a_quiet_moment),
	cmocka_unit_test(a_base_that_is_another_is_found_out_before_it_is_met),
	cmocka_unit_test(a_mismatch_does_not_wait_for_a_quiet_moment),
};

int main(int argc, char **argv)
{
	int status;

	pair_make(&pair);
	status = check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
	pair_remove(&pair);
	return status;
}
