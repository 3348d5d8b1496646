/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io: read, write, copy_file_range, fsync. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/magic.h>

#include "steps.h"

/* Bytes that tell where they belong. */
static void pattern(unsigned char *buf, size_t len, size_t off)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (unsigned char)((off + i) * 31 + (off + i) / 251);
}

/* Pieces of every length, in an order that is not that of the file. */
static void scattered(struct posix *p)
{
	enum { PIECE = 977, PIECES = 1024 };
	static unsigned char piece[PIECE], whole[PIECE * PIECES], got[PIECE * PIECES];
	int fd = open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	POSIX_OK(p, fd >= 0, "open");
	for (size_t i = 0; i < PIECES; i++) {
		size_t at = i * 389 % PIECES * PIECE;

		pattern(piece, PIECE, at);
		POSIX_OK(p, pwrite(fd, piece, PIECE, (off_t)at) == PIECE, "pwrite");
	}
	pattern(whole, sizeof(whole), 0);
	POSIX_WANT(p, pread(fd, got, sizeof(got), 0) == (ssize_t)sizeof(got), "a short read inside the file");
	POSIX_WANT(p, memcmp(got, whole, sizeof(got)) == 0, "other bytes came back");
	close(fd);
	fd = open("f", O_RDONLY | O_CLOEXEC);
	POSIX_WANT(p, pread(fd, got, sizeof(got), 0) == (ssize_t)sizeof(got) && memcmp(got, whole, sizeof(got)) == 0,
		   "other bytes came back after close");
}

static void vectors(struct posix *p)
{
	char a[] = "one", b[] = "twothree", in[16] = "";
	struct iovec out[] = { { a, 3 }, { b, 8 } }, back[] = { { in, 5 }, { in + 5, 10 } };
	int fd = open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	POSIX_OK(p, pwritev(fd, out, 2, 2) == 11, "pwritev");
	POSIX_WANT(p, preadv(fd, back, 2, 2) == 11 && strcmp(in, "onetwothree") == 0, "preadv got %s", in);
	POSIX_WANT(p, writev(fd, out, 2) == 11 && lseek(fd, 0, SEEK_CUR) == 11, "writev");
	POSIX_WANT(p, pread(fd, in, 15, 0) == 13 && memcmp(in, "onetwothreeee", 13) == 0, "got %s", in);
}

static void append_records(struct posix *p, int writer, int records)
{
	char record[64];
	int fd = open("f", O_WRONLY | O_APPEND | O_CLOEXEC);

	for (int i = 0; i < records; i++) {
		memset(record, 'a' + writer, sizeof(record));
		POSIX_OK(p, write(fd, record, sizeof(record)) == sizeof(record), "write");
	}
	_exit(POSIX_PASSED);
}

/* Several append at once: nothing lost, nothing torn. */
static void append_race(struct posix *p)
{
	enum { WRITERS = 4, RECORDS = 200, LEN = 64 };
	static char got[WRITERS * RECORDS * LEN + 1];
	int n[WRITERS] = { 0 }, status, fd = open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	for (int writer = 0; writer < WRITERS; writer++)
		if (fork() == 0)
			append_records(p, writer, RECORDS);
	while (wait(&status) > 0)
		POSIX_WANT(p, status == 0, "a writer failed: %s", p->said);
	POSIX_WANT(p, pread(fd, got, sizeof(got), 0) == WRITERS * RECORDS * LEN, "bytes are missing");
	for (int i = 0; i < WRITERS * RECORDS; i++) {
		const char *record = got + i * LEN;
		int writer = record[0] - 'a';

		POSIX_WANT(p, writer >= 0 && writer < WRITERS && memcmp(record, record + 1, LEN - 1) == 0, "a torn record");
		n[writer]++;
	}
	for (int writer = 0; writer < WRITERS; writer++)
		POSIX_WANT(p, n[writer] == RECORDS, "%d records of one writer", n[writer]);
}

/* A write that would cross the limit writes up to it. */
static void short_at_limit(struct posix *p)
{
	char buf[100] = "";

	posix_steps(p, "limit fsize 4096; open %a f rw,creat 0644");
	POSIX_WANT(p, pwrite(p->fds[0], buf, 100, 4050) == 46, "not 46 bytes");
	posix_steps(p, "is f size=4096; EFBIG pwrite %a x 4096; EFBIG pwrite %a x 5000; is f size=4096");
}

