/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faulty: system calls that lie now and then, for LD_PRELOAD: what the
 * exercisers must find.
 *
 *	EXERCISER_FAULT=NAME		one of the names below
 *	EXERCISER_EVERY=N		it happens at each N-th occasion (1)
 *
 * Says "fault fired: NAME" on stderr when it happens first.
 *
 *	pread		one bit of what was read is wrong
 *	pwrite, write	what is said to be written is not
 *	ftruncate, truncate, punch, copy, chmod, utimens, setxattr, unlink, flock
 *			what is said to be done is not
 *	private		a shared mapping is private: stores to it are lost
 *	append, trunc, excl	open(2) overlooks the flag
 *	hole		SEEK_DATA finds nothing
 *	exchange, noreplace	rename does not look at the flag
 *	listing		readdir(3) leaves a name out
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <dlfcn.h>

/* Occasions so far, and whether it was said; programs here have one thread. */
static unsigned long occasions;
static bool said;

static bool fires(const char *name)
{
	const char *fault = getenv("EXERCISER_FAULT"), *every = getenv("EXERCISER_EVERY");
	unsigned long n = every ? strtoul(every, NULL, 0) : 1;

	if (!fault || strcmp(fault, name) || !n || ++occasions % n)
		return false;
	if (!said)
		dprintf(STDERR_FILENO, "fault fired: %s\n", name);
	said = true;
	return true;
}

ssize_t pread(int fd, void *buf, size_t len, off_t off)
{
	ssize_t n = syscall(SYS_pread64, fd, buf, len, off);

	if (n > 0 && fires("pread"))
		((char *)buf)[n / 2] ^= 4;
	return n;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	return fires("pwrite") ? (ssize_t)len : syscall(SYS_pwrite64, fd, buf, len, off);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	if (fd > STDERR_FILENO && fires("write"))
		return (ssize_t)len;
	return syscall(SYS_write, fd, buf, len);
}

int ftruncate(int fd, off_t size)
{
	return fires("ftruncate") ? 0 : (int)syscall(SYS_ftruncate, fd, size);
}

int truncate(const char *path, off_t size)
{
	return fires("truncate") ? 0 : (int)syscall(SYS_truncate, path, size);
}

int fallocate(int fd, int mode, off_t off, off_t len)
{
	if ((mode & FALLOC_FL_PUNCH_HOLE) && fires("punch"))
		return 0;
	return (int)syscall(SYS_fallocate, fd, mode, off, len);
}

ssize_t copy_file_range(int from, off_t *from_off, int to, off_t *to_off, size_t len,
			unsigned flags)
{
	if (!fires("copy"))
		return syscall(SYS_copy_file_range, from, from_off, to, to_off, len, flags);
	*from_off += (off_t)len;
	*to_off += (off_t)len;
	return (ssize_t)len;
}

int chmod(const char *path, mode_t mode)
{
	return fires("chmod") ? 0 : (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

int utimensat(int directory, const char *path, const struct timespec times[2], int flags)
{
	return fires("utimens") ? 0 : (int)syscall(SYS_utimensat, directory, path, times, flags);
}

int setxattr(const char *path, const char *name, const void *value, size_t len, int flags)
{
	return fires("setxattr") ? 0 : (int)syscall(SYS_setxattr, path, name, value, len, flags);
}

int unlink(const char *path)
{
	return fires("unlink") ? 0 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int flock(int fd, int operation)
{
	return fires("flock") ? 0 : (int)syscall(SYS_flock, fd, operation);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t off)
{
	if (fd >= 0 && (flags & MAP_SHARED) && fires("private"))
		flags = (flags & ~MAP_SHARED) | MAP_PRIVATE;
	return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, off);
}

static int overlook(int flags, int flag, const char *name)
{
	return flags & flag && fires(name) ? flags & ~flag : flags;
}

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
	flags = overlook(flags, O_APPEND, "append");
	flags = overlook(flags, O_TRUNC, "trunc");
	flags = overlook(flags, O_EXCL, "excl");
	return (int)syscall(SYS_openat, directory, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_at(directory, path, flags, mode);
}

off_t lseek(int fd, off_t off, int whence)
{
	if (whence == SEEK_DATA && fires("hole")) {
		errno = ENXIO;
		return -1;
	}
	return syscall(SYS_lseek, fd, off, whence);
}

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags)
{
	if (flags == RENAME_EXCHANGE && fires("exchange"))
		flags = 0;
	if (flags == RENAME_NOREPLACE && fires("noreplace"))
		flags = 0;
	return (int)syscall(SYS_renameat2, from, name, to, new_name, flags);
}

struct dirent *readdir(DIR *listing)
{
	struct dirent *(*next)(DIR *) = (struct dirent *(*)(DIR *))dlsym(RTLD_NEXT, "readdir");
	struct dirent *d = next(listing);

	return d && fires("listing") ? next(listing) : d;
}
