#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# control_bases_killed: the daemon is killed, or unmounted, while it adds, removes and uses bases: the store is sound, and it can be done again
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"

make_store --params 2000000 --hidden 256 --seed 96
tune=orig/tune/model.safetensors
base=$(deltafsctl base list --json store | python3 -c 'import json,sys; print(json.load(sys.stdin)["bases"][0]["id"])')
for i in 1 2 3; do
	cp orig/base/model.safetensors base-$i.safetensors
	flip base-$i.safetensors $(($(size base-$i.safetensors) - 9)) $i
done

# sound: what is there decodes, bases are there or not, and nothing depends on one that is not.
sound() {
	run deltafsctl verify -r store
	deltafsctl base list store >list 2>&1 || fail "base list: $(cat list)"
	grep -q MISSING list && fail "a base without its files: $(cat list)"
	for file in store/*.safetensors store/tune/model.safetensors; do
		rm -f back
		[ ! -e "$file" ] || { run deltafsctl decode "$file" -o back; cmp -s back "$tune" || cmp back "base-${file//[!0-9]/}.safetensors" || fail "$file"; }
	done
}
# killed SECONDS HOW COMMAND...: in the middle of it, or after; counts those whose client was told.
middle=0
killed() {
	local seconds=$1 how=$2 client
	shift 2
	start_daemon store mnt -o rw,quiet=1
	"$@" >client 2>&1 &
	client=$!
	sleep "$seconds"
	if [ "$how" = kill ]; then kill -9 "$(daemon_pid)"; else umount -l mnt 2>/dev/null || fusermount3 -u -z mnt; fi
	wait $client || middle=$((middle + 1))
	grep -q 'signal\|corrupt\|assert' client && fail "$*: $(cat client)"
	{ wait "$daemon"; } 2>/dev/null
	! is_mounted mnt || umount -l mnt 2>/dev/null || fusermount3 -u -z mnt
	sound
}

for how in kill unmount; do
	for seconds in 0.01 0.04 0.1; do
		killed $seconds $how deltafsctl base add mnt base-1.safetensors base-2.safetensors base-3.safetensors
	done
	run deltafsctl base add store base-1.safetensors base-2.safetensors base-3.safetensors
	for seconds in 0.02 0.1 0.2; do
		cp "$tune" store/a.safetensors
		killed $seconds $how deltafsctl encode --base base-2.safetensors mnt/a.safetensors
		rm store/a.safetensors
	done
	cp "$tune" store/b.safetensors
	run deltafsctl encode --base base-3.safetensors store/b.safetensors
	for seconds in 0.03 0.1 0.25; do
		killed $seconds $how deltafsctl base remove --thaw mnt base-3.safetensors
		[ $seconds = 0.25 ] || deltafsctl encode --base base-3.safetensors store/b.safetensors >said 2>&1
	done
	run deltafsctl decode store/b.safetensors
	for i in 1 2 3; do deltafsctl base remove store base-$i.safetensors >said 2>&1; done
done
[ "$middle" -gt 3 ] || fail "only $middle commands were cut short: this proves nothing"
grep -q "$base" list || fail "the base that nobody touched is gone: $(cat list)"
clean store
