/* SPDX-License-Identifier: GPL-2.0-or-later */
/* acl: POSIX access control lists, by their xattrs. */
#include "steps.h"

#define FOR_OTHER(bits) "u::rw-,u:other:" bits ",g::---,m::rwx,o::---"
#define FOR_GROUP(bits) "u::rw-,g::---,g:owner:" bits ",m::rwx,o::---"
#define INHERITED "u::rwx,u:other:rwx,g::r-x,m::rwx,o::---"

static const struct posix_case posix_acl_cases[] = {
	STEPS("kept", "create f 0640; setacl f access u::rw-,u:other:rw-,g::r--,m::rw-,o::---; "
	      "getacl f access u::rw-,u:other:rw-,g::r--,m::rw-,o::---; is f mode=0660"),
	STEPS("none", "create f 0640; ENODATA getacl f access u::rw-,g::r--,o::---; "
	      "ENODATA getacl . default u::rwx,g::r-x,o::---"),
	STEPS("minimal-is-mode", "create f 0640; setacl f access u::rwx,g::r-x,o::r--; is f mode=0754; "
	      "ENODATA getacl f access u::rwx,g::r-x,o::r--"),
	STEPS("minimal-takes-away", "create f 0640; setacl f access " FOR_OTHER("rw-") "; "
	      "setacl f access u::rw-,g::r--,o::---; ENODATA getacl f access u::rw-; other: EACCES open - f r"),
	STEPS("mask-is-group-bits", "create f 0640; setacl f access u::rw-,u:other:rw-,g::rw-,m::r--,o::---; "
	      "is f mode=0640; other: open - f r; EACCES open - f w"),
	STEPS("chmod-is-mask", "create f 0640; setacl f access " FOR_OTHER("rw-") "; is f mode=0670; "
	      "chmod f 0640; getacl f access u::rw-,u:other:rw-,g::---,m::r--,o::---; other: open - f r; "
	      "EACCES open - f w; root: chmod f 0660; other: open - f rw"),
	STEPS("chmod-changes-user-and-other", "create f 0640; setacl f access " FOR_OTHER("rw-") "; "
	      "chmod f 0467; getacl f access u::r--,u:other:rw-,g::---,m::rw-,o::rwx"),
	STEPS("chmod-takes-away", "create f 0640; setacl f access " FOR_OTHER("rw-") "; other: open - f rw; "
	      "root: chmod f 0600; other: EACCES open - f r"),
	STEPS("names-user", "create f 0600; setacl f access " FOR_OTHER("rw-") "; other: open - f rw; "
	      "member: EACCES open - f r; owner: EACCES open - f r"),
	STEPS("names-user-readonly", "create f 0600; setacl f access " FOR_OTHER("r--") "; other: open - f r; "
	      "EACCES open - f w"),
	STEPS("names-user-less", "create f 0604; setacl f access u::rw-,u:other:---,g::r--,m::r--,o::r--; "
	      "other: EACCES open - f r; member: open - f r"),
	STEPS("names-group", "create f 0600; setacl f access " FOR_GROUP("rw-") "; member: open - f rw; "
	      "owner: open - f rw; other: EACCES open - f r"),
	STEPS("names-group-readonly", "create f 0600; setacl f access " FOR_GROUP("r--") "; "
	      "member: open - f r; EACCES open - f w"),
	STEPS("names-group-less", "create f 0604; setacl f access u::rw-,g::r--,g:owner:---,m::r--,o::r--; "
	      "member: EACCES open - f r; other: open - f r"),
	STEPS("groups-not-summed", "create f 0600; chown f root owner; "
	      "setacl f access u::rw-,g::r--,g:member:-w-,m::rw-,o::---; member: open - f r; open - f w; "
	      "EACCES open - f rw"),
	STEPS("access-agrees", "create f 0600; setacl f access " FOR_OTHER("r--") "; other: access f 4; "
	      "EACCES access f 2; member: EACCES access f 4"),
	STEPS("directory", "mkdir d 0700; setacl d access u::rwx,u:other:rwx,g::---,m::rwx,o::---; "
	      "other: create d/f 0644; is d/f uid=other; member: EACCES create d/g 0644"),
	STEPS("directory-search", "mkdir d 0700; create d/f 0644; "
	      "setacl d access u::rwx,u:other:--x,g::---,m::rwx,o::---; other: open - d/f r; "
	      "EACCES open - d r"),
	STEPS("write-by-acl-clears-suid", "create f 06777; "
	      "setacl f access u::rwx,u:other:rwx,g::r-x,m::rwx,o::---; chmod f 06770; other: open %a f w; "
	      "write %a x; is f mode=0770"),
	STEPS("set-by-owner", "owner: create f 0600; setacl f access " FOR_OTHER("r--") "; other: open - f r; "
	      "owner: dropacl f access; other: EACCES open - f r"),
	STEPS("set-clears-sgid", "create f 0755; chown f owner other; chmod f 02755; "
	      "owner: setacl f access u::rwx,g::r-x,o::r-x; is f mode=0755"),
	STEPS("EPERM-set-other", "create f 0666; other: EPERM setacl f access " FOR_OTHER("rw-") "; "
	      "EPERM dropacl f access"),
	STEPS("EPERM-set-member", "create f 0666; chown f owner owner; "
	      "member: EPERM setacl f access " FOR_OTHER("rw-")),
	STEPS("read-by-all", "create f 0600; setacl f access " FOR_OTHER("r--") "; "
	      "member: getacl f access u::rw-,u:other:r--,g::---,m::rwx,o::---"),
	STEPS("dropped", "create f 0640; setacl f access " FOR_OTHER("r--") "; dropacl f access; "
	      "ENODATA getacl f access u::rw-; other: EACCES open - f r"),
	STEPS("listed", "create f 0640; lists f system.posix_acl_access=0; "
	      "setacl f access " FOR_OTHER("r--") "; lists f system.posix_acl_access=1"),
	STEPS("EINVAL-malformed", "create f 0640; EINVAL setxattr f system.posix_acl_access abc; "
	      "EINVAL setacl f access u::rw-,u:other:rw-,g::r--,o::---; "
	      "EINVAL setacl f access g::r--,u::rw-,o::---; EINVAL setacl f access u::rw-,o::---; "
	      "is f mode=0640"),
	STEPS("EOPNOTSUPP-link", "symlink none l; EOPNOTSUPP setacl l access u::rw-,g::r--,o::--- nofollow"),
	STEPS("EACCES-default-on-file", "create f 0640; EACCES setacl f default u::rwx,g::r-x,o::---"),
	STEPS("times", "create f 0640; note f; setacl f access " FOR_OTHER("rw-") "; since f c"),
	STEPS("kept-by-rename-and-write", "open %a f w,creat 0640; setacl f access " FOR_OTHER("rw-") "; "
	      "write %a x; rename f g; getacl g access u::rw-,u:other:rw-,g::---,m::rwx,o::---"),
	STEPS("default-kept", "mkdir d 0755; setacl d default " INHERITED "; getacl d default " INHERITED "; "
	      "is d mode=0755; ENODATA getacl d access u::rwx; dropacl d default; "
	      "ENODATA getacl d default u::rwx"),
	STEPS("default-create", "mkdir d 0777; setacl d default " INHERITED "; create d/f 0666; "
	      "getacl d/f access u::rw-,u:other:rwx,g::r-x,m::rw-,o::---; is d/f mode=0660; "
	      "ENODATA getacl d/f default u::rwx; other: open - d/f rw"),
	STEPS("default-ignores-umask", "mkdir d 0777; setacl d default " INHERITED "; umask 077; "
	      "create d/f 0666; is d/f mode=0660; other: open - d/f rw"),
	STEPS("default-ignores-umask-user", "mkdir d 0777; setacl d default " INHERITED "; owner: umask 077; "
	      "create d/f 0666; is d/f mode=0660 uid=owner; other: open - d/f rw"),
	STEPS("default-ignores-umask-mkdir", "mkdir d 0777; setacl d default " INHERITED "; umask 077; "
	      "mkdir d/e 0777; is d/e mode=0770; getacl d/e access " INHERITED "; "
	      "getacl d/e default " INHERITED),
	STEPS("default-ignores-umask-mknod", "mkdir d 0777; setacl d default " INHERITED "; umask 077; "
	      "mknod d/f fifo 0666; is d/f mode=0660; mknod d/g reg 0666; is d/g mode=0660"),
	STEPS("default-mode-limits", "mkdir d 0777; setacl d default " INHERITED "; create d/f 0600; "
	      "getacl d/f access u::rw-,u:other:rwx,g::r-x,m::---,o::---; other: EACCES open - d/f r"),
	STEPS("default-minimal", "mkdir d 0777; setacl d default u::rw-,g::r--,o::---; umask 0; "
	      "create d/f 0666; is d/f mode=0640; ENODATA getacl d/f access u::rw-"),
	STEPS("default-deep", "mkdir d 0777; setacl d default " INHERITED "; mkdir d/e 0777; mkdir d/e/f 0777; "
	      "create d/e/f/g 0666; getacl d/e/f default " INHERITED "; is d/e/f/g mode=0660"),
	STEPS("default-symlink-not", "mkdir d 0777; setacl d default " INHERITED "; symlink t d/l; "
	      "is d/l mode=0777"),
	STEPS("default-not-by-rename", "mkdir d 0777; setacl d default " INHERITED "; create f 0600; "
	      "rename f d/f; ENODATA getacl d/f access u::rw-; is d/f mode=0600"),
	STEPS("default-not-by-link", "mkdir d 0777; setacl d default " INHERITED "; create f 0600; link f d/f; "
	      "ENODATA getacl d/f access u::rw-; is d/f mode=0600"),
	STEPS("default-tmpfile", "mkdir d 0777; setacl d default " INHERITED "; umask 077; "
	      "open %a d rw,tmpfile 0666; is %a mode=0660"),
	STEPS("default-setgid", "mkdir d 0777; chown d root team; chmod d 02777; "
	      "setacl d default " INHERITED "; other: create d/f 0666; is d/f gid=team mode=0660; "
	      "mkdir d/e 0777; is d/e gid=team mode=02770"),
	STEPS("EPERM-default-other", "mkdir d 0777; other: EPERM setacl d default " INHERITED),
	STEPS("default-times", "mkdir d 0755; note d; setacl d default " INHERITED "; since d c"),
};

const struct posix_group posix_acl_groups[] = {
	POSIX_GROUP(acl),
	{ NULL, NULL, 0 },
};
