#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# base_not_itself: promises 1 and 6, nothing is coded against a base that is not what it is known by: it was altered behind the mount, or is written to through it while files are compressed.
# test: timeout=240
. "$(dirname "$0")/common.sh"

given_pair
cp -a store given
compressed() { [ "$(getfattr --only-values -n user.deltafs.state "$1" 2>/dev/null)" = container ]; }
settled() { compressed "$1" || grep -Eq "$(basename "$(dirname "$1")")/.*(stays as it is|later)" "$log"; }

# Altered, then put right again: what came meanwhile must not need the altered one.
start_daemon store mnt -o rw,quiet=0
python3 - store/base/model.safetensors <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
size = os.fstat(fd).st_size
for at in range(8192, size - 64, 4096):
    os.pwrite(fd, bytes(64), at)
PY
mkdir mnt/new && cp orig/tune/model.safetensors mnt/new/
retry 60 settled mnt/new/model.safetensors || echo "not looked at within a minute"
stop_daemon mnt
cat orig/base/model.safetensors >store/base/model.safetensors
start_daemon store mnt
cmp mnt/new/model.safetensors orig/tune/model.safetensors || fail "coded against an altered base, and lost: $(tail -3 "$log")"
stop_daemon mnt

# Written to while eight files arrive.
for round in 1 2 3; do
	rm -rf store && cp -a given store
	start_daemon store mnt -o rw,quiet=0
	for i in 1 2 3 4; do mkdir "mnt/$i" && cp orig/tune/model.safetensors "mnt/$i/"; done
	sleep "0.$round"
	timeout 60 python3 - <<'PY' || fail "the base cannot be written to"
import os, time
fd, end = os.open("mnt/base/model.safetensors", os.O_RDWR), time.monotonic() + 3
size, at = os.fstat(fd).st_size, 0
while time.monotonic() < end:
    at += os.pwrite(fd, os.urandom(4096), at * 17 % (size - 4096))
    os.fsync(fd)
PY
	for i in 5 6 7 8; do mkdir "mnt/$i" && cp orig/tune/model.safetensors "mnt/$i/"; done
	for i in 1 2 3 4 5 6 7 8; do cmp "mnt/$i/model.safetensors" orig/tune/model.safetensors || fail "$i before the remount"; done
	stop_daemon mnt
	start_daemon store mnt
	for i in 1 2 3 4 5 6 7 8; do cmp "mnt/$i/model.safetensors" orig/tune/model.safetensors || fail "$i is lost: $(tail -3 "$log")"; done
	stop_daemon mnt
done
