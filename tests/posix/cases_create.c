/* SPDX-License-Identifier: GPL-2.0-or-later */
/* create: mkdir, mknod, symlink, readlink and link. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "steps.h"

static const struct posix_case posix_mkdir_cases[] = {
	STEPS("caller-owner", "owner: mkdir d 0755; is d type=dir uid=owner gid=owner mode=0755"),
	STEPS("caller-member", "member: mkdir d 0755; is d uid=member gid=member"),
	STEPS("caller-other", "other: mkdir d 0700; is d uid=other gid=other; create d/f 0644"),
	STEPS("caller-in-group-directory", "mkdir d 0770; chown d owner owner; member: mkdir d/e 0755; "
	      "is d/e uid=member gid=member"),
	STEPS("mode", "mkdir d 0751; is d mode=0751; mkdir e 01777; is e mode=01777"),
	STEPS("mode-no-setid", "mkdir d 06755; is d mode=0755"),
	STEPS("mode-none", "owner: mkdir d 0; is d mode=0; EACCES create d/x 0644"),
	STEPS("umask", "owner: umask 027; mkdir d 0777; is d mode=0750; umask 0777; mkdir e 0777; is e mode=0"),
	STEPS("setgid-inherited", "mkdir d 0777; chown d owner team; chmod d 02777; other: mkdir d/e 0755; "
	      "is d/e uid=other gid=team mode=02755"),
	STEPS("setgid-deep", "mkdir d 0777; chown d owner team; chmod d 02777; other: mkdir d/e 0755; "
	      "mkdir d/e/f 0700; is d/e/f gid=team mode=02700"),
	STEPS("nlink", "is . nlink=2; mkdir d 0755; is d nlink=2; is . nlink=3; mkdir d/e 0755; is d nlink=3; "
	      "is . nlink=3"),
	STEPS("empty", "mkdir d 0755; lists_names d 0; same d/. d; same d/.. ."),
	STEPS("times", "mkdir d 0755; note d; mkdir d/e 0755; since d mc"),
	STEPS("times-failed", "mkdir d 0755; note .; EEXIST mkdir d 0755; since . -"),
	STEPS("slash", "mkdir d/ 0755; is d type=dir"),
	STEPS("EEXIST-dots", "EEXIST mkdir . 0755; EEXIST mkdir .. 0755; mkdir d 0755; EEXIST mkdir d/. 0755"),
	STEPS("EEXIST-slash", "create f 0644; EEXIST mkdir f/ 0755"),
	STEPS("EEXIST-before-EACCES", "mkdir d 0755; mkdir d/e 0755; other: EEXIST mkdir d/e 0755"),
	STEPS("ENOENT-removed", "mkdir d 0755; open %a d r; rmdir d; ENOENT mkdir %a/x 0755"),
};

static const struct posix_case posix_mknod_cases[] = {
	STEPS("caller-owner", "owner: mknod f fifo 0644; is f type=fifo uid=owner gid=owner mode=0644 nlink=1"),
	STEPS("caller-member", "member: mknod f reg 0644; is f uid=member gid=member"),
	STEPS("caller-other", "other: mknod f sock 0600; is f type=sock uid=other gid=other mode=0600"),
	STEPS("caller-in-group-directory", "mkdir d 0770; chown d owner owner; member: mknod d/f fifo 0644; "
	      "is d/f uid=member gid=member"),
	STEPS("fifo", "mknod f fifo 0640; is f type=fifo mode=0640 size=0; open %a f rw,nonblock; "
	      "write %a text; =4 read %a 9 text"),
	STEPS("socket", "mknod f sock 0640; is f type=sock mode=0640"),
	STEPS("regular", "mknod f reg 0640; is f type=reg mode=0640 size=0; open %a f w; write %a text; "
	      "content f text"),
	STEPS("character-device", "?EPERM mknod f chr 0640; is f type=chr mode=0640 rdev=1003"),
	STEPS("block-device", "?EPERM mknod f blk 0640; is f type=blk mode=0640 rdev=1003"),
	STEPS("EPERM-device-owner", "owner: EPERM mknod f chr 0644; EPERM mknod f blk 0644; gone f"),
	STEPS("EPERM-directory", "EPERM|EINVAL mknod d dir 0755; gone d"),
	STEPS("EINVAL-type", "EINVAL mknod f 0170000 0755; gone f"),
	STEPS("umask", "owner: umask 077; mknod f fifo 0666; is f mode=0600; mknod g reg 0666; is g mode=0600"),
	STEPS("setgid-directory", "mkdir d 0777; chown d owner team; chmod d 02777; "
	      "other: mknod d/f fifo 0644; is d/f gid=team mode=0644"),
	STEPS("times", "note .; mknod f fifo 0644; since . mc"),
	STEPS("ENOENT-removed", "mkdir d 0755; open %a d r; rmdir d; ENOENT mknod %a/x fifo 0644"),
};

static const struct posix_case posix_symlink_cases[] = {
	STEPS("caller-owner", "owner: symlink t l; is l type=lnk uid=owner gid=owner mode=0777 nlink=1 size=1"),
	STEPS("caller-member", "member: symlink t l; is l uid=member gid=member"),
	STEPS("caller-other", "other: symlink t l; is l uid=other gid=other"),
	STEPS("caller-in-group-directory", "mkdir d 0770; chown d owner owner; member: symlink t d/l; "
	      "is d/l uid=member gid=member"),
	STEPS("umask", "umask 0777; symlink t l; is l mode=0777"),
	STEPS("setgid-directory", "mkdir d 0777; chown d owner team; chmod d 02777; other: symlink t d/l; "
	      "is d/l uid=other gid=team"),
	STEPS("text-kept", "symlink /no/../such//place l; readlink l /no/../such//place; is l size=18"),
	STEPS("text-longest", "symlink @long/x l; readlink l @long/x; is l size=4095"),
	STEPS("text-long", "symlink @name/@name l"),
	STEPS("ENOENT-text-empty", "ENOENT symlink @empty l; gone l"),
	STEPS("ENAMETOOLONG-text", "ENAMETOOLONG symlink @toolong/x l; gone l"),
	STEPS("EFAULT-text", "EFAULT symlink @fault l"),
	STEPS("times", "note .; symlink t l; since . mc"),
	STEPS("times-failed", "create f 0644; note .; EEXIST symlink t f; since . -"),
	STEPS("slash", "ENOENT symlink t l/"),
	STEPS("ENOENT-removed", "mkdir d 0755; open %a d r; rmdir d; ENOENT symlink t %a/x"),
};

static void short_buffer(struct posix *p)
{
	char buf[8] = "-------";

	posix_steps(p, "symlink abcdef l");
	POSIX_WANT(p, readlink("l", buf, 3) == 3 && strcmp(buf, "abc----") == 0, "not the first three bytes: %s", buf);
	POSIX_WANT(p, readlink("l", buf, sizeof(buf)) == 6, "not six bytes");
}

static void no_buffer(struct posix *p)
{
	posix_steps(p, "symlink abcdef l");
	POSIX_WANT(p, readlink("l", (char *)p->paths[0], 0) < 0 && errno == EINVAL, "expected EINVAL");
}

static const struct posix_case posix_readlink_cases[] = {
	STEPS("EINVAL-file", "create f 0644; EINVAL readlink f -"),
	STEPS("EINVAL-directory", "mkdir d 0755; EINVAL readlink d -"),
	STEPS("EINVAL-fifo", "mknod f fifo 0644; EINVAL readlink f -"),
	RUN("EINVAL-size", no_buffer),
	RUN("short", short_buffer),
	STEPS("any-user", "symlink t l; other: readlink l t"),
	STEPS("times", "symlink t l; note .; readlink l t; since . -"),
};

static const struct posix_case posix_link_cases[] = {
	STEPS("nlink", "create f 0644; link f g; is f nlink=2; is g nlink=2; link g h; is f nlink=3; same f h"),
	STEPS("same-bytes", "open %a f w,creat 0644; link f g; write %a text; content g text; is g size=4"),
	STEPS("attributes", "create f 0640; chown f owner team; link f g; is g uid=owner gid=team mode=0640; "
	      "chmod g 0600; is f mode=0600"),
	STEPS("times", "create f 0644; mkdir d 0755; note f . d; link f d/g; since f c; since d mc; since . -"),
	STEPS("times-failed", "create f 0644; create g 0644; note f .; EEXIST link f g; since f -; since . -"),
	STEPS("EPERM-directory", "mkdir d 0755; EPERM link d e; gone e; is d nlink=2"),
	STEPS("EPERM-directory-owner", "owner: mkdir d 0755; EPERM link d e"),
	STEPS("EEXIST-same", "create f 0644; EEXIST link f f; is f nlink=1"),
	STEPS("EEXIST-directory", "create f 0644; mkdir d 0755; EEXIST link f d"),
	STEPS("EXDEV", "create f 0644; EXDEV link f /dev/posix-none"),
	STEPS("ENOTDIR-slash", "create f 0644; ENOTDIR link f/ g; ENOENT|ENOTDIR link f g/"),
	STEPS("fifo", "mknod f fifo 0644; link f g; is g type=fifo nlink=2; same f g"),
	STEPS("symlink", "create f 0644; symlink f l; link l m; is m type=lnk nlink=2; is f nlink=1; "
	      "readlink m f"),
	STEPS("symlink-follow", "create f 0644; symlink f l; link l m follow; is m type=reg nlink=2; same f m"),
	STEPS("user-own", "owner: create f 0600; link f g; is g nlink=2 uid=owner"),
	STEPS("user-writable", "create f 0666; other: link f g; is g nlink=2 uid=root"),
	STEPS("removed-and-back", "open %a f w,creat 0644; link f g; unlink f; is %a nlink=1; link g f; "
	      "is %a nlink=2; same %a f"),
	STEPS("ENOENT-removed", "open %a f w,creat 0644; unlink f; ENOENT link %a g"),
	STEPS("ENOENT-into-removed", "create f 0644; mkdir d 0755; open %a d r; rmdir d; ENOENT link f %a/x"),
	STEPS("by-descriptor", "open %a f w,creat 0644; rename f g; link %a h; same g h"),
};

const struct posix_group posix_create_groups[] = {
	POSIX_GROUP(mkdir), POSIX_GROUP(mknod), POSIX_GROUP(symlink),
	POSIX_GROUP(readlink), POSIX_GROUP(link), { NULL, NULL, 0 },
};
