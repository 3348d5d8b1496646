/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open: flags, modes, who owns what is created, what opening may not do. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"

/* Every combination of one class's bits, the other classes having just the others. */
static mode_t mode_of(enum posix_who who, mode_t bits)
{
	mode_t rest = ~bits & 7;
	int shift = (POSIX_OTHER - who) * 3;

	return (mode_t)((rest | rest << 3 | rest << 6) & ~(7u << shift)) | bits << shift;
}

static void try_bits(struct posix *p, enum posix_who who, mode_t bits)
{
	static const struct {
		int flags;
		mode_t needs;
	} tries[] = {
		{ O_RDONLY, 4 }, { O_WRONLY, 2 }, { O_RDWR, 6 }, { O_WRONLY | O_TRUNC, 2 }, { O_RDONLY | O_TRUNC, 6 },
	};
	mode_t mode = mode_of(who, bits);

	posix_become(p, POSIX_ROOT);
	POSIX_OK(p, chmod("f", mode) == 0, "chmod");
	posix_become(p, who);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int fd = open("f", tries[i].flags | O_CLOEXEC), got = fd < 0 ? errno : 0;
		int want = (bits & tries[i].needs) == tries[i].needs ? 0 : EACCES;

		if (fd >= 0)
			close(fd);
		POSIX_WANT(p, got == want, "mode %04o, flags %#x: expected %s, got %s", mode, tries[i].flags,
			   posix_errno_name(want), posix_errno_name(got));
	}
	for (mode_t asked = 0; asked < 8; asked++) {
		int got = access("f", (int)asked) < 0 ? errno : 0;
		int want = (bits & asked) == asked ? 0 : EACCES;

		POSIX_WANT(p, got == want, "mode %04o, access %o: expected %s, got %s", mode, asked,
			   posix_errno_name(want), posix_errno_name(got));
	}
}

static void all_bits(struct posix *p, enum posix_who who)
{
	posix_steps(p, "create f 0600; chown f owner owner");
	for (mode_t bits = 0; bits < 8; bits++)
		try_bits(p, who, bits);
}

static void owner_bits(struct posix *p)
{
	all_bits(p, POSIX_OWNER);
}

static void member_bits(struct posix *p)
{
	all_bits(p, POSIX_MEMBER);
}

static void other_bits(struct posix *p)
{
	all_bits(p, POSIX_OTHER);
}

static int race(const char *name)
{
	if (open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0)
		return 0;
	return errno == EEXIST ? 1 : 2;
}

/* Of many that create one name exclusively, one succeeds. */
static void one_wins(struct posix *p)
{
	enum { RACERS = 8, ROUNDS = 20 };
	char name[16];

	for (int round = 0; round < ROUNDS; round++) {
		int won = 0;

		snprintf(name, sizeof(name), "f%d", round);
		for (int i = 0; i < RACERS; i++)
			if (fork() == 0)
				_exit(race(name));
		for (int i = 0; i < RACERS; i++) {
			int status = 0;

			wait(&status);
			POSIX_WANT(p, WIFEXITED(status) && WEXITSTATUS(status) < 2, "a racer got another error");
			won += WEXITSTATUS(status) == 0;
		}
		POSIX_WANT(p, won == 1, "%d of %d created it", won, RACERS);
	}
}

static void direct_bytes(struct posix *p)
{
	enum { LEN = 64 << 10 };
	char *out = aligned_alloc(4096, LEN), *in = aligned_alloc(4096, LEN);
	int fd = open("f", O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EINVAL)
		posix_unsupported(p, "O_DIRECT");
	POSIX_OK(p, fd >= 0 && out && in, "open");
	for (int i = 0; i < LEN; i++)
		out[i] = (char)(i * 7 + i / 4096);
	POSIX_OK(p, pwrite(fd, out, LEN, 4096) == LEN, "pwrite");
	POSIX_WANT(p, pread(fd, in, LEN, 4096) == LEN && memcmp(in, out, LEN) == 0, "other bytes came back");
	POSIX_WANT(p, pread(fd, in, LEN, LEN) == 4096 && memcmp(in, out + LEN - 4096, 4096) == 0, "a wrong end");
	posix_steps(p, "bytes f 0 0 4096; is f size=69632; open %a f rw; pwrite %a buffered 4096; bytes f 0 0 4096");
	POSIX_WANT(p, pread(fd, in, 4096, 4096) == 4096 && memcmp(in, "buffered", 8) == 0,
		   "a direct read does not see what was written through the cache");
}

