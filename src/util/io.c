/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io: whole reads and writes.
 */
#include "util/io.h"

#include <errno.h>
#include <unistd.h>

ssize_t dfs_pread_some(int fd, void *buf, size_t len, uint64_t off)
{
	uint8_t *to = buf;
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, to + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int dfs_pread_all(int fd, void *buf, size_t len, uint64_t off)
{
	ssize_t n = dfs_pread_some(fd, buf, len, off);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}

int dfs_pwrite_all(int fd, const void *buf, size_t len, uint64_t off)
{
	const uint8_t *from = buf;
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(fd, from + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int dfs_write_all(int fd, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, from + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}
