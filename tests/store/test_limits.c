/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_limits: what a file system lacks is a sentence.
 *
 * The calls that find out are wrapped by the linker (--wrap, local.mk).
 */
#include <sys/file.h>

#include "given.h"
#include "store/limits.h"

static struct {
	int fgetxattr, flock, linkat; /* errno to fail with; 0: as it is */
} fail;

ssize_t __real_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t __wrap_fgetxattr(int fd, const char *name, void *value, size_t size)
{
	errno = fail.fgetxattr;
	return fail.fgetxattr ? -1 : __real_fgetxattr(fd, name, value, size);
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
	errno = fail.flock;
	return fail.flock ? -1 : __real_flock(fd, operation);
}

int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
	errno = fail.linkat;
	return fail.linkat ? -1 : __real_linkat(a, from, b, to, flags);
}

static void a_good_file_system_has_none(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err sentences[DFS_LIMITS_MAX];

	(void)state;
	memset(&fail, 0, sizeof(fail));
	store = lock_store(".");
	CHECK(dfs_store_limits(store, sentences) == 0);
	CHECK(system("test -z \"$(ls -A .deltafs/tmp)\"") == 0);
}

static void each_lack_is_told(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err sentences[DFS_LIMITS_MAX];

	(void)state;
	memset(&fail, 0, sizeof(fail));
	store = lock_store(".");
	fail.fgetxattr = ENOTSUP;
	CHECK(dfs_store_limits(store, sentences) == 1);
	CHECK_SAYS(sentences[0], "extended attributes");
	fail.flock = ENOLCK;
	fail.linkat = EPERM;
	CHECK(dfs_store_limits(store, sentences) == 3);
	CHECK_SAYS(sentences[1], "file locks");
	CHECK_SAYS(sentences[2], "hard links");
	memset(&fail, 0, sizeof(fail));
}

static void a_reader_tries_no_links(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err sentences[DFS_LIMITS_MAX];

	(void)state;
	memset(&fail, 0, sizeof(fail));
	store = open_store(".");
	fail.linkat = EPERM;
	CHECK(dfs_store_limits(store, sentences) == 0);
	fail.linkat = 0;
	CHECK(access(".deltafs", F_OK) < 0);
}

static void a_writer_without_locks_is_refused_in_a_sentence(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err err = { "" };

	(void)state;
	memset(&fail, 0, sizeof(fail));
	store = open_store(".");
	fail.flock = ENOLCK;
	CHECK_RET(-ENOLCK, dfs_store_lock(store, "", &err));
	fail.flock = 0;
	CHECK_SAYS(err, "no file locks");
}

static const struct CMUnitTest cases[] = {
	CASE(a_good_file_system_has_none),
	CASE(each_lack_is_told),
	CASE(a_reader_tries_no_links),
	CASE(a_writer_without_locks_is_refused_in_a_sentence),
};

CHECK_MAIN(cases)
