/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handshake: the first request, by which the kernel and we agree on what we do.
 *
 * libfuse answers it, and offers the kernel what it knows of: up to 3.16 not
 * FUSE_HANDLE_KILLPRIV_V2. Without that the kernel asks for the attribute
 * security.capability before each write(2), a round trip that takes longer
 * than the write. So its answer is caught and completed: the descriptor that
 * it writes to is a pipe meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "util/auto.h"
#include "util/io.h"

/* The kernel refuses to hand a request over into less than 8 KiB. */
#define REQUEST_SIZE ((size_t)64 << 10)

struct answer {
	struct fuse_out_header header;
	struct fuse_init_out init;
};

struct request {
	struct fuse_in_header header;
	struct fuse_init_in init;
};

/* What it writes to @fd until the next dup2() is read from the pipe that is returned. */
static int divert(int fd)
{
	int ends[2], ret = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	if (dup3(ends[1], fd, O_CLOEXEC) < 0) {
		ret = -errno;
		close(ends[0]);
	}
	close(ends[1]);
	return ret < 0 ? ret : ends[0];
}

/* Return: bytes of what libfuse answers; 0: it has answered itself, there is no descriptor left; -errno. */
static ssize_t answer_of_libfuse(struct fuse_session *session, int fd, const struct fuse_buf *buf, void *answer, size_t size)
{
	/* Not F_DUPFD_CLOEXEC: the thread sanitizer would not know of it, and see no order among requests any more. */
	DFS_AUTO(fd) int device = dup(fd);
	DFS_AUTO(fd) int pipe = device < 0 ? -1 : divert(fd);
	ssize_t got;

	if (device >= 0)
		fcntl(device, F_SETFD, FD_CLOEXEC);
	fuse_session_process_buf(session, buf);
	if (pipe < 0)
		return 0;
	/* The pipe's other end is closed by this: a read ends where the answer does. */
	if (dup3(device, fd, O_CLOEXEC) < 0)
		return -errno;
	got = read(pipe, answer, size);
	if (got == 0)
		return -EIO;
	return got < 0 ? -errno : got;
}

/* For an old kernel both are shorter; what it does not offer is not asked of it. */
static void complete(const struct request *asked, size_t asked_size, struct answer *answer, size_t size)
{
	const size_t flags_end = offsetof(struct request, init.flags) + sizeof(asked->init.flags);

	if (asked_size >= flags_end && size == sizeof(*answer) && asked->header.opcode == FUSE_INIT && answer->header.error == 0)
		answer->init.flags |= asked->init.flags & FUSE_HANDLE_KILLPRIV_V2;
}

int dfs_handshake(struct dfs_mount *mount)
{
	int fd = fuse_session_fd(mount->session);
	DFS_AUTO(mem) struct request *asked = calloc(1, REQUEST_SIZE);
	struct answer answer = { 0 };
	struct fuse_buf buf = { .mem = asked };
	ssize_t got;

	if (!asked)
		return -ENOMEM;
	do
		got = read(fd, asked, REQUEST_SIZE);
	while (got < 0 && errno == EINTR && !fuse_session_exited(mount->session));
	if (got < 0)
		return errno == EINTR ? -ENODEV : -errno;
	buf.size = (size_t)got;
	got = answer_of_libfuse(mount->session, fd, &buf, &answer, sizeof(answer));
	if (got <= 0)
		return (int)got;
	complete(asked, buf.size, &answer, (size_t)got);
	return write(fd, &answer, (size_t)got) < 0 ? -errno : 0;
}
