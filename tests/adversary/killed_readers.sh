#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# killed_readers: promises 7 and 9: a thousand readers are killed in the middle; no thread, descriptor or memory is left of them.
# test: timeout=120 nosan
. "$(dirname "$0")/common.sh"

given_pair
start_daemon store mnt -o cache=8M
read_kinds() {
	case $(($1 % 4)) in
	0) exec cat mnt/tune/model.safetensors ;;
	1) exec dd if=mnt/tune/model.safetensors bs=64k iflag=direct status=none ;;
	2) exec python3 -c 'import mmap, os
f = os.open("mnt/tune/model.safetensors", os.O_RDONLY)
sum(mmap.mmap(f, 0, prot=mmap.PROT_READ)[::512])' ;;
	3) exec sha256sum mnt/tune/model.safetensors mnt/base/model.safetensors ;;
	esac
}
cat mnt/tune/model.safetensors >/dev/null
fds=$(descriptors) threads=$(find "/proc/$(daemon_pid)/task" -mindepth 1 -maxdepth 1 | wc -l) before=$(resident)
for ((i = 0; i < 1000; i++)); do
	((i % 10)) || evict mnt/tune/model.safetensors mnt/base/model.safetensors
	read_kinds "$i" >/dev/null 2>&1 &
	pid=$!
	((i % 3)) || sleep 0.00$((RANDOM % 10))
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
done
retry 10 eval '[ "$(descriptors)" -le "$fds" ]' || fail "descriptors: $fds, then $(descriptors)"
# What was started while the CPUs were busy goes again some seconds after, and its memory with it.
few_threads() { [ "$(find "/proc/$(daemon_pid)/task" -mindepth 1 -maxdepth 1 | wc -l)" -le $((threads + 12)) ]; }
little_memory() { [ "$(resident)" -lt $((before + 16384)) ]; }
retry 20 few_threads || fail "threads: $threads, then more than 12 others"
retry 20 little_memory || fail "memory: $before KiB, then $(resident)"
echo "resident $before KiB before, $(resident) after"
cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "wrong bytes afterwards"
alive
stop_daemon mnt
