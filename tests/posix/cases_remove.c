/* SPDX-License-Identifier: GPL-2.0-or-later */
/* remove: unlink, rmdir, and whose names may be removed where the sticky bit is set. */
#include "steps.h"

static const struct posix_case posix_unlink_cases[] = {
	STEPS("gone", "create f 0644; unlink f; gone f; ENOENT unlink f; lists_names . 0"),
	STEPS("EISDIR", "mkdir d 0755; EISDIR unlink d; is d type=dir"),
	STEPS("EISDIR-owner", "owner: mkdir d 0755; EISDIR unlink d"),
	STEPS("ENOTDIR-slash", "create f 0644; ENOTDIR unlink f/; is f nlink=1"),
	STEPS("EISDIR-dots", "EISDIR|EINVAL unlink .; EISDIR unlink .."),
	STEPS("nlink", "create f 0644; link f g; link f h; unlink f; is g nlink=2; unlink g; is h nlink=1"),
	STEPS("others-file", "create f 0; other: unlink f; gone f"),
	STEPS("times-last", "mkdir d 0755; create d/f 0644; note d; unlink d/f; since d mc"),
	STEPS("times-link", "create f 0644; link f g; note g .; unlink f; since g c; since . mc"),
	STEPS("times-open", "open %a f rw,creat 0644; note %a; unlink f; since %a c"),
	STEPS("times-failed", "mkdir d 0755; create d/f 0644; note d d/f; other: EACCES unlink d/f; since d -; "
	      "since d/f -"),
	STEPS("symlink", "create f 0644; symlink f l; unlink l; gone l; is f nlink=1"),
	STEPS("symlink-to-directory", "mkdir d 0755; symlink d l; ENOTDIR unlink l/; unlink l; is d type=dir"),
	STEPS("fifo", "mknod f fifo 0644; unlink f; gone f"),
	STEPS("socket", "mknod f sock 0644; unlink f; gone f"),
	STEPS("device", "?EPERM mknod f chr 0644; unlink f; gone f"),
	STEPS("open-reads", "open %a f rw,creat 0644; write %a text; unlink f; =4 pread %a 9 0 text; "
	      "is %a nlink=0 size=4"),
	STEPS("open-writes", "open %a f rw,creat 0644; unlink f; =4 write %a text; =4 pread %a 9 0 text; "
	      "is %a size=4; fsync %a"),
	STEPS("open-sizes", "open %a f rw,creat 0644; write %a text; unlink f; truncate %a 100000; "
	      "bytes %a 0 4 99996; is %a size=100000"),
	STEPS("open-attributes", "open %a f rw,creat 0644; unlink f; chmod %a 0600; chown %a owner team; "
	      "utimens %a 5.000000007 6.000000008; "
	      "is %a nlink=0 mode=0600 uid=owner gid=team atime=5.000000007 mtime=6.000000008"),
	STEPS("open-xattrs", "open %a f rw,creat 0644; unlink f; setxattr %a user.a b; getxattr %a user.a b; "
	      "removexattr %a user.a"),
	STEPS("open-readonly", "open %a f w,creat 0644; write %a text; open %b f r; close %a; unlink f; "
	      "=4 read %b 9 text"),
	STEPS("open-many-names", "open %a f rw,creat 0644; link f g; unlink f; is %a nlink=1; unlink g; "
	      "is %a nlink=0; =1 write %a x"),
	STEPS("open-allocates", "open %a f rw,creat 0644; unlink f; fallocate %a 0 0 64k; is %a size=65536; "
	      "fill %a 7 0 64k; bytes %a 7 0 64k"),
	STEPS("open-copies", "open %a f rw,creat 0644; write %a text; unlink f; open %b g rw,creat 0644; "
	      "=4 copy %a 0 %b 0 9; content g text"),
	STEPS("open-no-leftover", "open %a f rw,creat 0644; write %a text; unlink f; lists_names . 0; "
	      "mkdir d 0755; rmdir d"),
	STEPS("open-parent-goes", "mkdir d 0755; open %a d/f rw,creat 0644; unlink d/f; rmdir d; "
	      "=4 write %a text; =4 pread %a 9 0 text"),
	STEPS("name-again", "open %a f rw,creat 0644; write %a old; unlink f; open %b f rw,creat,excl 0644; "
	      "write %b newer; differ %a %b; =3 pread %a 9 0 old; content f newer"),
	STEPS("open-others", "owner: open %a f rw,creat 0644; other: unlink f; owner: =4 write %a text; "
	      "is %a nlink=0"),
};

