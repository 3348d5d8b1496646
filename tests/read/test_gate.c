/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A base that hangs, and a name service that does, stop those who need them and nobody else. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../check.h"
#include "pair.h"
#include "read/internal.h"

static struct pair pair;
static struct dfs_store *store;

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* --- what hangs: calls wait while `hung` is locked */

static pthread_mutex_t hung = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint inside, most_inside;

static void hang(void)
{
	unsigned n = ++inside;

	while (n > most_inside)
		most_inside = n;
	pthread_mutex_lock(&hung);
	pthread_mutex_unlock(&hung);
	inside--;
}

static ino_t hung_file;

ssize_t __real_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off);

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off)
{
	struct stat st;

	if (hung_file && fstat(fd, &st) == 0 && st.st_ino == hung_file)
		hang();
	return __real_pread(fd, buf, len, off);
}

static atomic_uint asked;
static bool service_hangs;

int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *text, size_t len, struct passwd **ret_found);

int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *text, size_t len, struct passwd **ret_found)
{
	static char name[] = "nobody-we-know";

	(void)text;
	(void)len;
	asked++;
	if (service_hangs)
		hang();
	*entry = (struct passwd){ .pw_name = name, .pw_uid = uid, .pw_gid = uid };
	*ret_found = entry;
	return 0;
}

int __wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *n);

int __wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *n)
{
	(void)user;
	groups[0] = group;
	*n = 1;
	return 1;
}

/* --- reads that nobody waits for */

#define READS 64

struct later {
	struct dfs_read read;
	bool right;
};

static struct later laters[READS];
static atomic_uint answered;

static void later_done(struct dfs_read *read, int ret, const struct iovec *iov, int n, const struct dfs_err *err)
{
	struct later *later = (struct later *)read;

	const uint8_t *want = pair.bytes + read->off;

	(void)err;
	later->right = ret == 0;
	for (int i = 0; i < n; want += iov[i++].iov_len)
		later->right = later->right && memcmp(iov[i].iov_base, want, iov[i].iov_len) == 0;
	later->right = later->right && want == pair.bytes + read->off + read->len;
	answered++;
}

/* Each in a chunk of its own, as far as there are chunks. */
static void submit_all(struct dfs_view *view, size_t len)
{
	uint64_t off = pair_tensor_off(&pair, "first.weight");
	uint64_t step = (pair.len - off - len) / READS;

	answered = 0;
	for (unsigned i = 0; i < READS; i++) {
		laters[i] = (struct later){ { .off = off + i * step, .len = len, .done = later_done }, false };
		dfs_view_submit(view, &laters[i].read);
	}
}

static void all_are_right(void)
{
	for (int i = 0; answered < READS && i < 2000; i++)
		sleep_ms(10);
	CHECK(answered == READS);
	for (unsigned i = 0; i < READS; i++)
		CHECK(laters[i].right);
}

static void open_all(unsigned threads)
{
	struct dfs_reader_config config = { .threads = threads, .cache_bytes = 4 << 20, .store = store };
	struct dfs_err err = { "" };

	inside = most_inside = asked = 0;
	hung_file = 0;
	service_hangs = false;
	config.bases = pair.bases = dfs_bases_new(NULL);
	CHECK_OK(dfs_bases_add(pair.bases, pair.base, &err), err);
	CHECK_OK(dfs_reader_new(&config, &pair.reader, &err), err);
	CHECK_OK(dfs_view_open(pair.reader, open(pair.container, O_RDONLY | O_CLOEXEC), "coded", &pair.view, &err), err);
}

/* Another container, of a user whom nobody trusts. */
static struct dfs_view *open_strangers(void)
{
	struct dfs_view *view;
	struct dfs_err err = { "" };

	CHECK_OK(dfs_view_open(pair.reader, open(pair.container, O_RDONLY | O_CLOEXEC), "stranger", &view, &err), err);
	view->st.st_uid = 54321;
	return view;
}

/* The header is coded alone. */
static bool others_go_on(void)
{
	bool right;

	alarm(20); /* this is what would hang */
	right = pair_is_right(&pair, 0, 100);
	alarm(0);
	return right;
}

static void however_many_wait_for_a_base_the_rest_goes_on(void **state)
{
	struct stat st;

	(void)state;
	open_all(2);
	CHECK(stat(pair.base, &st) == 0);
	hung_file = st.st_ino;
	pthread_mutex_lock(&hung);
	submit_all(pair.view, 4096);
	for (int i = 0; i < 5; i++) {
		CHECK(others_go_on());
		sleep_ms(100);
	}
	CHECK(answered == 0);
	CHECK(inside >= 1 && most_inside <= 2 + DFS_GATE_MOST);
	pthread_mutex_unlock(&hung);
	all_are_right();
	pair_close(&pair);
}