static const struct posix_case posix_open_cases[] = {
	STEPS("caller-owner", "owner: create f 0644; "
	      "is f type=reg uid=owner gid=owner mode=0644 nlink=1 size=0"),
	STEPS("caller-member", "member: create f 0644; is f uid=member gid=member"),
	STEPS("caller-other", "other: create f 0600; is f uid=other gid=other; other: open - f rw"),
	STEPS("caller-in-group-directory", "mkdir d 0770; chown d owner owner; member: create d/f 0644; "
	      "is d/f uid=member gid=member"),
	STEPS("caller-private", "other: create f 0600; owner: EACCES open - f r; member: EACCES open - f r; "
	      "other: open - f rw"),
	STEPS("mode-all", "create f 07777; is f mode=07777"),
	STEPS("mode-user", "owner: create f 06755; is f mode=06755"),
	STEPS("mode-none-still-writes", "owner: open %a f rw,creat 0; =2 write %a hi; =2 pread %a 9 0 hi; "
	      "is f mode=0; EACCES open - f r"),
	STEPS("mode-readonly-still-writes", "owner: open %a f rw,creat 0444; =2 write %a hi; "
	      "EACCES open - f w; open - f r"),
	STEPS("mode-kept", "create f 0600; open - f rw,creat 0666; is f mode=0600"),
	STEPS("umask", "owner: umask 027; create f 0666; is f mode=0640; umask 0777; create g 0777; "
	      "is g mode=0"),
	STEPS("umask-not-suid", "umask 022; create f 04777; is f mode=04755"),
	STEPS("setgid-directory", "mkdir d 0777; chown d owner team; chmod d 02777; other: create d/f 0644; "
	      "is d/f uid=other gid=team mode=0644"),
	STEPS("setgid-kept-in-group", "mkdir d 0777; chown d root team; chmod d 02777; "
	      "owner: create d/f 02755; is d/f gid=team mode=02755"),
	STEPS("setgid-lost-outside-group", "mkdir d 0777; chown d root team; chmod d 02777; "
	      "other: create d/f 02755; is d/f gid=team mode=0755"),
	STEPS("times-new", "note .; create f 0644; since . mc"),
	STEPS("times-existing", "create f 0644; note . f; open - f rw,creat; since . -; since f -"),
	STEPS("times-failed", "create f 0644; note .; EEXIST create f 0644; since . -"),
	STEPS("times-trunc", "open %a f w,creat 0644; write %a text; note f; open - f w,trunc; since f mc; "
	      "is f size=0"),
	STEPS("times-trunc-empty", "create f 0644; note f; open - f w,trunc; since f mc"),
	STEPS("trunc-suid", "owner: create f 06777; open %a f w; write %a x; chmod f 06777; open - f w,trunc; "
	      "is f mode=0777"),
	STEPS("trunc-suid-root", "create f 06777; chown f owner owner; chmod f 06777; open - f w,trunc; "
	      "is f mode=06777"),
	STEPS("trunc-refused", "open %a f w,creat 0444; write %a text; other: EACCES open - f w,trunc; "
	      "EACCES open - f r,trunc; content f text"),
	STEPS("trunc-others-see", "open %a f rw,creat 0644; write %a text; open - f w,trunc; "
	      "=0 pread %a 9 0 -; =3 pwrite %a new 2; is %a size=5"),
	STEPS("trunc-directory", "mkdir d 0755; EISDIR open - d r,trunc"),
	STEPS("creat-through-link", "symlink target l; open - l w,creat 0640; is target type=reg mode=0640; "
	      "is l type=lnk"),
	STEPS("creat-EACCES-through-link", "mkdir d 0755; symlink d/x l; other: EACCES open - l w,creat 0644"),
	STEPS("creat-EISDIR", "mkdir d 0755; EISDIR open - d r,creat 0644"),
	STEPS("creat-EISDIR-slash", "EISDIR open - none/ w,creat 0644; gone none"),
	STEPS("creat-EEXIST-directory", "mkdir d 0755; EEXIST open - d r,creat,excl 0644"),
	STEPS("creat-fifo", "mknod f fifo 0644; open - f rw,creat,nonblock 0600; is f type=fifo mode=0644"),
	RUN("excl-race", one_wins),
	STEPS("EISDIR-write", "mkdir d 0777; EISDIR open - d w; EISDIR open - d rw"),
	STEPS("EISDIR-write-owner", "owner: mkdir d 0777; EISDIR open - d w"),
	STEPS("ENOTDIR-slash", "create f 0644; ENOTDIR open - f/ r"),
	STEPS("ENOTDIR-O_DIRECTORY", "create f 0644; ENOTDIR open - f r,directory"),
	STEPS("ENOTDIR-O_DIRECTORY-link", "create f 0644; symlink f l; ENOTDIR open - l r,directory"),
	STEPS("O_DIRECTORY", "mkdir d 0755; open - d r,directory; symlink d l; open - l r,directory"),
	STEPS("O_DIRECTORY-nofollow", "mkdir d 0755; symlink d l; ENOTDIR|ELOOP open - l r,directory,nofollow"),
	STEPS("ELOOP-nofollow", "create f 0644; symlink f l; ELOOP open - l r,nofollow; open - f r,nofollow"),
	STEPS("ELOOP-nofollow-creat", "symlink none l; ELOOP open - l w,creat,nofollow 0644; gone none"),
	STEPS("nofollow-component", "mkdir d 0755; create d/f 0644; symlink d l; open - l/f r,nofollow"),
	STEPS("path-link", "symlink none l; open %a l path,nofollow; is %a type=lnk"),
	STEPS("path-EBADF", "create f 0644; open %a f path; EBADF read %a 1 -; EBADF chmod %a 0600; "
	      "EBADF fsync %a; is %a size=0"),
	STEPS("ENXIO-fifo", "mknod f fifo 0644; ENXIO open - f w,nonblock; open - f r,nonblock"),
	STEPS("ENXIO-socket", "mknod f sock 0644; ENXIO open - f r"),
	STEPS("root-passes", "create f 0; open - f rw"),
	STEPS("EACCES-directory-list", "mkdir d 0711; other: EACCES open - d r; root: chmod d 0755; "
	      "other: open - d r"),
	STEPS("EACCES-new-mode-at-once", "create f 0644; other: open %a f r; root: chmod f 0600; "
	      "other: EACCES open - f r; =0 read %a 1 -"),
	RUN("bits-owner", owner_bits),
	RUN("bits-member", member_bits),
	RUN("bits-other", other_bits),
	STEPS("EPERM-noatime", "create f 0644; other: EPERM open - f r,noatime; root: open - f r,noatime"),
	STEPS("noatime-owner", "owner: create f 0644; open - f r,noatime"),
	STEPS("EMFILE", "create f 0644; limit nofile 3; EMFILE open - f r"),
	STEPS("append", "open %a f rw,creat,append 0644; write %a one; lseek %a 0 set; write %a two; "
	      "content f onetwo; =6 lseek %a 0 cur"),
	STEPS("append-two", "open %a f w,creat,append 0644; open %b f w,append; write %a a; write %b b; "
	      "write %a c; content f abc"),
	STEPS("append-pwrite", "open %a f w,creat,append 0644; write %a abc; =1 pwrite %a d 0; content f abcd"),
	STEPS("append-after-truncate", "open %a f w,creat,append 0644; write %a abcdef; truncate f 2; "
	      "write %a x; content f abx"),
	STEPS("sync", "open %a f rw,creat,sync 0644; write %a text; content f text; open %b f w,dsync; "
	      "write %b TEXT; content f TEXT"),
	RUN("direct", direct_bytes),
	STEPS("descriptor-lives-on-chmod", "owner: open %a f rw,creat 0600; chmod f 0; write %a x; "
	      "=1 pread %a 1 0 x"),
};

