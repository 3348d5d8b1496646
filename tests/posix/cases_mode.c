/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mode: chmod, chown, access, and what takes set-id bits away. */
#include "steps.h"

static const struct posix_case posix_chmod_cases[] = {
	STEPS("mode", "create f 0; chmod f 0754; is f mode=0754; chmod f 07777; is f mode=07777; chmod f 0; "
	      "is f mode=0 type=reg"),
	STEPS("owner", "owner: create f 0; chmod f 0640; is f mode=0640"),
	STEPS("EPERM-member", "create f 0666; chown f owner owner; member: EPERM chmod f 0600; is f mode=0666"),
	STEPS("EPERM-other", "create f 0666; other: EPERM chmod f 0600; EPERM chmod f 0666"),
	STEPS("EPERM-descriptor", "create f 0666; other: open %a f rw; EPERM chmod %a 0600"),
	STEPS("EPERM-directory", "mkdir d 0777; other: EPERM chmod d 0755"),
	STEPS("descriptor", "open %a f w,creat 0644; chmod %a 0600; is f mode=0600"),
	STEPS("descriptor-readonly", "owner: create f 0444; open %a f r; chmod %a 0600; is f mode=0600"),
	STEPS("descriptor-directory", "mkdir d 0755; open %a d r; chmod %a 01700; is d mode=01700"),
	STEPS("EBADF", "EBADF chmod %a 0600"),
	STEPS("directory", "owner: mkdir d 0755; chmod d 0500; is d mode=0500; EACCES create d/f 0644; "
	      "chmod d 0300; create d/f 0644; EACCES open - d r"),
	STEPS("directory-at-once", "mkdir d 0755; create d/f 0644; other: lstat d/f; root: chmod d 0; "
	      "other: EACCES lstat d/f; root: chmod d 0711; other: lstat d/f"),
	STEPS("fifo", "mknod f fifo 0644; chmod f 0600; is f mode=0600 type=fifo"),
	STEPS("through-link", "create f 0644; symlink f l; chmod l 0600; is f mode=0600; is l mode=0777"),
	STEPS("links", "create f 0644; link f g; chmod f 0600; is g mode=0600"),
	STEPS("sticky-file", "owner: create f 0644; chmod f 01644; is f mode=01644"),
	STEPS("suid-owner", "owner: create f 0755; chmod f 04755; is f mode=04755; chmod f 06755; "
	      "is f mode=06755"),
	STEPS("sgid-in-group", "create f 0755; chown f owner team; owner: chmod f 02755; is f mode=02755"),
	STEPS("sgid-outside-group", "create f 0755; chown f owner other; owner: chmod f 02755; is f mode=0755; "
	      "chmod f 06755; is f mode=04755"),
	STEPS("sgid-outside-group-root", "create f 0755; chown f owner other; chmod f 02755; is f mode=02755"),
	STEPS("sgid-directory", "mkdir d 0755; chown d owner team; owner: chmod d 02755; is d mode=02755; "
	      "root: chown d owner other; owner: chmod d 02755; is d mode=0755"),
	STEPS("times", "create f 0644; note f .; chmod f 0600; since f c; since . -"),
	STEPS("times-same-mode", "create f 0644; note f; chmod f 0644; since f c"),
	STEPS("times-failed", "create f 0644; note f; other: EPERM chmod f 0600; since f -"),
	STEPS("times-directory", "mkdir d 0755; note d; chmod d 0700; since d c"),
	STEPS("keeps-owner-and-bytes", "open %a f w,creat 0644; write %a text; chown f owner team; "
	      "chmod f 0600; is f uid=owner gid=team size=4; content f text"),
};

