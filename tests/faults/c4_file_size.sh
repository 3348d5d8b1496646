#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C4: a limit on the size of files: EFBIG, and the daemon lives.
# test: timeout=120 root
. "$(dirname "$0")/common.sh"

make_base --params 300000 --hidden 256 --vocab 512 --seed 281
start_rw
put "$original" f && becomes_coded f || fail "put"
stop_daemon mnt
sum=$(sha256sum <store/f)

cp "$original" store/behind
start_rw "" "prlimit --fsize=1048576"
n=0
too_large() { expect_fail any 'File too large' "$@"; n=$((n + 1)); }
too_large dd if="$original" of=mnt/new bs=64K conv=fsync status=none
too_large truncate -s 2M mnt/new
too_large fallocate -l 2M mnt/new
too_large sh -c 'echo x >>mnt/f'
too_large truncate -s 2M mnt/f
[ "$(sha256sum <store/f)" = "$sum" ] || fail "the container was touched"
kill -0 "$(daemon_pid)" || fail "the daemon is dead"
head -c 100000 "$original" >small
put small small || fail "a small file"
touch mnt/behind && echo x | dd of=mnt/behind bs=1 conv=notrunc status=none || fail "write inside"
promises_hold "with the limit"
is_tidy "with the limit"
stop_daemon mnt
every_container_verifies "in the end"
faults_fired "$n" 5