static const struct posix_case posix_tmpfile_cases[] = {
	STEPS("unnamed", "open %a . rw,tmpfile 0600; is %a type=reg nlink=0 mode=0600; write %a text; "
	      "=4 pread %a 9 0 text; lists_names . 0"),
	STEPS("caller", "owner: open %a . rw,tmpfile 0640; is %a uid=owner gid=owner mode=0640"),
	STEPS("linked", "open %a . rw,tmpfile 0600; write %a text; link %a f; content f text; is f nlink=1; "
	      "same %a f"),
	STEPS("excl-not-linked", "open %a . rw,tmpfile,excl 0600; ENOENT link %a f"),
	STEPS("EACCES", "mkdir d 0755; other: EACCES open - d rw,tmpfile 0600"),
	STEPS("EINVAL-readonly", "EINVAL open - . r,tmpfile 0600"),
	STEPS("ENOTDIR", "create f 0644; ENOTDIR open - f rw,tmpfile 0600"),
	STEPS("ENOENT", "ENOENT open - none rw,tmpfile 0600"),
	STEPS("unmarked", "note .; open %a . rw,tmpfile 0600; write %a x; since . -"),
};

const struct posix_group posix_open_groups[] = {
	POSIX_GROUP(open),
	POSIX_GROUP(tmpfile),
	{ NULL, NULL, 0 },
};
