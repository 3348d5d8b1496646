/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memserver: the ceiling of FUSE. Shows one file, answers it from memory.
 *
 *	memserver FILE MOUNTPOINT	(in the foreground, until unmounted)
 *
 * What a FUSE file system could reach at best on this machine: no decode, no
 * disk, the same library, requests and replies. The file shows as "file".
 */
#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_INO 2
#define TIMEOUT_S 3600.0

struct served {
	const char *bytes;
	size_t len;
};

static struct stat served_stat(const struct served *served, fuse_ino_t ino)
{
	struct stat st = { .st_ino = ino, .st_mode = S_IFDIR | 0755, .st_nlink = 2 };

	if (ino == FILE_INO) {
		st.st_mode = S_IFREG | 0444;
		st.st_nlink = 1;
		st.st_size = (off_t)served->len;
	}
	return st;
}

static void serve_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = { .ino = FILE_INO, .attr_timeout = TIMEOUT_S,
					  .entry_timeout = TIMEOUT_S };

	if (parent != FUSE_ROOT_ID || strcmp(name, "file") != 0) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	entry.attr = served_stat(fuse_req_userdata(req), FILE_INO);
	fuse_reply_entry(req, &entry);
}

static void serve_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st = served_stat(fuse_req_userdata(req), ino);

	(void)fi;
	fuse_reply_attr(req, &st, TIMEOUT_S);
}

static void serve_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (ino != FILE_INO) {
		fuse_reply_err(req, EISDIR);
		return;
	}
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

static void serve_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	const struct served *served = fuse_req_userdata(req);
	size_t at = (size_t)off < served->len ? (size_t)off : served->len;
	size_t len = size < served->len - at ? size : served->len - at;

	(void)ino;
	(void)fi;
	fuse_reply_buf(req, served->bytes + at, len);
}

static const struct fuse_lowlevel_ops ops = {
	.lookup = serve_lookup,
	.getattr = serve_getattr,
	.open = serve_open,
	.read = serve_read,
};

static int serve(struct served *served, const char *mountpoint)
{
	char *argv[] = { "memserver", "-ofsname=memserver,ro,allow_other", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, argv);
	struct fuse_session *session = fuse_session_new(&args, &ops, sizeof(ops), served);
	struct fuse_loop_config *loop = fuse_loop_cfg_create();
	int ret = 1;

	if (session && fuse_set_signal_handlers(session) == 0 &&
	    fuse_session_mount(session, mountpoint) == 0) {
		ret = fuse_session_loop_mt(session, loop);
		fuse_session_unmount(session);
	}
	if (session)
		fuse_session_destroy(session);
	fuse_loop_cfg_destroy(loop);
	return ret != 0;
}

int main(int argc, char **argv)
{
	struct served served;
	struct stat st;
	char *bytes;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: memserver FILE MOUNTPOINT\n");
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(argv[1]);
		return 1;
	}
	served.len = (size_t)st.st_size;
	bytes = mmap(NULL, served.len ? served.len : 1, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	for (size_t at = 0; at < served.len;) {
		ssize_t n = pread(fd, bytes + at, served.len - at, (off_t)at);

		if (n <= 0) {
			perror(argv[1]);
			return 1;
		}
		at += (size_t)n;
	}
	close(fd);
	served.bytes = bytes;
	return serve(&served, argv[2]);
}
