#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# background: the command returns when the mount works; the daemon holds on to nothing and ends when told
# test: userns
. "$(dirname "$0")/common.sh"

make_store --params 300000 --seed 3
daemon_of() { status pid "$1"; }
ended() { ! kill -0 "$1" 2>/dev/null; }

deltafs store mnt 2>said || fail "$(cat said)"
is_mounted mnt || fail "it returned before the mount worked"
grep -q "store is shown at $DFS_TMP/mnt\$" said || fail "it said: $(cat said)"
[ "$(status read_only)" = False ] || fail "read-only, unasked"
mkdir mnt2
expect_fail 1 "$DFS_TMP/mnt; one writer a store; -o ro mounts it read-only" deltafs store mnt2
deltafs -o ro store mnt2 2>said || fail "beside a writer: $(cat said)"
grep -q "mnt2, read-only\$" said || fail "it said: $(cat said)"
cmp orig/tune/model.safetensors mnt2/tune/model.safetensors || fail "bytes beside a writer"
umount mnt2 2>/dev/null || fusermount3 -u mnt2 || fail "umount"
cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "bytes"
pid=$(daemon_of mnt)
if [ -r "/proc/$pid/fd" ]; then
	[ "$(readlink "/proc/$pid/cwd")" = / ] || fail "it keeps a directory busy"
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ] || fail "it keeps descriptor $fd"
	done
fi
[ "$(ps -o tty= -p "$pid")" = '?' ] || fail "it keeps the terminal"
kill "$pid"
retry 20 ended "$pid" || fail "SIGTERM does not end it"
is_mounted mnt && fail "SIGTERM leaves the mount"

# A shell lets its background jobs ignore SIGINT; a terminal does not.
printf '#!/usr/bin/python3\nimport os, signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nos.execvp(sys.argv[1], sys.argv[1:])\n' >interactive
chmod +x interactive
for signal in INT HUP TERM; do
	DFS_WRAP=./interactive start_daemon store mnt
	kill -$signal "$daemon"
	wait "$daemon" || fail "SIG$signal: status $?"
	is_mounted mnt && fail "SIG$signal leaves the mount"
done

# Ends while a file is open and read.
start_daemon store mnt
exec 3<mnt/tune/model.safetensors
head -c 100 <&3 >/dev/null
kill "$daemon"
wait "$daemon" || fail "SIGTERM with an open file: status $?"
exec 3<&-
retry 10 eval '! is_mounted mnt' || fail "the mount stays"

# A busy mount is refused to umount, and taken by umount -l.
start_daemon store mnt
exec 3<mnt/tune/model.safetensors
{ umount mnt || fusermount3 -u mnt; } 2>/dev/null && fail "a busy mount was unmounted"
umount -l mnt 2>/dev/null || fusermount3 -uz mnt || fail "lazily"
head -c 100 <&3 | cmp - <(head -c 100 orig/tune/model.safetensors) || fail "the open file after umount -l"
exec 3<&-
wait "$daemon" || fail "after umount -l: status $?: $(tail -3 "$log")"

deltafs -o log="$DFS_TMP/own.log" store mnt 2>/dev/null || fail "log="
pid=$(daemon_of mnt)
truncate -s 1000 store/tune/model.safetensors
cat mnt/tune/model.safetensors 2>/dev/null && fail "a cut container was read"
grep -q 'tune/model.safetensors' own.log || fail "log= has no line: $(cat own.log)"
[ "$(stat -c %a own.log)" = 600 ] || fail "others may read the log"
umount mnt 2>/dev/null || fusermount3 -u mnt || fail "umount"
retry 20 ended "$pid" || fail "umount does not end it"
