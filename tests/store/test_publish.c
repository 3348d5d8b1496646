/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_publish: old or new, whole, whatever happens in between.
 *
 * The calls that publish makes are wrapped by the linker (--wrap, local.mk), so
 * that the k-th of them can kill the process or fail.
 */
#include <signal.h>
#include <sys/xattr.h>

#include "given.h"
#include "store/publish.h"

static struct {
	unsigned calls;		/* of any wrapped function */
	unsigned kill_at, fail_at;
	unsigned fsyncs_after_failure;
	bool failed, fsync_failed;
	int tmp_fd;		/* watched: its mode must never be wider than the old one's */
	struct stat old;
	bool wider;
} trap;

static void look_at_mode(void)
{
	struct stat st;

	if (!trap.old.st_ino || fstat(trap.tmp_fd, &st) < 0)
		return;
	if (st.st_mode & ~trap.old.st_mode & 07077)
		trap.wider = true;
	if (st.st_uid == trap.old.st_uid && trap.old.st_uid != geteuid() &&
	    st.st_mode & ~trap.old.st_mode & 0700)
		trap.wider = true;
}

/* Before the k-th call: die. Return: whether to fail it instead. */
static bool step(void)
{
	look_at_mode();
	trap.calls++;
	if (trap.calls == trap.kill_at)
		kill(getpid(), SIGKILL);
	if (trap.calls != trap.fail_at)
		return false;
	trap.failed = true;
	errno = EIO;
	return true;
}

#define WRAP(name, parameters, arguments)				\
	int __real_##name parameters;					\
	int __wrap_##name parameters;					\
	int __wrap_##name parameters					\
	{								\
		return step() ? -1 : __real_##name arguments;		\
	}

