/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xattr: user, trusted and security attributes. */
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <sys/xattr.h>

#include "steps.h"

/* A file that gains rights by its capability loses it when somebody writes: linux/capability.h, revision 2. */
static void set_capability(struct posix *p, const char *path)
{
	uint32_t value[5] = { htole32(0x02000000), htole32(1u << 10) };

	if (setxattr(path, "security.capability", value, sizeof(value), 0) < 0) {
		if (errno == EPERM || errno == EOPNOTSUPP)
			posix_unsupported(p, "security.capability");
		posix_fail(p, "setxattr: %s", posix_errno_name(errno));
	}
}

static void capability_goes(struct posix *p, const char *with)
{
	posix_steps(p, "create f 0777; open %a f rw; write %a text; fsync %a");
	set_capability(p, "f");
	posix_steps(p, "other: open %b f rw; root: =20 xattrsize f security.capability 100");
	posix_steps(p, with);
	posix_steps(p, "root: ENODATA xattrsize f security.capability 100");
}

static void capability_write(struct posix *p)
{
	capability_goes(p, "other: write %b x");
}

static void capability_write_root(struct posix *p)
{
	capability_goes(p, "write %a x");
}

static void capability_truncate(struct posix *p)
{
	capability_goes(p, "other: truncate f 1");
}

static void capability_chown(struct posix *p)
{
	capability_goes(p, "chown f owner owner");
}

static void capability_kept(struct posix *p)
{
	posix_steps(p, "create f 0777");
	set_capability(p, "f");
	posix_steps(p, "chmod f 0700; utimens f now now; rename f g; other: EPERM removexattr g security.capability; "
		       "root: =20 xattrsize g security.capability 100");
}

/* What was written before the capability was set does not take it away, however late it reaches the disk. */
static void capability_after_write(struct posix *p)
{
	posix_steps(p, "create f 0777; open %a f rw; write %a text");
	set_capability(p, "f");
	posix_steps(p, "fsync %a; =20 xattrsize f security.capability 100; close %a; =20 xattrsize f security.capability 100");
}

