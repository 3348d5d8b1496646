#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# no_room: examples/quickstart.sh on a disk that is too small says so, before it begins, and leaves nothing.
. "$(dirname "$0")/../lib/test.sh"

[ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=20M none small || skip "mounting a small disk needs root"
export TMPDIR=$PWD/small
expect_fail 1 'small has [0-9]+ MiB free, 500 are needed; TMPDIR' "$DFS_SRC/examples/quickstart.sh"
[ -z "$(ls -A small)" ] || fail "left behind: $(ls -A small)"
