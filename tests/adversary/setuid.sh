#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# setuid: promise 10: setuid programs, devices and capabilities of a store give nobody anything.
# test: timeout=120 root
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || skip "needs root to make them"
need setcap
given_pair
cp /usr/bin/id store/suid && chmod 4755 store/suid
cp /usr/bin/id store/sgid && chmod 2755 store/sgid
cp /usr/bin/cat store/capable && setcap cap_dac_override+ep store/capable || fail "setcap"
mknod store/null c 1 3 && chmod 666 store/null
echo secret >secret && chmod 600 secret
start_daemon store mnt -o allow_other
as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
as store/suid -u | grep -qx 0 || fail "the store itself is nosuid: this proves nothing"
as store/capable secret | grep -qx secret || fail "capabilities do nothing in the store either: this proves nothing"
[ "$(stat -c %a mnt/suid)" = 4755 ] || fail "the mode is not shown as it is"
[ "$(as mnt/suid -u)" = 65534 ] || fail "a setuid program of the mount runs as its owner"
[ "$(as mnt/sgid -g)" = 65534 ] || fail "a setgid program of the mount runs as its group"
as mnt/capable secret >/dev/null 2>&1 && fail "a program of the mount has capabilities"
expect_fail any 'denied|not permitted|No such device' dd if=mnt/null of=/dev/null count=1
options=$(awk -v m="$PWD/mnt" '$2 == m { print $4 }' /proc/mounts)
[[ ,$options, == *,nosuid,* && ,$options, == *,nodev,* ]] || fail "options: $options"
alive
stop_daemon mnt
