#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lent_rights: promise 10, the writable mount lends nobody rights: what four users may do to each other's files, in sticky, set-group-ID and ACL directories, to set-id bits, marks, devices and capabilities, is what they may in the store.
# test: timeout=180 root
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || skip "needs several users"
need setpriv setfacl getfacl
given_pair
# Twice the same tree: one is used directly, one through the mount.
tree() {
	mkdir -p "$1"/{sticky,group,acl,closed,mine} && chmod 1777 "$1/sticky" && chmod 2770 "$1/group" && chmod 700 "$1/closed"
	chown 0:4004 "$1/group" && chown 4001:4001 "$1/mine" && chmod 755 "$1"
	setfacl -d -m u::rwx,u:4002:rw,g::r,m::rw,o::- "$1/acl" && setfacl -m u:4001:rwx,u:4002:rwx "$1/acl" || skip "no ACLs here"
	echo secret >"$1/closed/secret" && echo root >"$1/sticky/roots" && chmod 666 "$1/sticky/roots"
	cp "$DFS_TMP/orig/tune/model.safetensors" "$1/sticky/model" && chmod 6755 "$1/sticky/model" && chown 4001:4001 "$1/sticky/model" && chmod 6775 "$1/sticky/model"
}
mkdir direct && tree direct/tree && tree store/tree
deltafsctl encode store/tree/sticky/model >said 2>&1 || fail "encode: $(cat said)"
start_daemon store mnt -o rw,quiet=0,allow_other
# SUPPLEMENTARY: 4003 has the group 4004 only besides his own.
as() { setpriv --reuid="$1" --regid="$1" $([ "$1" = 4003 ] && echo --groups=4004 || echo --clear-groups) --inh-caps=-all "${@:2}"; }
tried=0
# same COMMAND: each user gets the same answer in both.
same() {
	local user a b
	for user in 4001 4002 4003 4004; do
		(cd direct/tree && as $user bash -c "umask ${MASK:-022}; $1") >a 2>a.err; a=$?
		(cd mnt/tree && as $user bash -c "umask ${MASK:-022}; $1") >b 2>b.err; b=$?
		[ "$a" = "$b" ] && cmp -s a b || fail "user $user: $1: $a in the store, $b in the mount: $(cat a a.err) / $(cat b b.err)"
		tried=$((tried + 1))
	done
}
same 'echo x >sticky/$UID'
same 'mkdir -p group/$UID && touch group/$UID/file'
MASK=077 same 'echo x >group/private-$UID'
MASK=0 same 'echo x >group/open-$UID; ln group/open-$UID group/linked-$UID; mv group/open-$UID sticky/moved-$UID'
same 'mkfifo group/fifo-$UID; ln -s ../closed/secret group/link-$UID; cat group/link-$UID'
same 'mknod mine/device-$UID b 1 1; mknod sticky/device-$UID c 1 5'
MASK=0 same 'echo x >acl/$UID; mkdir acl/dir-$UID; getfacl -nc acl/$UID acl/dir-$UID'
MASK=077 same 'echo x >acl/tight-$UID; getfacl -nc acl/tight-$UID'
for other in 4001 4002 roots; do
	same "rm -f sticky/$other-gone; mv sticky/$other sticky/$other-stolen"
	same "ln sticky/$other sticky/$other-\$UID; echo more >>sticky/$other"
	same "chmod 4777 sticky/$other; chown \$UID sticky/$other; chgrp 4004 sticky/$other; touch -d @5 sticky/$other"
	same "setfacl -m u:\$UID:rwx sticky/$other; setfattr -n user.x -v 1 sticky/$other; rm -f sticky/$other-x"
done
same 'cat closed/secret; ls closed; echo x >closed/new; mv closed stolen; rmdir closed; mv group sticky/'
same 'chmod 2755 sticky/$UID; stat -c %a sticky/$UID; chgrp 4004 sticky/$UID; stat -c %a:%g sticky/$UID'
same 'chmod 6755 sticky/$UID; echo y >>sticky/$UID; stat -c %a sticky/$UID; chmod 6711 sticky/$UID; truncate -s 1 sticky/$UID; stat -c %a sticky/$UID'
same 'chmod 6755 sticky/$UID; dd if=/dev/zero of=sticky/$UID conv=notrunc bs=4k count=1 oflag=direct; stat -c %a sticky/$UID'
same 'setfattr -n trusted.x -v 1 sticky/$UID; setcap cap_net_raw+ep sticky/$UID; getfattr -m - -d sticky/$UID'
# A container with set-id bits, written to by another of its group.
same 'printf x | dd of=sticky/model conv=notrunc bs=1 seek=5000; stat -c %a:%u:%g:%s sticky/model'
same 'rm -f sticky/model; mv sticky/model mine/; cp sticky/model sticky/copy-$UID; stat -c %a:%u:%g:%s sticky/copy-$UID'
(cd direct/tree && find . -printf '%P %y %m %U:%G %n %l\n' | sort) >a
(cd store/tree && find . -printf '%P %y %m %U:%G %n %l\n' | sort) >b
(cd mnt/tree && find . -printf '%P %y %m %U:%G %n %l\n' | sort) >c
diff a c || fail "what came of it differs in the mount"
diff a b || fail "what came of it differs in the store"
# Ours is nobody's: not even root's, through the mount.
for user in 0 4001; do
	for command in 'ls mnt/.deltafs' 'mkdir mnt/.deltafs' 'touch mnt/.deltafs' 'mv mnt/tree mnt/.deltafs' 'ln mnt/tree/sticky/roots mnt/.deltafs' 'rm -r mnt/.deltafs' 'ln -s x mnt/.deltafs' 'cat mnt/.deltafs/lock' 'mv mnt/.deltafs mnt/mine'; do
		as_user=$([ $user = 0 ] && echo env || echo "as $user")
		$as_user bash -c "$command" >/dev/null 2>&1 && fail "user $user: $command"
	done
done
# A container that a user brings, and may not have a base of: its bytes, and nothing decoded.
chmod 600 store/base/model.safetensors && chmod 700 store/base
cp store/tune/model.safetensors stolen && chmod 644 stolen
as 4001 cp stolen mnt/tree/sticky/stolen || fail "a user cannot copy a file"
as 4001 cmp stolen mnt/tree/sticky/stolen || fail "bytes written through the mount were taken for a container"
as 4001 mv mnt/tree/sticky/stolen mnt/tree/sticky/renamed && as 4001 ln mnt/tree/sticky/renamed mnt/tree/sticky/again
as 4001 bash -c 'for a in trusted user; do for b in plain container; do setfattr -x $a.deltafs.$b mnt/tree/sticky/again; setfattr -n $a.deltafs.$b -v 0x00 mnt/tree/sticky/again; done; done' 2>/dev/null
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0,allow_other
as 4001 cmp stolen mnt/tree/sticky/again || fail "it is one after a remount"
stop_daemon mnt
echo "$tried answers compared"
[ "$tried" -gt 100 ] || fail "only $tried"
