/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * openat: a path of the store, resolved without ever leaving it.
 *
 * openat2(2) does it in one call. Where the kernel (before 5.6) or a seccomp
 * filter does not offer it, each component is opened by itself with
 * O_NOFOLLOW. Neither way takes "..": nothing that deltafs opens needs it, and
 * without it no rename elsewhere can lead a lookup out of the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/internal.h"

/* Renames in between are over at once; whoever has a lease needs a moment. */
#define TRIES_AT_ONCE 64

/* A path of single components: no absolute path, no "..". */
static int path_check(const char *rel)
{
	if (rel[0] == '/')
		return -EXDEV;
	while (*rel) {
		size_t n = strcspn(rel, "/");

		if (n == 2 && rel[0] == '.' && rel[1] == '.')
			return -EXDEV;
		rel += n;
		rel += strspn(rel, "/");
	}
	return 0;
}

static int open_at_once(int dir, const char *rel, int flags, unsigned mode)
{
	struct open_how how = {
		.flags = (unsigned)flags,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, dir, rel, &how, sizeof(how));
}

/* The same, one component at a time. Return: a descriptor or -1 with errno. */
static int open_by_steps(int dir, const char *rel, int flags, unsigned mode)
{
	DFS_AUTO(fd) int at = -1;
	char name[256];

	for (;;) {
		size_t n = strcspn(rel, "/");
		const char *next = rel + n + strspn(rel + n, "/");
		int from = at < 0 ? dir : at;
		int fd;

		if (n >= sizeof(name)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, rel, n);
		name[n] = '\0';
		if (!*next) {
			if (rel[n] == '/')
				flags |= O_DIRECTORY;
			return openat(from, name, flags, mode);
		}
		fd = openat(from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return -1;
		if (at >= 0)
			close(at);
		at = fd;
		rel = next;
	}
}

/*
 * Is it to be tried again? EAGAIN is that something was renamed on the way, or
 * that a program behind the mount has a lease on the file: it is asked to give
 * that back, and the kernel takes it after /proc/sys/fs/lease-break-time.
 */
static bool again(unsigned *tries)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	if (errno != EAGAIN)
		return errno == EINTR;
	if (++*tries > TRIES_AT_ONCE)
		nanosleep(&pause, NULL);
	return true;
}

int dfs_openat_beneath(int dir, const char *rel, int flags, unsigned mode, int *ret_fd)
{
	unsigned tries = 0;
	int ret = path_check(rel);
	int fd;

	if (ret < 0)
		return ret;
	if (!*rel)
		rel = ".";
	flags |= O_CLOEXEC | O_NOFOLLOW;
	if (!(flags & O_PATH))
		flags |= O_NOCTTY | O_NONBLOCK;
	do {
		fd = open_at_once(dir, rel, flags, mode);
		/* EPERM is also how an old seccomp filter says "no such call" */
		if (fd < 0 && (errno == ENOSYS || errno == EPERM))
			fd = open_by_steps(dir, rel, flags, mode);
	} while (fd < 0 && again(&tries));
	/* only to the owner and root is it allowed, and it is only to be quiet */
	if (fd < 0 && errno == EPERM && flags & O_NOATIME)
		return dfs_openat_beneath(dir, rel, flags & ~O_NOATIME, mode, ret_fd);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int dfs_store_openat(const struct dfs_store *store, const char *rel, int flags, int *ret_fd)
{
	return dfs_openat_beneath(store->fd, rel, flags, 0600, ret_fd);
}

/* Without openat2(2): a mount is another device, or it is one as the rest. */
static int open_on_device(int dir, const char *name)
{
	struct stat here, there;

	if (fstat(dir, &here) < 0 || fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (here.st_dev != there.st_dev) {
		errno = EXDEV;
		return -1;
	}
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int dfs_store_subdirectory(int dir, const char *name, int *ret_fd)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	unsigned tries = 0;
	int fd;

	do {
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	} while (fd < 0 && again(&tries));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open_on_device(dir, name);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}
