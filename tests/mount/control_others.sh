#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# control_others: who may have the daemon change a file: root, its owner, who may write to it, and nobody else
# test: root
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"
[ -z "${DFS_USERNS:-}" ] || skip "one user alone in this namespace"
need setfacl
user=65534 friend=12345 stranger=54321
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
state() { told state "mnt/$1.safetensors"; }

# ask USER FILE MODE NUMBER [ID]: one ioctl: its errno's name, or "done", and the id.
ask() {
	as "$1" /usr/bin/python3 - "${@:2}" <<'PY'
import errno, fcntl, os, struct, sys
path, mode, number = sys.argv[1:4]
c = bytearray(536)
struct.pack_into("<IIQ", c, 0, 1, 0, int(sys.argv[4]) if len(sys.argv) > 4 else 0)
fd = os.open(path, os.O_RDWR if mode == "rw" else os.O_RDONLY)
try:
    fcntl.ioctl(fd, 3 << 30 | 536 << 16 | 0xdf << 8 | int(number), c, True)
    said = "done"
except OSError as error:
    said = errno.errorcode[error.errno]
print(said, struct.unpack_from("<Q", c, 8)[0])
PY
}

make_store --params 300000 --hidden 64 --seed 78
for name in mine his shared open; do
	cp orig/tune/model.safetensors store/$name.safetensors
	run deltafsctl encode store/$name.safetensors
done
chown $user store/his.safetensors
setfacl -m "u:$friend:rw" store/shared.safetensors || skip "no ACLs here"
chmod 666 store/open.safetensors
mkdir -m 700 store/closed
cp orig/tune/model.safetensors store/closed/secret-name.safetensors
chmod 755 . store

start_daemon store mnt -o rw,allow_other,quiet=1
# A stranger reads, and changes nothing.
for request in 2 3; do
	[ "$(ask $user mnt/mine.safetensors ro $request)" = "EACCES 0" ] || fail "request $request by who may only read: $(ask $user mnt/mine.safetensors ro $request)"
done
expect_fail 1 'not yours to change' as $user deltafsctl decode mnt/mine.safetensors
expect_fail 1 'not yours to change' as $stranger deltafsctl decode mnt/shared.safetensors
[ "$(state mine)" = container ] && [ "$(state shared)" = container ] || fail "a stranger decoded"
# Who may write may have it decoded, if he has it open for that; a descriptor for reading is not enough.
[ "$(ask $friend mnt/shared.safetensors ro 3)" = "EACCES 0" ] || fail "friend, reading"
as $friend deltafsctl decode mnt/shared.safetensors >said 2>&1 || fail "who may write, by an ACL: $(cat said)"
as $stranger deltafsctl decode mnt/open.safetensors >said 2>&1 || fail "who may write, by the mode: $(cat said)"
as $user deltafsctl decode mnt/his.safetensors >said 2>&1 || fail "the owner: $(cat said)"
for name in shared open his; do
	[ "$(state $name)" = plain ] || fail "$name is $(state $name)"
	cmp mnt/$name.safetensors orig/tune/model.safetensors || fail "$name"
done
as $stranger deltafsctl encode mnt/open.safetensors >said 2>&1 || fail "encode by who may write: $(cat said)"
as $user deltafsctl encode mnt/his.safetensors >said 2>&1 || fail "encode by the owner: $(cat said)"
[ "$(state open)$(state his)" = containercontainer ] || fail "open: $(state open), his: $(state his)"
# A handle for writing that was closed by everybody but the reader proves nothing any more.
exec 6<>mnt/mine.safetensors
[ "$(ask $user mnt/mine.safetensors ro 3)" = "EACCES 0" ] || fail "while somebody else has it open for writing"
exec 6>&-

# What one began the other does not see.
read -r said id <<<"$(ask $user mnt/his.safetensors ro 3)"
[ "$said" = "done" ] || fail "decode: $said"
[ "$(ask $stranger mnt ro 4 "$id")" = "ENOENT $id" ] || fail "a stranger asks for somebody's job"
[ "$(ask $user mnt ro 4 "$id")" = "done $id" ] || fail "the owner asks for his job"

# Names are for root and the daemon's user.
cp orig/tune/model.safetensors mnt/closed/another.safetensors
head -c 5000 /dev/urandom >mnt/closed/noise
deltafsctl wait --timeout 240 mnt >said 2>&1 || fail "wait: $(cat said)"
deltafsctl status --json mnt | grep -q closed/noise || fail "root is not told names"
for who in $user $friend; do
	as $who deltafsctl status --json mnt >said || fail "status by $who"
	grep -q 'compressed_files' said || fail "no numbers for others: $(cat said)"
	! grep -q 'closed\|noise\|secret' said || fail "names of a closed directory: $(cat said)"
	as $who deltafsctl status mnt >said && grep -q 'compressed since' said || fail "status by $who: $(cat said)"
done
expect_fail 1 'Permission denied' as $user deltafsctl wait mnt/closed/another.safetensors
stop_daemon mnt
