#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# failures: what goes wrong on the first day says so in a sentence, with the cure
# test: userns
. "$(dirname "$0")/common.sh"

make_store --params 100000 --seed 4
expect_fail 1 "nowhere: no such directory.*mkdir -p nowhere" deltafs store nowhere
expect_fail 1 "nostore: no such directory.*mkdir -p nostore" deltafs nostore mnt
touch file
expect_fail 1 "file: not a directory" deltafs store file
expect_fail 1 "file: .*ot a directory" deltafs file mnt
expect_fail 2 "option base: nobase: No such file" deltafs -o base=nobase store mnt
mkdir emptybase
expect_fail 1 "option base: .*emptybase" deltafs -o base=emptybase store mnt
expect_fail 1 "option log: .*/no/where/x" deltafs -o log=/no/where/x store mnt
for line in "$(deltafs store nowhere 2>&1)" "$(deltafs -o cahce=1 store mnt 2>&1)"; do
	[ "$(wc -l <<<"$line")" = 1 ] || fail "more than a sentence: $line"
done

# Already mounted: by whom.
start_daemon store mnt
expect_fail 1 "mnt: $DFS_TMP/store is mounted there already by process $(daemon_pid); unmount it" deltafs store mnt
stop_daemon mnt

# Without the device, and without fusermount3.
if [ "$(id -u)" = 0 ]; then
	unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' sh "$(command -v deltafs)" store mnt 2>said &&
		fail "mounted without /dev/fuse"
	grep -q "no /dev/fuse: load the kernel's module (modprobe fuse)" said || fail "without /dev/fuse it said: $(cat said)"
else
	expect_fail 1 "fusermount3 is not installed.*apt install fuse3" env PATH=/nonexistent "$(command -v deltafs)" store mnt
	if ! grep -q '^ *user_allow_other' /etc/fuse.conf 2>/dev/null; then
		expect_fail 1 "allow_other: not allowed.*user_allow_other to /etc/fuse.conf" deltafs -o allow_other store mnt
	fi
	mkdir -m 500 notmine
	expect_fail 1 "cannot mount at .*notmine" deltafs store notmine
fi
is_mounted mnt && fail "something is mounted"
exit 0
