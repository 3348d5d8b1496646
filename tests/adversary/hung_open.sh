#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hung_open: promises 7 and 9: a base that hangs before its first open costs others no descriptors, and does not hold up the end.
# test: timeout=240
. "$(dirname "$0")/common.sh"

given_pair
"$DFS_BUILD/tests/tools/make_pair" --params 24000000 --hidden 1024 --vocab 512 --seed 2 other >/dev/null
mkdir far farview && cp -r other/base far/base && cp -r other/tune stuck
start_daemon far farview
first=$daemon first_pid=$(daemon_pid)
deltafsctl base add --by-reference store farview/base/model.safetensors >said 2>&1 || fail "base add: $(cat said)"
cp -r stuck store/stuck && deltafsctl encode store/stuck/model.safetensors >said 2>&1 || fail "encode: $(cat said)"
mkdir store/many
for ((i = 0; i < 300; i++)); do cp --preserve=xattr store/tune/model.safetensors store/many/$i; done
start_daemon store mnt
kill -STOP "$first_pid"
at_end "kill -CONT $first_pid 2>/dev/null; kill $first_pid 2>/dev/null"
# Large reads, so that the kernel is told in advance what will be read: of the base, too.
dd if=mnt/stuck/model.safetensors of=/dev/null bs=1M count=20 2>dd.said &
reader=$!
sleep 1
kill -0 $reader || fail "the base does not hang: this proves nothing"
before=$(descriptors)
for ((i = 0; i < 300; i++)); do
	timeout 20 cmp mnt/many/$i orig/tune/model.safetensors || fail "file $i waits for a base that hangs"
done
after=$(descriptors)
echo "descriptors: $before, then $after"
[ "$after" -le $((before + 70)) ] || fail "300 files that were read and closed: $before descriptors became $after"

kill -0 $reader || fail "the base did not hang for as long as it should"
kill -TERM "$(daemon_pid)"
retry 10 eval '! is_mounted mnt' || fail "SIGTERM does not unmount"
ended() { ! kill -0 $reader 2>/dev/null; }
retry 10 ended || fail "who waits for the base waits after SIGTERM as well"
wait $reader && fail "the reader got all: $(cat dd.said)"
retry 10 grep -q 'reads wait for a disk or a base' "$log" || fail "the log says: $(tail -3 "$log")"
# A thread in a call that cannot be broken off keeps the process until that returns.
kill -CONT "$first_pid"
wait "$daemon" || fail "SIGTERM: status $?"
daemon=$first
start_daemon store mnt
timeout 30 cmp mnt/stuck/model.safetensors other/tune/model.safetensors || fail "a new mount"
alive
stop_daemon mnt
daemon=$first
stop_daemon farview