WRAP(fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), (fd, name, value, size, flags))
WRAP(fremovexattr, (int fd, const char *name), (fd, name))
WRAP(fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(futimens, (int fd, const struct timespec *times), (fd, times))
WRAP(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
WRAP(unlinkat, (int fd, const char *name, int flags), (fd, name, flags))

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	if (trap.fsync_failed)
		trap.fsyncs_after_failure++;
	if (!step())
		return __real_fsync(fd);
	trap.fsync_failed = true;
	return -1;
}

static const struct timespec old_times[2] = { { 1234567890, 987654321 },
					      { 1111111111, 123456789 } };

/* user::rw- user:NUMBER:r-- group::r-- mask::r-- other::---; NUMBER is filled in */
static uint8_t acl[] = {
	2, 0, 0, 0,
	1, 0, 6, 0, 255, 255, 255, 255,
	2, 0, 4, 0, 0, 0, 0, 0,
	4, 0, 4, 0, 255, 255, 255, 255,
	0x10, 0, 4, 0, 255, 255, 255, 255,
	0x20, 0, 0, 0, 255, 255, 255, 255,
};

static void given_an_old_file(void)
{
	/* whom else: in a user namespace there is nobody but ourselves */
	dfs_put_u32le(acl + 16, can_chown() ? 12345 : geteuid());
	mkdir("d", 0755);
	put_text("d/f", "old content");
	CHECK(setxattr("d/f", "user.note", "kept", 4, 0) == 0);
	if (can_chown())
		CHECK(chown("d/f", 1234, 2345) == 0);
	CHECK(setxattr("d/f", "system.posix_acl_access", acl, sizeof(acl), 0) == 0);
	CHECK(chmod("d/f", can_chown() ? 06640 : 0640) == 0);
	CHECK(utimensat(AT_FDCWD, "d/f", old_times, 0) == 0);
}

static char *content_of(const char *path, char *text, size_t size)
{
	DFS_AUTO(fd) int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void check_attributes(const char *path)
{
	uint8_t value[128];
	struct stat st;

	CHECK(stat(path, &st) == 0);
	assert_int_equal(st.st_mode, S_IFREG | (can_chown() ? 06640 : 0640));
	if (can_chown())
		CHECK(st.st_uid == 1234 && st.st_gid == 2345);
	CHECK(st.st_mtim.tv_sec == old_times[1].tv_sec &&
	      st.st_mtim.tv_nsec == old_times[1].tv_nsec);
	CHECK(getxattr(path, "user.note", value, sizeof(value)) == 4 &&
	      memcmp(value, "kept", 4) == 0);
	CHECK(getxattr(path, "system.posix_acl_access", value, sizeof(value)) == sizeof(acl));
	CHECK_BYTES(value, acl, sizeof(acl));
}

static const struct dfs_superblock sb = { .original_size = 11,
					  .meta_hash.bytes = "0123456789abcde" };

/* One publish of "new content" over d/f, in this process. */
static int publish(struct dfs_store *store, const struct dfs_superblock *mark, struct dfs_err *err)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int old = open("d/f", O_RDONLY);
	DFS_AUTO(fd) int tmp = -1;
	struct dfs_publish p = { .target = "d/f", .old_fd = old, .sb = mark };

	if (fstat(old, &p.expect) < 0 || dfs_store_tmp(store, &tmp, &name, err) < 0 ||
	    dfs_write_all(tmp, "new content", 11) < 0)
		return -1;
	p.tmp_fd = tmp;
	p.tmp_name = name;
	trap.calls = 0;
	trap.tmp_fd = tmp;
	trap.old = p.expect;
	return dfs_publish(store, &p, err);
}

static bool tmp_is_empty(void)
{
	return system("test -z \"$(ls -A .deltafs/tmp)\"") == 0;
}

static void all_but_the_content_stays(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err err = { "" };
	char text[64];
	uint8_t mark[24];

	(void)state;
	memset(&trap, 0, sizeof(trap));
	given_an_old_file();
	store = lock_store(".");
	CHECK_OK(publish(store, &sb, &err), err);
	assert_string_equal(content_of("d/f", text, sizeof(text)), "new content");
	check_attributes("d/f");
	CHECK(!trap.wider);
	CHECK(getxattr("d/f", dfs_claim_xattr(), mark, sizeof(mark)) == 24);
	CHECK_BYTES(mark, sb.meta_hash.bytes, 16);
	CHECK(dfs_get_u64le(mark + 16) == 11);
	CHECK(tmp_is_empty());
}

static void a_decoded_file_has_no_mark(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err err = { "" };

	(void)state;
	memset(&trap, 0, sizeof(trap));
	given_an_old_file();
	store = lock_store(".");
	CHECK_OK(publish(store, &sb, &err), err);
	CHECK_OK(publish(store, NULL, &err), err);
	CHECK(getxattr("d/f", dfs_claim_xattr(), NULL, 0) < 0 && errno == ENODATA);
	check_attributes("d/f");
}

static void a_narrow_mode_is_never_widened(void **state)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	struct dfs_err err = { "" };
	struct stat st;

	(void)state;
	memset(&trap, 0, sizeof(trap));
	mkdir("d", 0755);
	/* whoever creates files here lends them a generous ACL */
	CHECK(setxattr(".", "system.posix_acl_default", acl, sizeof(acl), 0) == 0);
	put_text("d/f", "old");
	CHECK(removexattr("d/f", "system.posix_acl_access") == 0 || errno == ENODATA);
	if (can_chown())
		CHECK(chown("d/f", 1234, 2345) == 0);
	CHECK(chmod("d/f", 0400) == 0);
	store = lock_store(".");
	CHECK_OK(publish(store, &sb, &err), err);
	CHECK(!trap.wider);
	CHECK(stat("d/f", &st) == 0 && st.st_mode == (S_IFREG | 0400));
	CHECK(getxattr("d/f", "system.posix_acl_access", NULL, 0) < 0);
}

/* What a crash may leave: the old file or the new one, with all that belongs to it. */
static bool check_old_or_new(void)
{
	char text[64];
	bool is_new;

	content_of("d/f", text, sizeof(text));
	is_new = strcmp(text, "new content") == 0;
	CHECK(is_new || strcmp(text, "old content") == 0);
	CHECK((getxattr("d/f", dfs_claim_xattr(), NULL, 0) == 24) == is_new);
	check_attributes("d/f");
	return is_new;
}

