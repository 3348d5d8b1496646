#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# renamed_at_rest: promise 8, what shrinks does not stay plain: no file is missed that is closed, renamed, exchanged or moved with its directory just when its turn is, and the daemon is slow to notice.
# test: timeout=300 nosan
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

need strace
small_pair
start_daemon store mnt -o rw,quiet=0
# Between a rename(2) in the store and what the daemon makes of it lies all the time in the world, and who looks for a file comes late.
attach -e trace=renameat,renameat2,openat2 -e inject=renameat,renameat2:delay_exit=20000 -e inject=openat2:delay_enter=1500
mkdir mnt/d
timeout -s KILL 120 python3 "$ADVERSARY/renamed_at_rest.py" mnt/d "$tune" >moved 2>&1 || fail "$(cat moved): $(tail -3 "$log")"
cat moved
kill $tracer && wait $tracer 2>/dev/null
grep -q DELAYED trace || fail "no rename was slow"
settle
find mnt/d -type f >files
while read -r file; do exact "$file"; done <files
[ "$(wc -l <files)" = 72 ] || fail "not all are there: $(wc -l <files)"
still_alive
stop_daemon mnt
