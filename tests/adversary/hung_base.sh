#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hung_base: promise 7, reading never waits for unrelated work: a base on a file system that hangs stops nobody else.
# test: timeout=240
. "$(dirname "$0")/common.sh"

readers=64
given_pair
# Large enough that each reader waits for a chunk of his own: two of one chunk wait in the kernel.
"$DFS_BUILD/tests/tools/make_pair" --params 24000000 --hidden 1024 --vocab 512 --seed 2 other >/dev/null
step=$(($(stat -c %s other/tune/model.safetensors) / readers / 4096 * 4096))
[ "$step" -gt $((256 << 10)) ] || fail "the file has no $readers chunks that are no neighbours"
# The base of `stuck` lies behind another daemon, which is then stopped in its tracks.
mkdir far farview && cp -r other/base far/base && cp -r other/tune stuck
start_daemon far farview
first=$daemon first_pid=$(daemon_pid)
deltafsctl base add --by-reference store farview/base/model.safetensors >said 2>&1 || fail "base add: $(cat said)"
cp -r stuck store/stuck && deltafsctl encode store/stuck/model.safetensors >said 2>&1 || fail "encode: $(cat said)"
cp orig/tune/model.safetensors store/alone && deltafsctl encode store/alone >/dev/null
start_daemon store mnt
timeout 20 cmp mnt/stuck/model.safetensors other/tune/model.safetensors || fail "the base by reference does not work"
evict mnt/stuck/model.safetensors mnt/tune/model.safetensors mnt/alone mnt/base/model.safetensors
evict farview/base/model.safetensors
kill -STOP "$first_pid"
at_end "kill -CONT $first_pid 2>/dev/null; kill $first_pid 2>/dev/null"
pids=()
for ((i = 0; i < readers; i++)); do
	dd if=mnt/stuck/model.safetensors of=/dev/null bs=4k count=1 iflag=skip_bytes skip=$((i * step)) 2>/dev/null &
	pids+=($!)
done
sleep 1
waiting=$(jobs -r | grep -c 'dd if')
[ "$waiting" -gt $((readers / 2)) ] || fail "only $waiting readers are stuck: the test proves nothing"
for pid in "${pids[@]:0:$((readers / 4))}"; do kill -KILL "$pid"; done
timeout 30 ls -lR mnt >/dev/null || fail "listing waits for a base that hangs"
timeout 30 stat mnt/stuck/model.safetensors >/dev/null || fail "stat waits for a base that hangs"
timeout 30 cmp mnt/base/model.safetensors orig/base/model.safetensors || fail "a plain file waits for a base that hangs"
timeout 30 cmp mnt/alone orig/tune/model.safetensors || fail "another container waits for a base that hangs"
timeout 30 cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "a container with another base waits"
[ "$(jobs -r | grep -c 'dd if')" -gt $((readers / 4)) ] || fail "the base did not hang for as long as it should"
threads() { ls "/proc/$(daemon_pid)/task" | grep -c .; }
# What was started while the CPUs were busy goes after some seconds; what waits for the base stays.
few_threads() { [ "$(threads)" -lt 64 ]; }
retry 15 few_threads || fail "$(threads) threads"
kill -CONT "$first_pid"
wait "${pids[@]}" 2>/dev/null
retry 20 cmp -s mnt/stuck/model.safetensors other/tune/model.safetensors || fail "does not come back"
alive
stop_daemon mnt
daemon=$first
stop_daemon farview