/* What FUSE reads from the page cache no server hears of: only the first read after opening counts there. */
static void read_times(struct posix *p)
{
	struct statfs fs;
	struct stat st;

	posix_steps(p, "open %a f rw,creat 0644; write %a abc; utimens f 5.000000000 omit; note f; "
		       "pread %a 3 0 abc; close %a");
	POSIX_OK(p, statfs("f", &fs) == 0 && stat("f", &st) == 0, "stat");
	if (fs.f_type == FUSE_SUPER_MAGIC && st.st_atim.tv_sec == 5)
		posix_unsupported(p, "the atime of reads from the page cache");
	posix_steps(p, "since f a");
}

static const struct posix_case posix_read_cases[] = {
	STEPS("end", "open %a f rw,creat 0644; write %a abc; =0 read %a 9 -; =3 pread %a 9 0 abc; "
	      "=1 pread %a 9 2 c; =0 pread %a 9 3 -; =0 pread %a 9 1000 -"),
	STEPS("empty", "open %a f r,creat 0644; =0 read %a 9 -; =0 pread %a 0 0 -"),
	STEPS("offset-moves", "open %a f rw,creat 0644; write %a abcdef; lseek %a 0 set; =2 read %a 2 ab; "
	      "=2 read %a 2 cd; pread %a 2 0 ab; =2 read %a 2 ef"),
	STEPS("offset-own", "open %a f rw,creat 0644; open %b f r; write %a abc; =3 read %b 9 abc; "
	      "=0 read %a 9 -"),
	STEPS("hole", "open %a f rw,creat 0644; pwrite %a x 100000; bytes f 0 0 100000; "
	      "=1 pread %a 9 100000 x"),
	STEPS("EBADF-writeonly", "open %a f w,creat 0644; EBADF read %a 1 -; EBADF pread %a 1 0 -"),
	STEPS("EBADF", "EBADF read %a 1 -; EBADF pread %a 1 0 -"),
	STEPS("EISDIR", "mkdir d 0755; open %a d r; EISDIR read %a 1 -"),
	STEPS("EINVAL-offset", "open %a f r,creat 0644; EINVAL pread %a 1 -1 -"),
	STEPS("ESPIPE", "mknod f fifo 0644; open %a f rw,nonblock; ESPIPE pread %a 1 0 -"),
	STEPS("EFAULT", "open %a f rw,creat 0644; write %a abc; EFAULT pread %a 3 0 @fault"),
	RUN("times", read_times),
	STEPS("times-noatime", "open %a f rw,creat 0644; write %a abc; close %a; utimens f 5.000000000 omit; "
	      "note f; open %a f r,noatime; read %a 3 abc; close %a; since f -"),
	STEPS("other-users", "open %a f w,creat 0644; write %a abc; other: content f abc"),
};

static const struct posix_case posix_write_cases[] = {
	STEPS("over", "open %a f rw,creat 0644; write %a abcdef; =2 pwrite %a XY 2; content f abXYef; "
	      "is f size=6"),
	STEPS("over-opened-again", "open %a f rw,creat 0644; write %a abcdef; close %a; create g 0644; create h 0644; "
	      "open %a f rw; =2 pwrite %a XY 2; fsync %a; close %a; content f abXYef; is f size=6"),
	STEPS("beyond-end", "open %a f rw,creat 0644; =1 pwrite %a x 5000; is f size=5001; bytes f 0 0 5000"),
	STEPS("nothing", "open %a f w,creat 0644; =0 write %a -; =0 pwrite %a - 100; is f size=0"),
	STEPS("others-see", "open %a f w,creat 0644; open %b f r; write %a abc; =3 read %b 9 abc; "
	      "write %a def; =3 read %b 9 def; is %b size=6"),
	STEPS("size-at-once", "open %a f w,creat 0644; write %a abc; is f size=3; pwrite %a x 99; "
	      "is f size=100; is %a size=100"),
	RUN("scattered", scattered),
	RUN("vectors", vectors),
	RUN("append-race", append_race),
	STEPS("EBADF-readonly", "create f 0644; open %a f r; EBADF write %a x; EBADF pwrite %a x 0"),
	STEPS("EBADF", "EBADF write %a x; EBADF pwrite %a x 0"),
	STEPS("EBADF-directory", "mkdir d 0755; open %a d r; EBADF write %a x"),
	STEPS("EINVAL-offset", "open %a f w,creat 0644; EINVAL pwrite %a x -1"),
	STEPS("ESPIPE", "mknod f fifo 0644; open %a f rw,nonblock; ESPIPE pwrite %a x 0"),
	STEPS("EFAULT", "open %a f w,creat 0644; EFAULT write %a @fault; is f size=0"),
	RUN("EFBIG", short_at_limit),
	STEPS("times", "open %a f w,creat 0644; note f .; write %a x; since f mc; since . -"),
	STEPS("times-again", "open %a f w,creat 0644; write %a x; note f; write %a y; since f mc; note f; "
	      "write %a z; since f mc"),
	STEPS("times-settled", "open %a f w,creat 0644; write %a x; note f; fsync %a; since f -; close %a; "
	      "since f -"),
	STEPS("times-nothing", "open %a f w,creat 0644; note f; write %a -; since f -"),
	STEPS("times-set-stay", "open %a f w,creat 0644; write %a abc; utimens f 5.000000001 6.000000002; "
	      "close %a; is f mtime=6.000000002; open - f w; is f mtime=6.000000002"),
	STEPS("times-set-stay-descriptor", "open %a f w,creat 0644; write %a abc; "
	      "utimens %a 5.000000001 6.000000002; fsync %a; is f mtime=6.000000002; close %a; "
	      "is f mtime=6.000000002"),
	STEPS("after-rename", "open %a f w,creat 0644; write %a abc; rename f g; write %a def; "
	      "content g abcdef"),
	STEPS("after-chmod", "owner: open %a f w,creat 0644; chmod f 0; =3 write %a abc; is f size=3"),
};

