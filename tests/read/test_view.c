/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A view gives the very bytes of the file, whatever is asked and by how many. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "../check.h"
#include "pair.h"
#include "read/internal.h"

static struct pair pair;

static void a_file_reads_as_it_was(void **state)
{
	(void)state;
	pair_open(&pair, 0, 2, 0);
	CHECK(dfs_view_container(pair.view));
	CHECK(pair_is_right(&pair, 0, pair.len));
	CHECK(pair_is_right(&pair, 0, pair.len));
	pair_close(&pair);
}

static void any_range_reads_as_it_was(void **state)
{
	(void)state;
	pair_open(&pair, 4 << 20, 2, 0);
	srand(1);
	for (int i = 0; i < 2000; i++) {
		size_t len = (size_t)rand() % (i % 10 ? 5000 : 700000);

		CHECK(pair_is_right(&pair, (uint64_t)rand() % pair.len, len));
	}
	pair_close(&pair);
}

static void what_is_past_the_end_is_not_there(void **state)
{
	(void)state;
	pair_open(&pair, 0, 1, 0);
	CHECK(pair_is_right(&pair, pair.len - 1, 100));
	CHECK(pair_is_right(&pair, pair.len, 1));
	CHECK(pair_is_right(&pair, pair.len + 1, 1));
	CHECK(pair_is_right(&pair, UINT64_MAX - 5, 1 << 20));
	CHECK(pair_is_right(&pair, 5, 0));
	pair_close(&pair);
}

static void a_plain_file_reads_the_same_way(void **state)
{
	struct dfs_view *coded;
	struct dfs_err err = { "" };

	(void)state;
	pair_open(&pair, 0, 1, 0);
	coded = pair.view;
	CHECK_OK(dfs_view_open(pair.reader, open(pair.tune, O_RDONLY | O_CLOEXEC), "plain", &pair.view, &err), err);
	CHECK(!dfs_view_container(pair.view));
	CHECK(dfs_view_size(pair.view) == pair.len);
	CHECK(pair_is_right(&pair, 0, pair.len));
	CHECK(pair_is_right(&pair, pair.len - 3, 10));
	dfs_view_close(pair.view);
	pair.view = coded;
	pair_close(&pair);
}

static void only_a_regular_file_can_be_viewed(void **state)
{
	struct dfs_view *view;
	struct dfs_err err;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	pair_open(&pair, 0, 1, 0);
	CHECK_RET(-EINVAL, dfs_view_open(pair.reader, fd, "null", &view, &err));
	close(fd); /* not taken */
	pair_close(&pair);
}

/* --- many readers */

#define READERS 64

static atomic_int wrong;

static void *read_at_random(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < 60; i++)
		if (!pair_is_right(&pair, (uint64_t)rand_r(&seed) % pair.len, (size_t)rand_r(&seed) % 300000))
			atomic_fetch_add(&wrong, 1);
	return NULL;
}

static void sixty_four_readers_fit_a_small_cache(void **state)
{
	const size_t cache = 4 << 20;
	struct dfs_reader_stats stats;
	pthread_t readers[READERS];

	(void)state;
	pair_open(&pair, cache, 4, 1 << 20);
	for (uintptr_t i = 0; i < READERS; i++)
		CHECK(pthread_create(&readers[i], NULL, read_at_random, (void *)(i + 1)) == 0);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);
	dfs_reader_stats(pair.reader, &stats);
	CHECK(wrong == 0);
	CHECK(stats.cache_bytes_peak <= cache);
	CHECK(stats.failures == 0);
	pair_close(&pair);
}

/* --- one decode a chunk, however many wait: the only decode thread is held up in done() meanwhile */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int answered;

static void held_up(struct dfs_read *read, int ret, const struct iovec *iov, int n, const struct dfs_err *err)
{
	(void)read;
	(void)iov;
	(void)n;
	(void)err;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	if (ret == 0)
		atomic_fetch_add(&answered, 1);
}

static void a_chunk_is_decoded_once_for_all_who_wait(void **state)
{
	struct dfs_read reads[READERS];
	struct dfs_reader_stats stats;
	uint64_t off;

	(void)state;
	pair_open(&pair, 0, 1, 1);
	off = dfs_extent_at(pair.view, pair_tensor_off(&pair, "second.weight") + PAIR_BIG_LEN / 2).off;
	answered = 0;
	pthread_mutex_lock(&gate);
	for (int i = 0; i < READERS; i++) {
		/* all want one chunk, but the first: its answer keeps the thread */
		reads[i] = (struct dfs_read){ .off = i ? off : 0, .len = 100, .done = held_up };
		dfs_view_submit(pair.view, &reads[i]);
	}
	pthread_mutex_unlock(&gate);
	dfs_pool_drain(pair.reader->decoders);
	dfs_reader_stats(pair.reader, &stats);
	CHECK(answered == READERS);
	CHECK(stats.chunks_decoded == 2);
	CHECK(stats.chunks_hit == READERS - 2);
	pair_close(&pair);
}

static void a_read_larger_than_the_cache_is_served_alone(void **state)
{
	uint8_t *buf = malloc(pair.len);
	struct dfs_reader_stats stats;
	size_t got;

	(void)state;
	pair_open(&pair, 1, 2, 0); /* raised to the least there is, 4 MiB: the file is longer */
	CHECK(pair.len > 4 << 20);
	CHECK(dfs_view_read(pair.view, 0, pair.len, buf, &got, NULL) == 0);
	CHECK(got == pair.len);
	CHECK_BYTES(buf, pair.bytes, got);
	dfs_reader_stats(pair.reader, &stats);
	CHECK(stats.cache_bytes_peak <= 4 << 20);
	free(buf);
	pair_close(&pair);
}

static void a_view_may_be_closed_while_chunks_are_decoded_ahead(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		pair_open(&pair, 0, 2, 0);
		CHECK(pair_is_right(&pair, (uint64_t)i * 100000, 200000));
		pair_close(&pair);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(a_file_reads_as_it_was),
	cmocka_unit_test(any_range_reads_as_it_was),
	cmocka_unit_test(what_is_past_the_end_is_not_there),
	cmocka_unit_test(a_plain_file_reads_the_same_way),
	cmocka_unit_test(only_a_regular_file_can_be_viewed),
	cmocka_unit_test(sixty_four_readers_fit_a_small_cache),
	cmocka_unit_test(a_chunk_is_decoded_once_for_all_who_wait),
	cmocka_unit_test(a_read_larger_than_the_cache_is_served_alone),
	cmocka_unit_test(a_view_may_be_closed_while_chunks_are_decoded_ahead),
};

int main(int argc, char **argv)
{
	int status;

	pair_make(&pair);
	status = check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
	pair_remove(&pair);
	return status;
}
