#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cancelled: who writes to a file that is being compressed ends that at once, at whatever step; and what he wrote is there
# test: serial timeout=300 root nosan
. "$(dirname "$0")/common.sh"

"$DFS_BUILD/tests/tools/make_pair" --params 60000000 --hidden 1024 --vocab 4096 --seed 83 orig >/dev/null || fail "make_pair"
mkdir store mnt
cp -r orig/base store/
deltafsctl base add store store/base >said 2>&1 || fail "base add: $(cat said)"
start_daemon store mnt -o rw,quiet=0
cp orig/tune/model.safetensors mnt/model.safetensors
python3 "$DFS_SRC/tests/bench/cancel.py" mnt model.safetensors 6 >took || fail "not cancelled: $(tail -3 "$log")"
[ "$(wc -l <took)" = 6 ] || fail "took: $(cat took)"
worst=$(sort -n took | tail -n 1)
# The figure is 100 ms; ten times that is asserted.
awk -v worst="$worst" 'BEGIN { exit !(worst < 1000) }' || fail "an encode went on for $worst ms"
cmp mnt/model.safetensors orig/tune/model.safetensors || fail "bytes"
is_container() { [ "$(told state mnt/model.safetensors)" = container ]; }
retry 120 is_container || fail "not compressed in the end: $(tail -3 "$log")"
cmp mnt/model.safetensors orig/tune/model.safetensors || fail "bytes, compressed"
stop_daemon mnt
echo "at most $worst ms"
