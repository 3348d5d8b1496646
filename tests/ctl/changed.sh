#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# changed: a file that is written to while it is encoded keeps what was written.
# test: nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need strace
learn_magic

make_pair --params 2000000 --seed 41 p
mkdir S
cp -r p/base S/
run deltafsctl base add S S/base

# during HOW COMMAND...: encode slowly, and do it while that is under way.
during() {
	local how=$1 encode status=0
	rm -f trace
	shift
	cp p/tune/model.safetensors S/x
	cp S/x want
	strace -f -o trace -e trace=pwrite64 -e inject=pwrite64:delay_enter=200000 \
		deltafsctl encode --threads 1 S/x >said 2>&1 &
	encode=$!
	retry 20 grep -Eqs "pwrite64.*, 256( |\))" trace || fail "$how: the encode did not come to write"
	"$@" S/x
	"$@" want
	wait $encode || status=$?
	[ $status = 1 ] || fail "$how: exit status $status: $(cat said)"
	grep -Eq 'changed while|Stale|open for writing|no longer' said || fail "$how: $(cat said)"
	same S/x want
	is_container S/x && fail "$how: it was published"
	clean S
}

append() { echo more >>"$1"; }
overwrite() { printf XXXX | dd of="$1" bs=1 seek=70000 conv=notrunc status=none; }
shorten() { truncate -s 100000 "$1"; }
replace() { echo another >"$1.new" && mv "$1.new" "$1"; }
during append append
during overwrite overwrite
during shorten shorten
during replace replace

# Somebody holds it open for writing: he may write at any time.
cp p/tune/model.safetensors S/x
exec 3>>S/x
expect_fail 1 'open for writing' deltafsctl encode S/x
exec 3>&-
same S/x p/tune/model.safetensors
run deltafsctl encode S/x
is_container S/x || fail "not compressed in the end"
