/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rename and renameat2: what goes over what, whose links and times change, what stays open. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"

/* While one renames over a name, that name is always there, with one of the two contents. */
static void never_missing(struct posix *p)
{
	pid_t pid;

	posix_steps(p, "open %a f w,creat 0644; write %a one; close %a");
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 500; i++)
			posix_steps(p, "open %a t w,creat,trunc 0644; write %a two; close %a; rename t f");
		_exit(0);
	}
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		char buf[8] = "";
		int fd = open("f", O_RDONLY | O_CLOEXEC);

		POSIX_OK(p, fd >= 0, "open");
		POSIX_WANT(p, read(fd, buf, 3) == 3 && (!strcmp(buf, "one") || !strcmp(buf, "two")), "read %s", buf);
		close(fd);
	}
}

static const struct posix_case posix_rename_cases[] = {
	STEPS("moves", "open %a f w,creat 0640; write %a text; mkdir d 0755; rename f d/g; gone f; "
	      "content d/g text; is d/g mode=0640; same %a d/g"),
	STEPS("same-name", "create f 0644; rename f f; is f nlink=1"),
	STEPS("two-links-of-one", "create f 0644; link f g; rename f g; is f nlink=2; same f g"),
	STEPS("two-links-of-one-no-times", "create f 0644; link f g; note f .; rename f g; since f -; "
	      "since . -"),
	STEPS("links-kept", "create f 0644; link f g; rename f h; is h nlink=2; same g h; gone f"),
	STEPS("over-file", "create f 0600; create g 0644; rename f g; gone f; is g mode=0600 nlink=1; "
	      "lists_names . 1"),
	STEPS("over-one-of-links", "create f 0600; create g 0644; link g h; rename f g; "
	      "is h nlink=1 mode=0644; is g mode=0600; differ g h"),
	STEPS("over-open", "open %a g rw,creat 0644; write %a old; open %b f rw,creat 0644; write %b newer; "
	      "rename f g; =3 pread %a 9 0 old; is %a nlink=0; =1 pwrite %a x 3; content g newer"),
	STEPS("over-open-readonly", "open %a g w,creat 0644; write %a old; close %a; open %a g r; "
	      "create f 0644; rename f g; =3 read %a 9 old; is g size=0"),
	STEPS("of-open", "open %a f rw,creat 0644; rename f g; =4 write %a text; content g text; same %a g; "
	      "is %a nlink=1"),
	STEPS("over-symlink", "create t 0644; symlink t l; create f 0600; rename f l; is l type=reg mode=0600; "
	      "is t nlink=1"),
	STEPS("of-symlink", "symlink none l; create f 0644; rename l f; is f type=lnk; readlink f none; "
	      "gone l"),
	STEPS("of-fifo", "mknod f fifo 0644; create g 0644; rename f g; is g type=fifo"),
	STEPS("longest", "create f 0644; rename f @name; mkdir d 0755; rename @name d/@name; "
	      "is d/@name nlink=1"),
	STEPS("over-none-owner", "mkdir d 0755; chown d owner owner; owner: create d/f 0; rename d/f d/g; "
	      "is d/g mode=0"),
	STEPS("others-file", "create f 0; other: rename f g; is g uid=root"),
	STEPS("EISDIR", "create f 0644; mkdir d 0755; EISDIR rename f d; is f nlink=1"),
	STEPS("EISDIR-not-empty", "create f 0644; mkdir d 0755; create d/x 0644; EISDIR rename f d"),
	STEPS("ENOTDIR", "mkdir d 0755; create f 0644; ENOTDIR rename d f; is d nlink=2"),
	STEPS("ENOTDIR-symlink", "mkdir d 0755; mkdir e 0755; symlink e l; ENOTDIR rename d l"),
	STEPS("ENOTDIR-slash", "create f 0644; ENOTDIR rename f g/; ENOTDIR rename f/ g; is f nlink=1"),
	STEPS("EINVAL-into-itself", "mkdir d 0755; mkdir d/e 0755; EINVAL rename d d/x; EINVAL rename d d/e/x; "
	      "EINVAL rename d d/e"),
	STEPS("ENOTEMPTY-ancestor", "mkdir d 0755; mkdir d/e 0755; ENOTEMPTY rename d/e d"),
	STEPS("ENOTEMPTY-ancestor-file", "mkdir d 0755; create d/f 0644; ENOTEMPTY|EISDIR rename d/f d"),
	STEPS("ENOTEMPTY", "mkdir d 0755; mkdir e 0755; create e/f 0644; ENOTEMPTY rename d e; is d type=dir; "
	      "is e/f type=reg"),
	STEPS("ENOTEMPTY-directory", "mkdir d 0755; mkdir e 0755; mkdir e/f 0755; ENOTEMPTY rename d e"),
	STEPS("EBUSY-dots", "mkdir d 0755; EBUSY rename . d/x; EBUSY rename d .; EBUSY rename d ..; "
	      "EBUSY rename d/.. e"),
	STEPS("EXDEV", "create f 0644; EXDEV rename f /dev/posix-none; mkdir d 0755; "
	      "EXDEV rename d /dev/posix-none"),
	STEPS("ENOENT-into-removed", "create f 0644; mkdir d 0755; open %a d r; rmdir d; ENOENT rename f %a/x"),
	STEPS("directory", "mkdir d 0750; create d/f 0644; rename d e; gone d; is e/f type=reg; "
	      "is e mode=0750 nlink=2"),
	STEPS("directory-slash", "mkdir d 0755; rename d/ e/; is e type=dir"),
	STEPS("directory-over-empty", "mkdir d 0700; create d/f 0644; mkdir e 0755; rename d e; "
	      "is e mode=0700; is e/f type=reg; is . nlink=3"),
	STEPS("directory-over-open", "mkdir d 0700; mkdir e 0755; open %a e r; rename d e; is %a nlink=0; "
	      "ENOENT create %a/x 0644"),
	STEPS("directory-nlinks", "mkdir a 0755; mkdir b 0755; mkdir a/d 0755; rename a/d b/d; is a nlink=2; "
	      "is b nlink=3; is b/d nlink=2"),
	STEPS("directory-nlinks-over", "mkdir a 0755; mkdir b 0755; mkdir a/d 0755; mkdir b/d 0755; "
	      "rename a/d b/d; is a nlink=2; is b nlink=3"),
	STEPS("directory-dots", "mkdir a 0755; mkdir b 0755; mkdir a/d 0755; rename a/d b/d; same b/d/.. b; "
	      "rename b/d d; same d/.. ."),
	STEPS("directory-of-open", "mkdir d 0755; open %a d r; create d/f 0644; rename d e; is %a/f type=reg; "
	      "create %a/g 0644; is e/g type=reg"),
	STEPS("directory-of-current", "mkdir d 0755; create d/f 0644; chdir d; rename ../d ../e; "
	      "is f type=reg; is ../e/f type=reg"),
	STEPS("directory-of-open-files", "mkdir d 0755; open %a d/f rw,creat 0644; rename d e; write %a text; "
	      "content e/f text"),
	STEPS("directory-EACCES-dots", "mkdir d 0755; mkdir e 0777; other: EACCES rename d e/d; rename d f; "
	      "is f type=dir"),
	STEPS("directory-dots-owner", "mkdir e 0777; other: mkdir d 0755; rename d e/d; is e/d uid=other"),
	STEPS("EACCES-from", "mkdir d 0755; create d/f 0666; other: EACCES rename d/f f"),
	STEPS("EACCES-to", "mkdir d 0755; create f 0666; other: EACCES rename f d/f"),
	STEPS("times", "mkdir a 0755; mkdir b 0755; create a/f 0644; note a b .; rename a/f b/f; since a mc; "
	      "since b mc; since . -"),
	STEPS("times-within", "mkdir a 0755; create a/f 0644; note a; rename a/f a/g; since a mc"),
	STEPS("times-itself", "create f 0644; note f; rename f g; is g nlink=1; link g f; since f c"),
	STEPS("times-replaced", "create f 0644; create g 0644; link g h; note h; rename f g; since h c"),
	STEPS("times-replaced-open", "create f 0644; open %a g w,creat 0644; note %a; rename f g; since %a c"),
	STEPS("times-moved-open", "open %a f w,creat 0644; note %a; rename f g; since %a c"),
	STEPS("times-failed", "mkdir d 0755; mkdir d/e 0755; create d/e/x 0644; mkdir d/g 0755; "
	      "note d d/e d/g; ENOTEMPTY rename d/g d/e; since d -; since d/e -; since d/g -"),
	RUN("never-missing", never_missing),
};