static const struct posix_case posix_setxattr_cases[] = {
	STEPS("value", "create f 0644; setxattr f user.a one; getxattr f user.a one; setxattr f user.a other; "
	      "getxattr f user.a other; lists f user.a=1"),
	STEPS("empty-value", "create f 0644; setxattr f user.a -; =0 getxattr f user.a -; lists f user.a=1"),
	STEPS("many", "create f 0644; setxattr f user.a one; setxattr f user.b two; setxattr f user.c @200; "
	      "getxattr f user.a one; getxattr f user.c @200; removexattr f user.b; "
	      "ENODATA getxattr f user.b -; lists f user.a=1; lists f user.b=0; lists f user.c=1"),
	STEPS("value-1000", "create f 0644; setxattr f user.a @1000; getxattr f user.a @1000; "
	      "setxattr f user.a @10; getxattr f user.a @10"),
	STEPS("longest-name-of-attribute", "create f 0644; setxattr f user.@name-5 x; "
	      "getxattr f user.@name-5 x; =256 listxattr f 0"),
	STEPS("create", "create f 0644; setxattr f user.a one create; getxattr f user.a one"),
	STEPS("EEXIST-create", "create f 0644; setxattr f user.a one; EEXIST setxattr f user.a two create; "
	      "getxattr f user.a one"),
	STEPS("replace", "create f 0644; setxattr f user.a one; setxattr f user.a two replace; "
	      "getxattr f user.a two"),
	STEPS("ENODATA-replace", "create f 0644; ENODATA setxattr f user.a one replace; lists f user.a=0"),
	STEPS("EINVAL-flags", "create f 0644; EINVAL setxattr f user.a one 0x40"),
	STEPS("E2BIG", "create f 0644; E2BIG setxattr f user.a @65537"),
	STEPS("ERANGE-name", "create f 0644; ERANGE setxattr f user.@name x"),
	STEPS("EFAULT-name", "create f 0644; EFAULT setxattr f @fault x"),
	STEPS("ERANGE-name-empty", "create f 0644; ERANGE setxattr f @empty x"),
	STEPS("EOPNOTSUPP-namespace", "create f 0644; EOPNOTSUPP setxattr f nothing.a x; "
	      "EOPNOTSUPP setxattr f a x; lists f nothing.a=0"),
	STEPS("EACCES-other", "create f 0644; other: EACCES setxattr f user.a b; root: lists f user.a=0"),
	STEPS("EACCES-owner", "owner: create f 0444; EACCES setxattr f user.a b"),
	STEPS("EACCES-member", "create f 0646; chown f owner owner; member: EACCES setxattr f user.a b"),
	STEPS("writer", "create f 0666; other: setxattr f user.a b; getxattr f user.a b; removexattr f user.a"),
	STEPS("descriptor", "open %a f rw,creat 0644; setxattr %a user.a b; getxattr %a user.a b; "
	      "=7 listxattr %a 100; removexattr %a user.a; =0 listxattr %a 100"),
	STEPS("descriptor-readonly", "owner: create f 0644; open %a f r; setxattr %a user.a b; "
	      "getxattr %a user.a b"),
	STEPS("EACCES-descriptor-of-others", "create f 0644; other: open %a f r; EACCES setxattr %a user.a b"),
	STEPS("EBADF", "EBADF setxattr %a user.a b"),
	STEPS("directory", "mkdir d 0755; setxattr d user.a b; getxattr d user.a b; "
	      "other: EACCES setxattr d user.a c"),
	STEPS("EPERM-sticky-directory", "mkdir d 01777; other: EPERM setxattr d user.a b; "
	      "root: setxattr d user.a b; other: getxattr d user.a b"),
	STEPS("through-link", "create f 0644; symlink f l; setxattr l user.a b; getxattr f user.a b"),
	STEPS("EPERM-link-itself", "create f 0644; symlink f l; EPERM setxattr l user.a b nofollow"),
	STEPS("EPERM-fifo", "mknod f fifo 0644; EPERM setxattr f user.a b"),
	STEPS("EPERM-socket", "mknod f sock 0644; EPERM setxattr f user.a b"),
	STEPS("trusted", "create f 0666; setxattr f trusted.posix b; getxattr f trusted.posix b; "
	      "lists f trusted.posix=1; other: lists f trusted.posix=0; ENODATA getxattr f trusted.posix b; "
	      "EPERM setxattr f trusted.posix c; EPERM removexattr f trusted.posix"),
	STEPS("trusted-link-itself", "symlink none l; setxattr l trusted.posix b nofollow; "
	      "getxattr l trusted.posix b nofollow"),
	STEPS("EPERM-trusted-owner", "owner: create f 0644; EPERM setxattr f trusted.posix b; "
	      "EPERM setxattr f security.posix b"),
	STEPS("security", "create f 0644; setxattr f security.posix b; getxattr f security.posix b; "
	      "other: getxattr f security.posix b; EPERM removexattr f security.posix"),
	STEPS("links", "create f 0644; link f g; setxattr f user.a b; getxattr g user.a b"),
	STEPS("kept-by-rename", "create f 0644; setxattr f user.a b; rename f g; getxattr g user.a b"),
	STEPS("kept-by-write", "open %a f w,creat 0644; setxattr f user.a b; write %a text; truncate f 0; "
	      "chmod f 0600; getxattr f user.a b"),
	STEPS("gone-with-file", "create f 0644; setxattr f user.a b; unlink f; create f 0644; "
	      "ENODATA getxattr f user.a b"),
	STEPS("not-inherited", "mkdir d 0755; setxattr d user.a b; create d/f 0644; "
	      "ENODATA getxattr d/f user.a b"),
	STEPS("kept-by-replaced", "create f 0644; setxattr f user.a b; create g 0644; rename g f; "
	      "ENODATA getxattr f user.a b"),
	STEPS("times", "create f 0644; note f .; setxattr f user.a b; since f c; since . -"),
	STEPS("times-failed", "create f 0644; note f; other: EACCES setxattr f user.a b; "
	      "root: ENODATA setxattr f user.a b replace; since f -"),
	RUN("capability-gone-with-write", capability_write),
	RUN("capability-gone-with-write-of-root", capability_write_root),
	RUN("capability-gone-with-truncate", capability_truncate),
	RUN("capability-gone-with-chown", capability_chown),
	RUN("capability-kept", capability_kept),
	RUN("capability-after-write", capability_after_write),
};

