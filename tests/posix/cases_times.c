/* SPDX-License-Identifier: GPL-2.0-or-later */
/* times: utimensat and futimens, and what stat shows of them. */
#include "steps.h"

static const struct posix_case posix_utimensat_cases[] = {
	STEPS("nanoseconds", "create f 0644; utimens f 1000000000.123456789 1500000000.987654321; "
	      "is f atime=1000000000.123456789 mtime=1500000000.987654321"),
	STEPS("zero", "create f 0644; utimens f 0 0; is f atime=0 mtime=0"),
	STEPS("one-nanosecond", "create f 0644; utimens f 0.000000001 0.999999999; "
	      "is f atime=1 mtime=999999999"),
	STEPS("before-1970", "create f 0644; utimens f -1000000000 -86400.000000000; "
	      "is f atime=-1000000000 mtime=-86400.000000000"),
	STEPS("after-2038", "create f 0644; utimens f 2147483648.000000001 4294967296.000000002; "
	      "is f atime=2147483648.000000001 mtime=4294967296.000000002"),
	STEPS("in-2100", "create f 0644; utimens f 4102444800.000000000 4102444800.123456789; "
	      "is f atime=4102444800.000000000 mtime=4102444800.123456789"),
	STEPS("now", "create f 0644; utimens f 5.000000000 5.000000000; note f; utimens f now now; "
	      "since f amc"),
	STEPS("omit-atime", "create f 0644; utimens f 5.000000001 6.000000002; utimens f omit 7.000000003; "
	      "is f atime=5.000000001 mtime=7.000000003"),
	STEPS("omit-mtime", "create f 0644; utimens f 5.000000001 6.000000002; utimens f 7.000000003 omit; "
	      "is f atime=7.000000003 mtime=6.000000002"),
	STEPS("omit-both", "create f 0644; note f; utimens f omit omit; since f -"),
	STEPS("now-and-omit", "create f 0644; utimens f 5.000000001 6.000000002; note f; utimens f now omit; "
	      "since f ac; note f; utimens f omit now; since f mc"),
	STEPS("now-and-set", "create f 0644; utimens f 5.000000001 6.000000002; note f; "
	      "utimens f now 7.000000003; since f amc; is f mtime=7.000000003"),
	STEPS("EINVAL", "create f 0644; note f; EINVAL utimens f bad 0; EINVAL utimens f 0 bad; "
	      "EINVAL utimens f omit bad; since f -"),
	STEPS("owner", "owner: create f 0; utimens f 5.000000001 6.000000002; "
	      "is f atime=5.000000001 mtime=6.000000002; utimens f now now; utimens f omit now"),
	STEPS("EPERM-writer-sets", "create f 0666; other: EPERM utimens f 5.000000001 6.000000002; "
	      "EPERM utimens f omit 5.000000000; EPERM utimens f 5.000000000 omit"),
	STEPS("EPERM-writer-now-and-omit", "create f 0666; other: EPERM utimens f now omit; "
	      "EPERM utimens f omit now; EPERM utimens f now 5.000000000"),
	STEPS("writer-now", "create f 0666; utimens f 5.000000000 5.000000000; note f; "
	      "other: utimens f now now; since f amc"),
	STEPS("writer-now-member", "create f 0060; chown f owner owner; member: utimens f now now; "
	      "EPERM utimens f 5.000000000 5.000000000"),
	STEPS("EACCES-reader-now", "create f 0644; other: EACCES utimens f now now"),
	STEPS("EPERM-reader-sets", "create f 0644; other: EPERM utimens f 5.000000000 5.000000000"),
	STEPS("omit-both-by-all", "create f 0600; note f; other: utimens f omit omit; since f -"),
	STEPS("descriptor", "open %a f r,creat 0644; utimens %a 5.000000001 6.000000002; "
	      "is f atime=5.000000001 mtime=6.000000002"),
	STEPS("descriptor-after-write", "open %a f w,creat 0644; write %a abc; "
	      "utimens %a 5.000000001 6.000000002; is %a mtime=6.000000002 size=3"),
	STEPS("EPERM-descriptor", "create f 0666; other: open %a f rw; "
	      "EPERM utimens %a 5.000000000 5.000000000; utimens %a now now"),
	STEPS("EBADF", "EBADF utimens %a now now"),
	STEPS("directory", "mkdir d 0755; utimens d 5.000000001 6.000000002; "
	      "is d atime=5.000000001 mtime=6.000000002; open %a d r; utimens %a 7.000000000 8.000000000; "
	      "is d mtime=8.000000000"),
	STEPS("directory-then-changes", "mkdir d 0755; utimens d 5.000000001 6.000000002; note d; "
	      "create d/f 0644; since d mc"),
	STEPS("fifo", "mknod f fifo 0644; utimens f 5.000000001 6.000000002; is f mtime=6.000000002"),
	STEPS("through-link", "create f 0644; symlink f l; note l; utimens l 5.000000001 6.000000002; "
	      "is f mtime=6.000000002; since l ?"),
	STEPS("link-itself", "create f 0644; symlink f l; note f; utimens l 5.000000001 6.000000002 nofollow; "
	      "is l atime=5.000000001 mtime=6.000000002; since f -"),
	STEPS("link-to-nothing", "symlink none l; utimens l 5.000000001 6.000000002 nofollow; "
	      "is l mtime=6.000000002"),
	STEPS("EPERM-link-itself", "symlink none l; other: EPERM utimens l 5.000000000 5.000000000 nofollow"),
	STEPS("links", "create f 0644; link f g; utimens f 5.000000001 6.000000002; is g mtime=6.000000002"),
	STEPS("ctime", "create f 0644; utimens f 5.000000001 6.000000002; note f .; "
	      "utimens f 5.000000001 6.000000002; since f c; since . -"),
	STEPS("ctime-now", "create f 0644; note f; utimens f now now; since f amc"),
	STEPS("kept-by-rename", "create f 0644; utimens f 5.000000001 6.000000002; rename f g; "
	      "is g atime=5.000000001 mtime=6.000000002"),
	STEPS("kept-by-link", "create f 0644; utimens f 5.000000001 6.000000002; link f g; unlink f; "
	      "is g mtime=6.000000002"),
	STEPS("kept-by-chmod", "create f 0644; utimens f 5.000000001 6.000000002; chmod f 0600; "
	      "chown f owner team; is f mtime=6.000000002"),
	STEPS("kept-by-xattr", "create f 0644; utimens f 5.000000001 6.000000002; setxattr f user.a b; "
	      "is f mtime=6.000000002"),
};

