#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# opened_published: promises 2 and 5, who opens a file just when its container takes its place reads the file, and never what is stored of it.
# test: timeout=300 nosan
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

need strace
small_pair
start_daemon store mnt -o rw,quiet=0
# Between what the daemon knows of a file and what it then opens lies the time that it takes to publish one.
attach -e trace=openat,openat2 -e inject=openat,openat2:delay_enter=3000
mkdir mnt/d
cp "$tune" mnt/d/f
mkfifo stop
python3 "$ADVERSARY/opened_published.py" mnt/d/f "$tune" <stop >looked 2>&1 &
looker=$!
exec 6>stop
for round in $(seq 40); do
	cp "$tune" mnt/d/.tmp && mv mnt/d/.tmp mnt/d/f
	settle
	kill -0 $looker 2>/dev/null || fail "round $round: $(cat looked)"
done
exec 6>&-
wait $looker || fail "$(cat looked)"
cat looked
kill $tracer && wait $tracer 2>/dev/null
for what in plain container; do grep -q "'$what'" looked || fail "it was never open as $what"; done
exact mnt/d/f
still_alive
stop_daemon mnt