static const struct posix_case posix_chown_cases[] = {
	STEPS("root", "create f 0644; chown f owner team; is f uid=owner gid=team; chown f -1 member; "
	      "is f uid=owner gid=member; chown f other -1; is f uid=other gid=member"),
	STEPS("root-large", "create f 0644; chown f 4000000000 4000000001; is f uid=4000000000 gid=4000000001"),
	STEPS("none", "create f 0644; chown f owner team; chown f -1 -1; is f uid=owner gid=team"),
	STEPS("owner-own-groups", "owner: create f 0644; chown f owner team; is f gid=team; chown f -1 owner; "
	      "is f gid=owner"),
	STEPS("EPERM-owner-away", "owner: create f 0644; EPERM chown f other -1; EPERM chown f root -1; "
	      "is f uid=owner"),
	STEPS("EPERM-owner-foreign-group", "owner: create f 0644; EPERM chown f -1 other; "
	      "EPERM chown f owner root; is f gid=owner"),
	STEPS("EPERM-member", "create f 0666; chown f owner owner; member: EPERM chown f -1 member; "
	      "EPERM chown f member -1; EPERM chown f -1 owner"),
	STEPS("EPERM-other", "create f 0666; other: EPERM chown f other other; EPERM chown f -1 other; "
	      "EPERM chown f other -1"),
	STEPS("EPERM-descriptor", "create f 0666; other: open %a f rw; EPERM chown %a other other"),
	STEPS("descriptor", "open %a f r,creat 0644; chown %a owner team; is f uid=owner gid=team"),
	STEPS("EBADF", "EBADF chown %a 0 0"),
	STEPS("directory", "mkdir d 0700; chown d owner team; is d uid=owner gid=team; owner: create d/f 0644"),
	STEPS("fifo", "mknod f fifo 0644; chown f owner team; is f uid=owner gid=team"),
	STEPS("through-link", "create f 0644; symlink f l; chown l owner team; is f uid=owner gid=team; "
	      "is l uid=root gid=root"),
	STEPS("links", "create f 0644; link f g; chown f owner team; is g uid=owner gid=team"),
	STEPS("rights-move", "create f 0600; chown f owner owner; owner: open - f rw; "
	      "root: chown f other other; owner: EACCES open - f r; other: open - f rw"),
	STEPS("rights-of-group-move", "create f 0060; chown f root owner; member: open - f rw; "
	      "root: chown f root other; member: EACCES open - f r"),
	STEPS("times", "create f 0644; note f .; chown f owner team; since f c; since . -"),
	STEPS("times-failed", "create f 0644; note f; other: EPERM chown f other other; since f -"),
	STEPS("times-directory", "mkdir d 0755; note d; chown d owner team; since d c"),
	STEPS("suid-cleared-owner", "owner: create f 06755; chown f -1 team; is f mode=0755 gid=team"),
	STEPS("suid-cleared-owner-same", "owner: create f 06755; chown f owner owner; is f mode=0755"),
	STEPS("suid-cleared-root", "create f 06755; chown f owner team; is f mode=0755"),
	STEPS("suid-cleared-descriptor", "owner: create f 06755; open %a f r; chown %a -1 team; "
	      "is f mode=0755"),
	STEPS("sgid-kept-without-group-execute", "create f 02644; chown f owner team; is f mode=02644"),
	STEPS("suid-directory-kept", "mkdir d 0755; chmod d 06755; chown d owner team; is d mode=06755"),
	STEPS("suid-failed", "create f 06777; other: EPERM chown f other other; is f mode=06777"),
};

static const struct posix_case posix_lchown_cases[] = {
	STEPS("link", "create f 0644; symlink f l; chown l owner team nofollow; is l uid=owner gid=team; "
	      "is f uid=root gid=root"),
	STEPS("link-to-nothing", "symlink none l; chown l owner team nofollow; "
	      "is l uid=owner gid=team mode=0777"),
	STEPS("file", "create f 0644; chown f owner team nofollow; is f uid=owner gid=team"),
	STEPS("EPERM-other", "symlink t l; other: EPERM chown l other other nofollow; is l uid=root"),
	STEPS("owner-own-groups", "owner: symlink t l; chown l -1 team nofollow; is l gid=team; "
	      "EPERM chown l -1 other nofollow"),
	STEPS("times", "symlink t l; note l; chown l owner team nofollow; since l c"),
};

