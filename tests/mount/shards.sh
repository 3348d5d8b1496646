#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shards: a model of several files is compressed when all are there; who keeps a file open is named
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"	# run, size, member

is() { [ "$(told state "mnt/$1")" = "$2" ]; }
because() { told reason "mnt/$1" | grep -Eq "^$2"; }
waits() { retry 30 because "$1" "$2" || fail "$1: '$(told reason "mnt/$1")', not '$2': $(cat "$log")"; }
shard() { echo "m/model-0000$1-of-00004.safetensors"; }
all_coded() { for i in 1 2 3 4; do is "$(shard $i)" container || return 1; done; }

"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --hidden 128 --moved 0.01 --shards 4 pair >/dev/null || fail make_pair
mkdir -p store mnt
cp -r pair/base store/base
run deltafsctl base add store store/base
start_daemon store mnt -o rw,quiet=1
mkdir mnt/m
for i in 1 2; do cp "pair/tune/model-0000$i-of-00004.safetensors" mnt/m/; done
waits "$(shard 1)" 'waiting for shards (2,)?3,4; copy them in'
waits "$(shard 2)" 'waiting for shards 3,4'
run deltafsctl status mnt
grep -q 'm/model-00002-of-00004.safetensors: waiting for shards 3,4' said || fail "status: $(cat said)"
expect_fail 1 'waiting for shards 3,4' deltafsctl wait --timeout 0 "mnt/$(shard 2)"
[ "$(told reason_word "mnt/$(shard 1)")" = shards ] || fail "word: $(told reason_word "mnt/$(shard 1)")"

# --- one is being written: by whom is told, and the others wait on
exec 5>"mnt/$(shard 3)"
head -c $(($(size pair/tune/model-00003-of-00004.safetensors) / 2)) pair/tune/model-00003-of-00004.safetensors >&5
cp pair/tune/model-00004-of-00004.safetensors mnt/m/
waits "$(shard 4)" 'waiting for shards 3;'
because "$(shard 3)" "still open by pid $$; close it" || fail "who has it open: $(told reason "mnt/$(shard 3)"), not $$"
is "$(shard 1)" plain || fail "compressed while another is written"
# After a restart they wait on.
exec 5>&-
waits "$(shard 3)" 'not complete'
stop_daemon mnt
start_daemon store mnt -o rw,quiet=1
waits "$(shard 1)" 'waiting for shards 3;'
is "$(shard 1)" plain && is "$(shard 4)" plain || fail "compressed while another is half there"

# --- and then all of them
cp pair/tune/model-00003-of-00004.safetensors mnt/m/
retry 120 all_coded || fail "not all are compressed: $(cat "$log")"
for i in 1 2 3 4; do cmp "pair/tune/model-0000$i-of-00004.safetensors" "mnt/$(shard $i)" || fail "bytes of $i"; done

# --- by name it does not wait
mkdir mnt/alone
cp pair/tune/model-00001-of-00004.safetensors mnt/alone/
waits alone/model-00001-of-00004.safetensors 'waiting for shards 2,3,4'
run deltafsctl encode mnt/alone/model-00001-of-00004.safetensors
is alone/model-00001-of-00004.safetensors container || fail "encode of one shard: $(cat said)"

# --- open for writing by one who has not written yet
cp pair/tune/model-00002-of-00004.safetensors mnt/single.safetensors
exec 6<>mnt/single.safetensors
waits single.safetensors "still open by pid $$"
exec 6>&-
retry 200 is single.safetensors container || fail "closed, and $(told reason mnt/single.safetensors)"
stop_daemon mnt
