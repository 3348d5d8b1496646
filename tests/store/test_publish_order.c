/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_publish_order: what a power cut leaves is the disk's to say, once it was
 * told: the file is synced as it will be before it gets its name, the directory
 * after. The calls are wrapped by the linker (--wrap, local.mk).
 */
#include "given.h"
#include "store/publish.h"

static struct {
	ino_t file, dir;
	bool file_synced;	/* since it was changed last */
	bool synced_first, placed, dir_synced;
	unsigned changes;
} seen;

static bool is(int fd, ino_t ino)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == ino;
}

static void changed(int fd)
{
	if (!is(fd, seen.file))
		return;
	seen.changes++;
	seen.file_synced = false;
}

#define WRAP(name, parameters, arguments)	\
	int __real_##name parameters;		\
	int __wrap_##name parameters;		\
	int __wrap_##name parameters		\
	{					\
		changed(fd);			\
		return __real_##name arguments;	\
	}

WRAP(fsetxattr, (int fd, const char *name, const void *value, size_t size, int flags), (fd, name, value, size, flags))
WRAP(fremovexattr, (int fd, const char *name), (fd, name))
WRAP(fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(futimens, (int fd, const struct timespec *times), (fd, times))

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	if (is(fd, seen.file))
		seen.file_synced = true;
	if (is(fd, seen.dir))
		seen.dir_synced = seen.placed;
	return __real_fsync(fd);
}

int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
	if (is(b, seen.dir)) {
		seen.synced_first = seen.file_synced;
		seen.placed = true;
	}
	return __real_renameat(a, from, b, to);
}

static void publish(bool as_container)
{
	static const struct dfs_superblock sb = { .original_size = 11, .meta_hash.bytes = "0123456789abcde" };
	DFS_AUTO(store) struct dfs_store *store = lock_store(".");
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int old = open("d/f", O_RDONLY);
	DFS_AUTO(fd) int tmp = -1;
	struct dfs_publish p = { .target = "d/f", .old_fd = old, .sb = as_container ? &sb : NULL, .old_is_still = !as_container };
	struct dfs_err err = { "" };
	struct stat st;

	CHECK(fstat(old, &p.expect) == 0);
	CHECK_OK(dfs_store_tmp(store, &tmp, &name, &err), err);
	CHECK(dfs_write_all(tmp, "new content", 11) == 0);
	p.tmp_fd = tmp;
	p.tmp_name = name;
	memset(&seen, 0, sizeof(seen));
	CHECK(fstat(tmp, &st) == 0);
	seen.file = st.st_ino;
	CHECK(stat("d", &st) == 0);
	seen.dir = st.st_ino;
	CHECK_OK(dfs_publish(store, &p, &err), err);
}

static void synced_before_it_is_in_place_and_its_directory_after(void **state)
{
	(void)state;
	mkdir("d", 0755);
	put_text("d/f", "old content");
	for (int as_container = 1; as_container >= 0; as_container--) {
		publish(as_container);
		CHECK(seen.changes >= 3); /* the mode twice, the times */
		CHECK(seen.synced_first);
		CHECK(seen.placed && seen.dir_synced);
	}
}

static const struct CMUnitTest cases[] = {
	CASE(synced_before_it_is_in_place_and_its_directory_after),
};

CHECK_MAIN(cases)
