#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# interrupt: Ctrl-C ends an encode at once, and leaves everything as it was.
# test: nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need strace
learn_magic

make_pair --params 4000000 --seed 61 p
mkdir S out
cp -r p/base p/tune S/
run deltafsctl base add S S/base

# interrupted SIGNAL ARGUMENT...: deltafsctl, made slow, gets SIGNAL while it writes.
interrupted() {
	local signal=$1 child status=0 strace
	shift
	rm -f trace
	strace -f -o trace -e trace=pwrite64 -e inject=pwrite64:delay_enter=100000 deltafsctl "$@" >said 2>&1 &
	strace=$!
	retry 20 grep -Eqs 'pwrite64.*, 256( |\))' trace || fail "$*: nothing was written"
	child=$(pgrep -P $strace -x deltafsctl) || fail "$*: over already"
	kill -"$signal" "$child"
	wait $strace || status=$?
	[ $status = 1 ] || fail "$*: exit status $status after $signal: $(cat said)"
	grep -q interrupted said || fail "$*: said $(cat said)"
}

interrupted INT encode --threads 1 S/tune/model.safetensors
same S/tune/model.safetensors p/tune/model.safetensors
clean S
interrupted TERM encode --threads 1 --base p/base p/tune/model.safetensors -o out/x
[ -z "$(ls -A out)" ] || fail "left behind: $(ls -A out)"
# OUT that is there already stays what it was.
echo old >out/x
interrupted HUP encode --threads 1 --base p/base p/tune/model.safetensors -o out/x
[ "$(cat out/x)" = old ] && [ "$(ls -A out)" = x ] || fail "out holds $(ls -A out)"
run deltafsctl encode S/tune/model.safetensors
is_container S/tune/model.safetensors || fail "not compressed in the end"

# The look for low bits that no value uses goes through all of a tensor of zeros.
python3 - S/zeros.safetensors <<'END'
import struct, sys
values = 1 << 38
header = b'{"a":{"dtype":"BF16","shape":[%d],"data_offsets":[0,%d]}}' % (values, 2 * values)
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<Q", len(header)) + header)
    f.truncate(8 + len(header) + 2 * values)
END
status=0
timeout -s INT 1 deltafsctl encode S/zeros.safetensors >said 2>&1 & waiter=$!
for ((i = 0; i < 110; i++)); do
	kill -0 $waiter 2>/dev/null || break
	sleep 0.1
done
kill -0 $waiter 2>/dev/null && { pkill -KILL -P $waiter; fail "goes on 10 s after SIGINT"; }
wait $waiter || status=$?
[ $status = 124 ] || fail "exit status $status after SIGINT: $(cat said)"
grep -q interrupted said || fail "said $(cat said)"
clean S