static const struct posix_case posix_copy_file_range_cases[] = {
	STEPS("whole", "open %a f rw,creat 0644; write %a abcdef; open %b g rw,creat 0644; "
	      "=6 copy %a 0 %b 0 100; content g abcdef; =0 copy %a 6 %b 6 100"),
	STEPS("part", "open %a f rw,creat 0644; write %a abcdef; open %b g rw,creat 0644; write %b 123456; "
	      "=3 copy %a 1 %b 2 3; content g 12bcd6; content f abcdef"),
	STEPS("offsets-move", "open %a f rw,creat 0644; write %a abcdef; lseek %a 1 set; "
	      "open %b g rw,creat 0644; =2 copy %a - %b - 2; =3 lseek %a 0 cur; =2 lseek %b 0 cur; "
	      "=3 copy %a - %b - 9; content g bcdef"),
	STEPS("offsets-given-stay", "open %a f rw,creat 0644; write %a abcdef; open %b g rw,creat 0644; "
	      "=6 copy %a 0 %b 0 9; =6 lseek %a 0 cur; =0 lseek %b 0 cur"),
	STEPS("beyond-target", "open %a f rw,creat 0644; write %a abc; open %b g rw,creat 0644; "
	      "=3 copy %a 0 %b 5000 3; is g size=5003; bytes g 0 0 5000"),
	STEPS("unsynced", "open %a f rw,creat 0644; fill %a 7 0 1m; open %b g rw,creat 0644; fill %b 8 0 2m; "
	      "=1048576 copy %a 0 %b 4096 1m; bytes g 8 0 4096; bytes g 7 4096 1m; bytes g 8 1052672 100000"),
	STEPS("then-source-changes", "open %a f rw,creat 0644; fill %a 7 0 64k; open %b g rw,creat 0644; "
	      "copy %a 0 %b 0 64k; fill %a 9 0 64k; bytes g 7 0 64k; fill %b 8 0 100; bytes f 9 0 64k; "
	      "bytes g 7 100 65000"),
	STEPS("then-source-goes", "open %a f rw,creat 0644; fill %a 7 0 64k; open %b g rw,creat 0644; "
	      "copy %a 0 %b 0 64k; close %a; unlink f; bytes g 7 0 64k"),
	STEPS("same-file", "open %a f rw,creat 0644; write %a abcdef; =3 copy %a 0 %a 3 3; content f abcabc"),
	STEPS("EINVAL-overlap", "open %a f rw,creat 0644; write %a abcdef; EINVAL copy %a 0 %a 2 3; "
	      "content f abcdef"),
	STEPS("EINVAL-flags", "open %a f rw,creat 0644; open %b g rw,creat 0644; EINVAL copy %a 0 %b 0 1 0x10"),
	STEPS("EBADF-source", "open %a f w,creat 0644; open %b g rw,creat 0644; EBADF copy %a 0 %b 0 1"),
	STEPS("EBADF-target", "open %a f rw,creat 0644; write %a abc; create g 0644; open %b g r; "
	      "EBADF copy %a 0 %b 0 1"),
	STEPS("EBADF-append", "open %a f rw,creat 0644; write %a abc; open %b g w,creat,append 0644; "
	      "EBADF copy %a 0 %b 0 1"),
	STEPS("EISDIR", "mkdir d 0755; open %a d r; open %b g rw,creat 0644; EISDIR copy %a 0 %b 0 1"),
	STEPS("EINVAL-fifo", "mknod p fifo 0644; open %a p rw; open %b g rw,creat 0644; "
	      "EINVAL copy %a - %b 0 1"),
	STEPS("EFBIG", "open %a f rw,creat 0644; fill %a 7 0 8192; open %b g rw,creat 0644; limit fsize 4096; "
	      "EFBIG copy %a 0 %b 4096 1; =4096 copy %a 0 %b 0 8192; is g size=4096"),
	STEPS("nothing", "open %a f rw,creat 0644; open %b g rw,creat 0644; =0 copy %a 0 %b 0 0; "
	      "=0 copy %a 0 %b 0 9; is g size=0"),
	STEPS("times", "open %a f rw,creat 0644; write %a abc; open %b g rw,creat 0644; note g .; "
	      "copy %a 0 %b 0 3; since g mc; since . -"),
	STEPS("other-users-files", "open %a f r,creat 0644; open %b h w,creat 0644; write %b abc; close %b; "
	      "open %b h r; other: open %c g w,creat 0600; copy %b 0 %c 0 3; is g size=3 uid=other"),
};

