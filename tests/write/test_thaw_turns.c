/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_thaw_turns: who waits for whom in a thaw, and who must not. A call that
 * one thread is in the middle of is held there while the others go on.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "thawing.h"

/* Long enough for a thread that does not wait to do what it should not. */
#define A_WHILE_NS 60000000l

/* A place in a wrapped call where one thread stops. */
struct gate {
	atomic_bool closed;	/* the next one stops; then it is open again */
	sem_t reached, open;
};

static struct gate before_old, after_new, in_submit;
static _Thread_local bool is_writer;

static void gate_close(struct gate *gate)
{
	sem_init(&gate->reached, 0, 0);
	sem_init(&gate->open, 0, 0);
	atomic_store(&gate->closed, true);
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		;
}

static void pass(struct gate *gate)
{
	if (!atomic_exchange(&gate->closed, false))
		return;
	sem_post(&gate->reached);
	wait_for(&gate->open);
}

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
	ssize_t ret;

	if (!is_writer)
		pass(&before_old);
	ret = __real_pwrite(fd, buf, len, off);
	if (is_writer)
		pass(&after_new);
	return ret;
}

void __real_dfs_view_submit(struct dfs_view *view, struct dfs_read *read);
void __wrap_dfs_view_submit(struct dfs_view *view, struct dfs_read *read);
void __wrap_dfs_view_submit(struct dfs_view *view, struct dfs_read *read)
{
	pass(&in_submit);
	__real_dfs_view_submit(view, read);
}

static void a_while(void)
{
	struct timespec pause = { 0, A_WHILE_NS };

	nanosleep(&pause, NULL);
}

/* A write of zeros by a thread of its own. */
struct writer {
	struct thawing *t;
	uint64_t off;
	size_t len;
	ssize_t ret;
	atomic_bool over;
	pthread_t thread;
};

static void *writer_main(void *arg)
{
	static const uint8_t zeros[10000];
	struct writer *writer = arg;

	is_writer = true;
	writer->ret = dfs_thaw_write(writer->t->thaw, zeros, writer->len, writer->off, NULL);
	atomic_store(&writer->over, true);
	return NULL;
}

static void write_by_thread(struct writer *writer, struct thawing *t, uint64_t off, size_t len)
{
	*writer = (struct writer){ .t = t, .off = off, .len = len };
	CHECK(len <= 10000);
	CHECK(pthread_create(&writer->thread, NULL, writer_main, writer) == 0);
}

static void written(struct writer *writer)
{
	pthread_join(writer->thread, NULL);
	CHECK(writer->ret == (ssize_t)writer->len);
	memset(writer->t->old + writer->off, 0, writer->len);
}

static void old_bytes_wait_for_a_write_under_way(void **state)
{
	struct dfs_err err = { "" };
	struct writer writer;
	struct waiter waiter;
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 2000);
	given_thaw(&t);
	gate_close(&after_new);
	/* It has written, but not said so yet. */
	write_by_thread(&writer, &t, 5000, 10000);
	wait_for(&after_new.reached);
	CHECK(dfs_thaw_where(t.thaw, 5000, 10000) == DFS_THAW_OLD);
	waiter_init(&waiter);
	dfs_thaw_then(t.thaw, &waiter.wait, t.pool, DFS_URGENT);
	a_while();
	CHECK(!is_told(&waiter));
	sem_post(&after_new.open);
	written(&writer);
	wait_told(&waiter);
	CHECK_OK(dfs_thaw_result(t.thaw, &err), err);
	check_file(&t, t.old, t.len);
	thawing_gone(&t);
}

static void a_write_waits_for_old_bytes_only_in_its_place(void **state)
{
	struct dfs_err err = { "" };
	struct writer here, there, behind;
	struct thawing t;
	(void)state;

	given_fine_tune(&t, 2000);
	given_thaw(&t);
	gate_close(&before_old);
	dfs_thaw_begin(t.thaw);
	/* The first megabyte is about to be put there. */
	wait_for(&before_old.reached);
	write_by_thread(&here, &t, 5000, 10000);
	write_by_thread(&there, &t, 2000000, 10000);
	write_by_thread(&behind, &t, t.len - 1, 1);
	written(&there);
	written(&behind);
	a_while();
	CHECK(!atomic_load(&here.over));
	sem_post(&before_old.open);
	written(&here);
	CHECK_OK(finish(&t, &err), err);
	check_file(&t, t.old, t.len);
	thawing_gone(&t);
}

static void a_read_does_not_wait_for_writes_or_old_bytes(void **state)
{
	struct dfs_err err = { "" };
	struct writer writer;
	struct thawing t;
	uint8_t got[20000];
	size_t len;
	(void)state;

	given_fine_tune(&t, 2000);
	given_thaw(&t);
	gate_close(&before_old);
	gate_close(&after_new);
	write_by_thread(&writer, &t, 1500000, 10000);
	wait_for(&after_new.reached);
	wait_for(&before_old.reached);
	CHECK_OK(thaw_read(&t, got, sizeof(got), 10, &len, &err), err);
	CHECK(len == sizeof(got));
	CHECK_BYTES(got, t.old + 10, len);
	CHECK_OK(dfs_thaw_read_mixed(t.thaw, got, sizeof(got), 1490000, &len, &err), err);
	CHECK(len == sizeof(got));
	CHECK_BYTES(got, t.old + 1490000, 10000);
	sem_post(&after_new.open);
	sem_post(&before_old.open);
	written(&writer);
	thawing_gone(&t);
}

static void *free_main(void *arg)
{
	struct thawing *t = arg;

	dfs_thaw_free(t->thaw);
	dfs_view_close(dfs_steal(&t->view));
	return NULL;
}

static void a_view_may_be_closed_once_the_thaw_is_freed(void **state)
{
	struct thawing t;
	pthread_t thread;
	(void)state;

	given_fine_tune(&t, 2000);
	given_thaw(&t);
	gate_close(&in_submit);
	dfs_thaw_begin(t.thaw);
	wait_for(&in_submit.reached);
	CHECK(pthread_create(&thread, NULL, free_main, &t) == 0);
	a_while();
	assert_int_equal(temporaries(), 1);
	sem_post(&in_submit.open);
	pthread_join(thread, NULL);
	t.thaw = NULL;
	assert_int_equal(temporaries(), 0);
	thawing_gone(&t);
}

static void a_thaw_freed_while_old_bytes_are_written_leaves_nothing(void **state)
{
	struct thawing t;
	struct stat st;
	int fd;
	(void)state;

	given_fine_tune(&t, 2000);
	given_thaw(&t);
	fd = dfs_thaw_fd(t.thaw);
	gate_close(&before_old);
	dfs_thaw_begin(t.thaw);
	wait_for(&before_old.reached);
	thaw_gone(&t);
	/* Not closed under the thread that writes to it: another file might get its number. */
	CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0);
	sem_post(&before_old.open);
	dfs_pool_drain(t.pool);
	CHECK(fstat(fd, &st) < 0);
	thawing_gone(&t);
}

static const struct CMUnitTest cases[] = {
	CASE(old_bytes_wait_for_a_write_under_way),
	CASE(a_write_waits_for_old_bytes_only_in_its_place),
	CASE(a_read_does_not_wait_for_writes_or_old_bytes),
	CASE(a_view_may_be_closed_once_the_thaw_is_freed),
	CASE(a_thaw_freed_while_old_bytes_are_written_leaves_nothing),
};

CHECK_MAIN(cases)
