#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# capabilities: once mounted, a daemon of root has given up the rights that it does without, in each thread, and everything still works
# test: root userns
. "$(dirname "$0")/common.sh"
need setfattr

# Bits of linux/capability.h.
chown=0 dac_override=1 dac_read_search=2 fowner=3 fsetid=4 setgid=6 setuid=7 sys_admin=21 mknod=27
bits() { local mask=0 bit; for bit; do mask=$((mask | 1 << bit)); done; printf '%016x' "$mask"; }
work=$(bits $chown $dac_override $fowner $fsetid $setgid $setuid $mknod)
may=$(bits $chown $dac_override $fowner $fsetid $setgid $setuid $mknod $sys_admin $dac_read_search)
[ "$(awk '/CapPrm/ { print $2 }' /proc/self/status)" != "$may" ] || fail "this test has no more rights than are kept: it shows nothing"

make_store --params 300000 --seed 15
cp store/tune/model.safetensors store/unmarked.safetensors
if is_root; then setfattr -n trusted.note -v theirs store/base/model.safetensors; fi
for options in "" "-s"; do
	# shellcheck disable=SC2086
	start_daemon store mnt $options
	pid=$(daemon_pid)
	cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "bytes"
	cmp mnt/unmarked.safetensors orig/tune/model.safetensors || fail "bytes of a copy"
	threads=0
	for task in /proc/"$pid"/task/*/status; do
		set -- $(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { print $2 }' "$task")
		[ $# = 5 ] || [ -e "$task" ] || continue	# a thread that has ended since
		[ "$1 $5" = "0000000000000000 0000000000000000" ] || fail "$task: inherited $1, ambient $5"
		[ "$2" = "$may" ] || fail "$task: permitted $2, not $may"
		[ "$3" = "$work" ] || fail "$task: effective $3, not $work"
		[ "$4" = "$may" ] || fail "$task: bounding set $4, not $may"
		grep -q '^NoNewPrivs:[[:space:]]1' "$task" || fail "$task: may still gain rights"
		threads=$((threads + 1))
	done
	[ "$threads" -gt 2 ] || fail "only $threads threads were looked at"
	echo "$threads threads"

	# What takes a right for a moment: trusted.* to see, and unmounting, below.
	if is_root; then
		[ "$(getfattr --only-values -n trusted.note mnt/base/model.safetensors)" = theirs ] || fail "trusted.* is not shown"
		getfattr -dm - mnt/base/model.safetensors | grep -q trusted.note || fail "trusted.* is not listed"
		getfattr -dm - mnt/tune/model.safetensors | grep -q trusted.deltafs && fail "the mark is shown"
	fi
	[ "$(told state mnt/tune/model.safetensors)" = container ] || fail "its state: $(told state mnt/tune/model.safetensors)"
	kill "$pid"
	wait "$daemon" || fail "SIGTERM: status $?"
	is_mounted mnt && fail "the daemon cannot unmount"
done
exit 0