static void reads_that_want_more_than_the_cache_wake_too(void **state)
{
	struct stat st;

	(void)state;
	open_all(2);
	CHECK(stat(pair.base, &st) == 0);
	hung_file = st.st_ino;
	pthread_mutex_lock(&hung);
	submit_all(pair.view, 1 << 20); /* 64 MiB in all; the cache has 4 */
	sleep_ms(500);
	CHECK(others_go_on());
	pthread_mutex_unlock(&hung);
	for (int i = 0; answered < READS && i < 2000; i++)
		sleep_ms(10);
	CHECK(answered == READS);
	CHECK(pair_is_right(&pair, 0, pair.len));
	pair_close(&pair);
}

static void the_end_comes_while_guesses_are_parked(void **state)
{
	struct stat st;

	(void)state;
	CHECK(stat(pair.base, &st) == 0);
	for (int i = 0; i < 10; i++) {
		open_all(2);
		hung_file = st.st_ino;
		pthread_mutex_lock(&hung);
		submit_all(pair.view, 128 << 10); /* enough to be guessed from */
		sleep_ms(150);
		pthread_mutex_unlock(&hung);
		while (answered < READS)
			sleep_ms(1);
		pair_close(&pair);
	}
}

static void who_waits_for_the_name_service_holds_no_thread(void **state)
{
	struct dfs_view *stranger;

	(void)state;
	CHECK(chmod(pair.dir, 0755) == 0 && chmod(pair.base, 0644) == 0);
	open_all(1);
	stranger = open_strangers();
	service_hangs = true;
	pthread_mutex_lock(&hung);
	submit_all(stranger, 4096);
	for (int i = 0; inside == 0 && i < 2000; i++)
		sleep_ms(10);
	CHECK(inside == 1);
	CHECK(pair_is_right(&pair, pair.len / 2, 4096)); /* over the same base, of a trusted owner */
	CHECK(others_go_on());
	CHECK(answered == 0);
	pthread_mutex_unlock(&hung);
	all_are_right();
	CHECK(asked == 1);
	dfs_view_close(stranger);
	pair_close(&pair);
}

static int read_as(struct dfs_view *stranger, unsigned i)
{
	uint64_t off = pair_tensor_off(&pair, "first.weight");
	uint8_t buf[64];
	struct dfs_err err;
	size_t got;
	int ret = dfs_view_read(stranger, off + i * (pair.len - off - 64) / 32, 64, buf, &got, &err);

	if (ret == -EACCES)
		CHECK(strstr(err.text, "its owner (user 54321) may not read the base"));
	return ret;
}

static void both_answers_are_remembered_for_a_while(void **state)
{
	struct dfs_view *stranger, *again;

	(void)state;
	open_all(2);
	stranger = open_strangers();
	again = open_strangers();
	CHECK(chmod(pair.dir, 0700) == 0);
	CHECK_RET(-EACCES, read_as(stranger, 0));
	for (unsigned i = 0; i < 16; i++)
		CHECK_RET(-EACCES, read_as(i % 2 ? stranger : again, i));
	CHECK(asked >= 1 && asked <= 2); /* the second on a machine that took two seconds for that */
	CHECK(chmod(pair.dir, 0755) == 0);
	for (int i = 0; read_as(stranger, 0) < 0 && i < 100; i++)
		sleep_ms(100);
	asked = 0;
	for (unsigned i = 0; i < 32; i++)
		CHECK_RET(0, read_as(i % 2 ? stranger : again, i));
	CHECK(asked == 0);
	dfs_view_close(again);
	dfs_view_close(stranger);
	pair_close(&pair);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(however_many_wait_for_a_base_the_rest_goes_on),
	cmocka_unit_test(reads_that_want_more_than_the_cache_wake_too),
	cmocka_unit_test(the_end_comes_while_guesses_are_parked),
	cmocka_unit_test(who_waits_for_the_name_service_holds_no_thread),
	cmocka_unit_test(both_answers_are_remembered_for_a_while),
};

int main(int argc, char **argv)
{
	struct dfs_err err;
	int status;

	pair_make(&pair);
	status = dfs_store_open(pair.dir, false, &store, &err);
	if (status == 0)
		status = check_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
	dfs_store_close(store);
	pair_remove(&pair);
	return status != 0;
}