static const struct posix_case posix_access_cases[] = {
	STEPS("root", "create f 0; access f 6; access f 0; EACCES access f 1; chmod f 0001; access f 7"),
	STEPS("root-directory", "mkdir d 0; access d 7"),
	STEPS("EINVAL", "create f 0644; EINVAL access f 8; EINVAL access f -1"),
	STEPS("link-to-nothing", "symlink none l; ENOENT access l 0"),
	STEPS("directory-bits", "mkdir d 0750; chown d owner owner; owner: access d 7; member: access d 5; "
	      "EACCES access d 2; other: EACCES access d 4; access d 0"),
	STEPS("times", "create f 0644; note f .; access f 4; since f -; since . -"),
};

static const struct posix_case posix_suid_cases[] = {
	STEPS("write-owner", "owner: create f 06777; open %a f w; =1 write %a x; is f mode=0777"),
	STEPS("write-member", "create f 06777; chown f owner owner; chmod f 06777; member: open %a f w; "
	      "write %a x; is f mode=0777"),
	STEPS("write-other", "create f 06777; other: open %a f w; write %a x; is f mode=0777"),
	STEPS("write-root", "create f 06777; open %a f w; write %a x; is f mode=06777"),
	STEPS("write-descriptor-sees", "owner: open %a f rw,creat 04777; write %a x; is %a mode=0777"),
	STEPS("write-again", "owner: open %a f rw,creat 0777; write %a x; chmod f 06777; write %a y; "
	      "is f mode=0777"),
	STEPS("write-nothing", "owner: create f 06777; open %a f w; =0 write %a -; is f mode=06777"),
	STEPS("write-failed", "owner: create f 06777; open %a f r; EBADF write %a x; is f mode=06777"),
	STEPS("write-suid-alone", "owner: create f 04644; open %a f w; write %a x; is f mode=0644"),
	STEPS("write-sgid-without-group-execute", "owner: create f 02644; open %a f w; write %a x; "
	      "is f mode=02644"),
	STEPS("pwrite", "owner: create f 06777; open %a f w; pwrite %a x 100; is f mode=0777"),
	STEPS("append", "owner: create f 06777; open %a f w,append; write %a x; is f mode=0777"),
	STEPS("truncate", "owner: create f 06777; truncate f 10; is f mode=0777"),
	STEPS("truncate-descriptor", "owner: open %a f rw,creat 06777; truncate %a 10; is f mode=0777"),
	STEPS("truncate-root", "create f 06777; truncate f 10; is f mode=06777"),
	STEPS("truncate-other", "create f 06777; other: truncate f 10; is f mode=0777"),
	STEPS("fallocate", "owner: open %a f rw,creat 06777; fallocate %a 0 0 4096; is f mode=0777"),
	STEPS("punch", "owner: open %a f rw,creat 0777; fill %a 1 0 64k; chmod f 06777; "
	      "fallocate %a punch,keep 0 4096; is f mode=0777"),
	STEPS("copy", "owner: open %a g rw,creat 0644; write %a text; open %b f rw,creat 06777; "
	      "=4 copy %a 0 %b 0 4; is f mode=0777"),
	STEPS("read", "owner: open %a f rw,creat 0777; write %a text; chmod f 06777; pread %a 4 0 text; "
	      "is f mode=06777"),
	STEPS("rename", "owner: create f 06777; rename f g; is g mode=06777"),
	STEPS("link", "owner: create f 06777; link f g; is g mode=06777; unlink f; is g mode=06777"),
	STEPS("utimens", "owner: create f 06777; utimens f 5.000000000 5.000000000; is f mode=06777"),
	STEPS("xattr", "owner: create f 06777; setxattr f user.a b; is f mode=06777"),
	STEPS("setgid-directory-write", "mkdir d 0777; chown d owner owner; chmod d 02777; "
	      "other: create d/f 0644; root: is d mode=02777"),
};

const struct posix_group posix_mode_groups[] = {
	POSIX_GROUP(chmod), POSIX_GROUP(chown), POSIX_GROUP(lchown),
	POSIX_GROUP(access), POSIX_GROUP(suid), { NULL, NULL, 0 },
};