static int moved_by_sendfile(int from, int to, size_t len)
{
	return sendfile(to, from, NULL, len) == (ssize_t)len;
}

static int moved_by_splice(int from, int to, size_t len)
{
	int pipe[2];

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return 0;
	for (ssize_t got; len > 0; len -= (size_t)got) {
		got = splice(from, NULL, pipe[1], NULL, len < 4096 ? len : 4096, SPLICE_F_MOVE);
		if (got <= 0 || splice(pipe[0], NULL, to, NULL, (size_t)got, SPLICE_F_MOVE) != got)
			return 0;
	}
	return 1;
}

static void moved(struct posix *p, int (*move)(int from, int to, size_t len))
{
	posix_steps(p, "open %a f rw,creat 0644; fill %a 7 0 64k; fill %a 8 64k 100; open %b g rw,creat 0644; "
		       "fill %b 9 0 2000; lseek %b 1000 set");
	POSIX_OK(p, move(p->fds[0], p->fds[1], 65636), "the call");
	posix_steps(p, "bytes g 9 0 1000; bytes g 7 1000 64k; bytes g 8 66536 100; is g size=66636; =0 read %a 9 -");
}

static void sent(struct posix *p)
{
	moved(p, moved_by_sendfile);
}

static void spliced(struct posix *p)
{
	moved(p, moved_by_splice);
}

static const struct posix_case posix_splice_cases[] = {
	RUN("sendfile", sent),
	RUN("through-pipe", spliced),
};

static const struct posix_case posix_fsync_cases[] = {
	STEPS("file", "open %a f rw,creat 0644; write %a abc; fsync %a; fdatasync %a; content f abc"),
	STEPS("readonly", "create f 0644; open %a f r; fsync %a; fdatasync %a"),
	STEPS("directory", "mkdir d 0755; open %a d r; create d/f 0644; fsync %a; fdatasync %a; "
	      "rename d/f d/g; fsync %a; unlink d/g; fsync %a"),
	STEPS("removed-directory", "mkdir d 0755; open %a d r; rmdir d; fsync %a"),
	STEPS("unlinked", "open %a f rw,creat 0644; write %a abc; unlink f; fsync %a; fdatasync %a"),
	STEPS("other-user", "create f 0644; other: open %a f r; fsync %a"),
	STEPS("syncfs", "open %a . r; syncfs %a; EBADF syncfs %b"),
	STEPS("EBADF", "EBADF fsync %a; EBADF fdatasync %a"),
	STEPS("EINVAL-fifo", "mknod f fifo 0644; open %a f rw,nonblock; EINVAL fsync %a; EINVAL fdatasync %a"),
	STEPS("times", "open %a f rw,creat 0644; write %a abc; note f; fsync %a; since f -"),
};

const struct posix_group posix_io_groups[] = {
	POSIX_GROUP(read),
	POSIX_GROUP(write),
	POSIX_GROUP(copy_file_range),
	POSIX_GROUP(splice),
	POSIX_GROUP(fsync),
	{ NULL, NULL, 0 },
};