static const struct posix_case posix_stat_cases[] = {
	STEPS("follows-not", "create f 0640; symlink f l; is l type=lnk; stat l"),
	STEPS("descriptor-of-unlinked", "open %a f rw,creat 0640; write %a abc; unlink f; "
	      "is %a type=reg mode=0640 nlink=0 size=3"),
	STEPS("EBADF", "EBADF stat %a"),
	STEPS("sizes", "open %a f w,creat 0644; is f size=0; fill %a 7 0 64k; is f size=65536; "
	      "is %a size=65536"),
	STEPS("blocks", "open %a f w,creat 0644; fill %a 7 0 64k; fsync %a; is f blocks>127 blocks<300"),
	STEPS("blocks-after-stat", "open %a f w,creat 0644; is f blocks=0; fill %a 7 0 64k; fsync %a; "
	      "is f blocks>127 blocks<300"),
	STEPS("sparse", "open %a f w,creat 0644; pwrite %a x 1m; fsync %a; is f size=1048577 blocks<64"),
	STEPS("no-rights-needed", "create f 0; other: lstat f; is f uid=root mode=0"),
	STEPS("numbers-differ", "create a 0644; create b 0644; mkdir c 0755; symlink a d; mknod e fifo 0644; "
	      "differ a b; differ a c; differ a d; differ a e; differ . c"),
	STEPS("number-kept", "open %a f w,creat 0644; write %a abc; rename f g; same %a g; chmod g 0600; "
	      "truncate g 0; same %a g; close %a; create h 0644; differ g h"),
	STEPS("number-kept-deep", "mkdir d 0755; mkdir e 0755; open %a d r; rename d e/d; same %a e/d"),
	STEPS("note-settles", "open %a f w,creat 0644; write %a x; close %a; note f .; stat f; "
	      "lists_names . 1; since f -"),
};

static const struct posix_case posix_statfs_cases[] = {
	STEPS("file", "create f 0644; statfs f; statfs ."),
	STEPS("descriptor", "open %a f r,creat 0; statfs %a; unlink f; statfs %a; open %b . r; statfs %b"),
	STEPS("other-user", "other: statfs ."),
	STEPS("EBADF", "EBADF statfs %a"),
};

const struct posix_group posix_times_groups[] = {
	POSIX_GROUP(utimensat),
	POSIX_GROUP(stat),
	POSIX_GROUP(statfs),
	{ NULL, NULL, 0 },
};