static bool killed_at(unsigned k)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct dfs_store *store = NULL;

		memset(&trap, 0, sizeof(trap));
		if (dfs_store_open(".", false, &store, NULL) < 0 ||
		    dfs_store_lock(store, "", NULL) < 0)
			_exit(2);
		trap.kill_at = k;
		_exit(publish(store, &sb, NULL) == 0 ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status))
		CHECK(WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void killed_at_any_call_it_is_old_or_new(void **state)
{
	unsigned n_old = 0, n_new = 0, k;

	(void)state;
	memset(&trap, 0, sizeof(trap));
	given_an_old_file();
	dfs_store_close(lock_store("."));
	for (k = 1; killed_at(k); k++) {
		if (check_old_or_new())
			n_new++;
		else
			n_old++;
		dfs_store_close(lock_store(".")); /* the next run leaves nothing behind */
		CHECK(tmp_is_empty());
		CHECK(unlink("d/f") == 0);
		given_an_old_file();
	}
	CHECK(check_old_or_new());
	/* the faults fired: at least mark, xattr, mode, owner, ACL, mode, times, fsync, rename; then the directory */
	CHECK(n_old >= 8 && n_new >= 1);
}

static void a_failure_of_any_call_leaves_old_or_new(void **state)
{
	unsigned n_failed = 0, n_ignored = 0, k;

	(void)state;
	memset(&trap, 0, sizeof(trap));
	given_an_old_file();
	dfs_store_close(lock_store("."));
	for (k = 1;; k++) {
		DFS_AUTO(store) struct dfs_store *store = NULL;
		struct dfs_err err = { "" };
		int ret;

		memset(&trap, 0, sizeof(trap));
		store = lock_store(".");
		trap.fail_at = k;
		ret = publish(store, &sb, &err);
		if (!trap.failed)
			break;
		n_failed++;
		trap.fail_at = 0;
		n_ignored += ret == 0;
		if (ret == 0) {
			CHECK(check_old_or_new());
		} else {
			CHECK_SAYS(err, "d/f: ");
			CHECK(trap.fsyncs_after_failure == 0);
			if (check_old_or_new())
				CHECK_SAYS(err, "power cut");
		}
		CHECK(tmp_is_empty());
		CHECK(unlink("d/f") == 0);
		given_an_old_file();
	}
	CHECK(n_failed >= 9);
	CHECK(n_ignored == 1); /* the directory's times, once the new file is in place */
	CHECK(check_old_or_new());
}

static void publish_over(void (*meanwhile)(void), int expected, const char *says)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int old = -1;
	DFS_AUTO(fd) int tmp = -1;
	struct dfs_publish p = { .target = "d/f" };
	struct dfs_err err = { "" };

	memset(&trap, 0, sizeof(trap));
	given_an_old_file();
	store = lock_store(".");
	p.old_fd = old = open("d/f", O_RDONLY);
	CHECK(fstat(old, &p.expect) == 0);
	CHECK_OK(dfs_store_tmp(store, &tmp, &name, &err), err);
	p.tmp_fd = tmp;
	p.tmp_name = name;
	meanwhile();
	CHECK_RET(expected, dfs_publish(store, &p, &err));
	CHECK_SAYS(err, says);
	CHECK(tmp_is_empty());
}

static void rewrite(void)
{
	put_text("d/f", "newer words");
	CHECK(utimensat(AT_FDCWD, "d/f", old_times, 0) == 0); /* size and mtime are as before */
}

static void replace(void)
{
	put_text("d/g", "old content");
	CHECK(rename("d/g", "d/f") == 0);
}

static void take_away(void)
{
	CHECK(unlink("d/f") == 0);
}

static void a_target_changed_meanwhile_wins(void **state)
{
	char text[64];

	(void)state;
	publish_over(rewrite, -ESTALE, "changed");
	assert_string_equal(content_of("d/f", text, sizeof(text)), "newer words");
	CHECK(unlink("d/f") == 0);
	publish_over(replace, -ESTALE, "changed");
	CHECK(unlink("d/f") == 0);
	publish_over(take_away, -ESTALE, "removed");
	CHECK(access("d/f", F_OK) < 0);
}

static int writer = -1;

static void open_for_writing(void)
{
	writer = open("d/f", O_WRONLY);
}

static void a_target_open_for_writing_is_refused(void **state)
{
	(void)state;
	publish_over(open_for_writing, -EBUSY, "open for writing");
	CHECK(writer >= 0);
	close(writer);
}

static const struct CMUnitTest cases[] = {
	CASE(all_but_the_content_stays),
	CASE(a_decoded_file_has_no_mark),
	CASE(a_narrow_mode_is_never_widened),
	CASE(killed_at_any_call_it_is_old_or_new),
	CASE(a_failure_of_any_call_leaves_old_or_new),
	CASE(a_target_changed_meanwhile_wins),
	CASE(a_target_open_for_writing_is_refused),
};

CHECK_MAIN(cases)