static const struct posix_case posix_rmdir_cases[] = {
	STEPS("gone", "mkdir d 0755; rmdir d; gone d; lists_names . 0"),
	STEPS("ENOTEMPTY-file", "mkdir d 0755; create d/f 0644; ENOTEMPTY rmdir d; is d/f type=reg"),
	STEPS("ENOTEMPTY-directory", "mkdir d 0755; mkdir d/e 0755; ENOTEMPTY rmdir d"),
	STEPS("ENOTEMPTY-link", "mkdir d 0755; symlink none d/l; ENOTEMPTY rmdir d"),
	STEPS("ENOTEMPTY-hidden", "mkdir d 0755; create d/.f 0644; ENOTEMPTY rmdir d"),
	STEPS("ENOTDIR-file", "create f 0644; ENOTDIR rmdir f; ENOTDIR rmdir f/"),
	STEPS("ENOTDIR-link", "mkdir d 0755; symlink d l; ENOTDIR rmdir l; ENOTDIR rmdir l/; is d type=dir"),
	STEPS("ENOTDIR-fifo", "mknod f fifo 0644; ENOTDIR rmdir f"),
	STEPS("EINVAL-dot", "EINVAL rmdir .; mkdir d 0755; EINVAL rmdir d/."),
	STEPS("ENOTEMPTY-dots", "mkdir d 0755; mkdir d/e 0755; ENOTEMPTY rmdir d/e/.."),
	STEPS("slash", "mkdir d 0755; rmdir d/; gone d"),
	STEPS("nlink", "mkdir d 0755; mkdir d/e 0755; rmdir d/e; is d nlink=2"),
	STEPS("others-directory", "mkdir d 0; other: rmdir d; gone d"),
	STEPS("times", "mkdir d 0755; mkdir d/e 0755; note d; rmdir d/e; since d mc"),
	STEPS("times-failed", "mkdir d 0755; mkdir d/e 0755; create d/e/f 0644; note d d/e; "
	      "ENOTEMPTY rmdir d/e; since d -; since d/e -"),
	STEPS("after-unlink", "mkdir d 0755; create d/f 0644; create d/g 0644; unlink d/f; ENOTEMPTY rmdir d; "
	      "unlink d/g; rmdir d"),
	STEPS("after-rename-out", "mkdir d 0755; create d/f 0644; rename d/f f; rmdir d"),
	STEPS("open", "mkdir d 0755; open %a d r; rmdir d; is %a nlink=0 type=dir; "
	      "ENOENT open - %a/x w,creat 0644; ENOENT lstat %a/x"),
	STEPS("current", "mkdir d 0755; chdir d; rmdir ../d; ENOENT create x 0644; ENOENT open - ./x r; "
	      "is . nlink=0"),
	STEPS("name-again", "mkdir d 0755; open %a d r; rmdir d; mkdir d 0755; create d/f 0644; differ %a d; "
	      "ENOENT lstat %a/f"),
};

/* In a sticky directory of the owner's, with something of the member's. */
#define GIVEN(make) "mkdir d 01777; chown d owner owner; member: " make "; "
#define STICKY(name, make, call)							\
	STEPS(name "-other", GIVEN(make) "other: EPERM " call "; lstat d/f"),		\
	STEPS(name "-others-with-group", GIVEN(make) "root: chown d/f member other nofollow; other: EPERM " call), \
	STEPS(name "-its-owner", GIVEN(make) call),					\
	STEPS(name "-directory-owner", GIVEN(make) "owner: " call),			\
	STEPS(name "-root", GIVEN(make) "root: " call),					\
	STEPS(name "-not-sticky", GIVEN(make) "owner: chmod d 0777; other: " call)

static const struct posix_case posix_sticky_cases[] = {
	STICKY("unlink", "create d/f 0666", "unlink d/f"),
	STICKY("unlink-symlink", "symlink t d/f", "unlink d/f"),
	STICKY("unlink-fifo", "mknod d/f fifo 0666", "unlink d/f"),
	STICKY("rmdir", "mkdir d/f 0777", "rmdir d/f"),
	STICKY("rename-from", "create d/f 0666", "rename d/f g"),
	STICKY("rename-within", "create d/f 0666", "rename d/f d/g"),
	STICKY("rename-directory", "mkdir d/f 0777", "rename d/f d/g"),
	STICKY("rename-over", "create d/f 0666; root: create g 0666; member:", "rename g d/f"),
	STICKY("rename-over-directory", "mkdir d/f 0777; root: mkdir g 0777; member:", "rename g d/f"),
	STICKY("exchange", "create d/f 0666; root: create g 0666; member:", "rename g d/f exchange"),
	STICKY("exchange-from", "create d/f 0666; root: create g 0666; member:", "rename d/f g exchange"),
	STEPS("into", "mkdir d 01777; create g 0666; other: rename g d/f; link d/f d/h; create d/i 0600; "
	      "unlink d/i"),
	STEPS("link-of-others", GIVEN("create d/f 0666") "other: link d/f g; is g nlink=2; unlink g; "
	      "EPERM unlink d/f"),
	STEPS("write-of-others", GIVEN("create d/f 0666") "other: open %a d/f w; write %a x; "
	      "EPERM chmod d/f 0666; EPERM unlink d/f"),
};

const struct posix_group posix_remove_groups[] = {
	POSIX_GROUP(unlink),
	POSIX_GROUP(rmdir),
	POSIX_GROUP(sticky),
	{ NULL, NULL, 0 },
};