static const struct posix_case posix_getxattr_cases[] = {
	STEPS("size", "create f 0644; setxattr f user.a @100; =100 xattrsize f user.a 0; "
	      "=100 xattrsize f user.a 100; =100 xattrsize f user.a 4000"),
	STEPS("ERANGE", "create f 0644; setxattr f user.a @100; ERANGE xattrsize f user.a 99; "
	      "ERANGE xattrsize f user.a 1"),
	STEPS("ENODATA", "create f 0644; ENODATA getxattr f user.a -; ENODATA xattrsize f user.a 0; "
	      "setxattr f user.a b; ENODATA getxattr f user.ab -"),
	STEPS("ENODATA-directory", "ENODATA getxattr . user.a -"),
	STEPS("EACCES-other", "create f 0640; setxattr f user.a b; other: EACCES getxattr f user.a b; "
	      "lists f user.a=1"),
	STEPS("EACCES-owner", "owner: create f 0600; setxattr f user.a b; chmod f 0200; "
	      "EACCES getxattr f user.a b"),
	STEPS("reader", "create f 0640; setxattr f user.a b; chown f owner owner; member: getxattr f user.a b"),
	STEPS("descriptor-after-chmod", "create f 0644; setxattr f user.a b; other: open %a f r; "
	      "root: chmod f 0; other: EACCES getxattr %a user.a b"),
	STEPS("ENODATA-link-itself", "create f 0644; setxattr f user.a b; symlink f l; "
	      "ENODATA|EPERM getxattr l user.a b nofollow"),
	STEPS("ERANGE-name", "create f 0644; ERANGE getxattr f user.@name x"),
	STEPS("EOPNOTSUPP-namespace", "create f 0644; EOPNOTSUPP getxattr f nothing.a x"),
	STEPS("EBADF", "EBADF getxattr %a user.a b"),
	STEPS("capability-of-none", "create f 0644; ENODATA xattrsize f security.capability 100; "
	      "other: ENODATA xattrsize f security.capability 0"),
	STEPS("times", "create f 0644; setxattr f user.a b; note f; getxattr f user.a b; lists f user.a=1; "
	      "since f -"),
};

static const struct posix_case posix_listxattr_cases[] = {
	STEPS("size", "create f 0644; =0 listxattr f 0; setxattr f user.abc x; =9 listxattr f 0; "
	      "=9 listxattr f 9; =9 listxattr f 100; setxattr f user.d y; =16 listxattr f 0"),
	STEPS("ERANGE", "create f 0644; setxattr f user.abc x; ERANGE listxattr f 8; ERANGE listxattr f 1"),
	STEPS("any-user", "create f 0; setxattr f user.a x; other: lists f user.a=1"),
	STEPS("EBADF", "EBADF listxattr %a 0"),
};

static const struct posix_case posix_removexattr_cases[] = {
	STEPS("gone", "create f 0644; setxattr f user.a b; removexattr f user.a; ENODATA getxattr f user.a b; "
	      "=0 listxattr f 100"),
	STEPS("ENODATA", "create f 0644; ENODATA removexattr f user.a; setxattr f user.a b; "
	      "removexattr f user.a; ENODATA removexattr f user.a"),
	STEPS("EACCES-other", "create f 0644; setxattr f user.a b; other: EACCES removexattr f user.a; "
	      "root: getxattr f user.a b"),
	STEPS("EPERM-link-itself", "symlink none l; EPERM removexattr l user.a nofollow"),
	STEPS("ERANGE-name", "create f 0644; ERANGE removexattr f user.@name"),
	STEPS("EOPNOTSUPP-namespace", "create f 0644; EOPNOTSUPP removexattr f nothing.a"),
	STEPS("EBADF", "EBADF removexattr %a user.a"),
	STEPS("times", "create f 0644; setxattr f user.a b; note f; removexattr f user.a; since f c"),
};

const struct posix_group posix_xattr_groups[] = {
	POSIX_GROUP(setxattr),
	POSIX_GROUP(getxattr),
	POSIX_GROUP(listxattr),
	POSIX_GROUP(removexattr),
	{ NULL, NULL, 0 },
};