static const struct posix_case posix_renameat2_cases[] = {
	STEPS("noreplace", "create f 0600; rename f g noreplace; is g mode=0600; gone f"),
	STEPS("noreplace-EEXIST", "create f 0600; create g 0644; EEXIST rename f g noreplace; is f mode=0600; "
	      "is g mode=0644"),
	STEPS("noreplace-EEXIST-directory", "create f 0600; mkdir d 0755; EEXIST rename f d noreplace; "
	      "mkdir e 0755; EEXIST rename e d noreplace"),
	STEPS("noreplace-EEXIST-same", "create f 0600; EEXIST rename f f noreplace; link f g; "
	      "EEXIST rename f g noreplace"),
	STEPS("noreplace-directory", "mkdir d 0755; create d/f 0644; rename d e noreplace; is e/f type=reg; "
	      "gone d"),
	STEPS("noreplace-times", "mkdir d 0755; create f 0644; note d .; rename f d/f noreplace; since d mc; "
	      "since . mc"),
	STEPS("exchange", "create f 0600; create g 0644; rename f g exchange; is f mode=0644; is g mode=0600; "
	      "lists_names . 2"),
	STEPS("exchange-bytes", "open %a f w,creat 0644; write %a one; open %b g w,creat 0644; write %b two; "
	      "rename f g exchange; content f two; content g one; same %a g; same %b f; is f nlink=1; "
	      "is %a nlink=1"),
	STEPS("exchange-kinds", "create f 0644; mkdir d 0755; create d/x 0644; rename f d exchange; "
	      "is f/x type=reg; is d type=reg"),
	STEPS("exchange-symlink", "symlink none l; create f 0644; rename l f exchange; is l type=reg; "
	      "readlink f none"),
	STEPS("exchange-deep", "mkdir a 0755; mkdir b 0755; mkdir a/d 0755; create b/f 0644; "
	      "rename a/d b/f exchange; is a nlink=2; is b nlink=3; is a/d type=reg; is b/f type=dir; "
	      "same b/f/.. b"),
	STEPS("exchange-directories", "mkdir a 0755; mkdir b 0755; mkdir a/d 0700; mkdir b/e 0711; "
	      "create a/d/x 0644; rename a/d b/e exchange; is a/d mode=0711; is b/e/x type=reg; is a nlink=3; "
	      "is b nlink=3; same a/d/.. a"),
	STEPS("exchange-same", "create f 0644; link f g; rename f g exchange; is f nlink=2"),
	STEPS("exchange-ENOENT", "create f 0644; ENOENT rename f none exchange; ENOENT rename none f exchange; "
	      "is f nlink=1"),
	STEPS("exchange-EINVAL-ancestor", "mkdir d 0755; mkdir d/e 0755; EINVAL rename d d/e exchange; "
	      "EINVAL rename d/e d exchange"),
	STEPS("exchange-times", "mkdir a 0755; mkdir b 0755; open %a a/f w,creat 0644; "
	      "open %b b/g w,creat 0644; note a b %a %b; rename a/f b/g exchange; since a mc; since b mc; "
	      "since %a c; since %b c"),
	STEPS("exchange-EACCES", "mkdir d 0755; create d/f 0666; create g 0666; "
	      "other: EACCES rename d/f g exchange; EACCES rename g d/f exchange"),
	STEPS("exchange-EACCES-dots", "mkdir a 0777; mkdir d 0755; create a/f 0666; "
	      "other: EACCES rename d a/f exchange"),
	STEPS("exchange-open-directory", "mkdir d 0755; mkdir e 0755; open %a d r; create d/x 0644; "
	      "rename d e exchange; is %a/x type=reg; is e/x type=reg"),
	STEPS("exchange-open-directories", "mkdir d 0755; mkdir e 0755; open %a d r; open %b e r; "
	      "rename d e exchange; create %a/x 0644; create %b/y 0644; is e/x type=reg; is d/y type=reg"),
	STEPS("EINVAL-both", "create f 0644; create g 0644; EINVAL rename f g noreplace,exchange"),
	STEPS("EINVAL-flag", "create f 0644; EINVAL rename f g 0x400; is f nlink=1"),
	STEPS("EINVAL-whiteout-exchange", "create f 0644; create g 0644; EINVAL rename f g whiteout,exchange"),
	STEPS("EXDEV", "create f 0644; EXDEV rename f /dev/posix-none noreplace"),
};

const struct posix_group posix_rename_groups[] = {
	POSIX_GROUP(rename),
	POSIX_GROUP(renameat2),
	{ NULL, NULL, 0 },
};
