#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# selftest: the exercisers find each of many small lies of a file system, and what another process does
# test: root timeout=300 nosan
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || skip "mounts file systems"
[ -z "$DFS_SAN" ] || skip "what is preloaded comes before the sanitizer"

on_tmpfs tmpfs

# reported WHAT: the seed, the number of the operation and what was wrong with it.
reported() {
	local report
	report=$(grep -am1 ': seed [0-9]*: operation [0-9]*: ' run.log) || fail "$1: no report: $(cat run.log)"
	echo "$1: $report"
}

# lies FAULT EVERY PROGRAM OPTION... WHERE: it ends with a report, and the fault is why.
lies() {
	local fault=$1 every=$2 status=0
	shift 2
	EXERCISER_FAULT=$fault EXERCISER_EVERY=$every LD_PRELOAD=$exercisers/faulty.so \
		"$exercisers/$1" "${@:2}" >run.log 2>&1 || status=$?
	grep -q "^fault fired: $fault" run.log || fail "$fault: never fired: $(tail -3 run.log)"
	[ "$status" = 1 ] || fail "$fault: $*: exit status $status, not 1: $(tail -3 run.log)"
	reported "$fault"
	rm -rf tmpfs/*
}

while read -r fault every; do
	lies "$fault" "$every" file_exerciser -s 1 -n 20000 tmpfs/file
done <<-END
	pread 1000
	pwrite 100
	write 100
	ftruncate 50
	truncate 20
	punch 50
	copy 50
	private 20
	append 10
	trunc 2
	hole 50
	unlink 1
END
while read -r fault every; do
	lies "$fault" "$every" tree_exerciser -s 1 -n 20000 tmpfs
done <<-END
	pread 1000
	pwrite 1000
	write 100
	truncate 50
	chmod 50
	utimens 20
	setxattr 50
	unlink 100
	flock 1
	append 20
	trunc 10
	excl 20
	exchange 10
	noreplace 10
	listing 1000
END
while read -r fault every; do
	lies "$fault" "$every" stripes_exerciser -s 1 tmpfs/file
done <<-END
	pread 50
	pwrite 100
	write 5
	punch 5
	copy 5
	private 1
END

# What another process changes: $victim is a file of process 0.
victim() { victim=$(find tmpfs/own-0 -type f -size +0 2>/dev/null | head -1) && [ -n "$victim" ]; }
flip() { printf '\0' | dd of="$1" bs=1 conv=notrunc status=none && printf '\1' | dd of="$1" bs=1 seek=1 conv=notrunc status=none; }
quiet_flip() { local was; was=$(stat -c %y "$1") && flip "$1" && touch -c -d "$was" "$1"; }
change_byte() { victim && quiet_flip "$victim"; }
change_mode() { victim && chmod 0611 "$victim"; }
change_time() { victim && touch -c "$victim"; }
change_name() { victim && mv "$victim" "$victim.another"; }
change_attribute() { victim && setfattr -n user.exerciser.0 -v other "$victim"; }
change_listing() { mkdir "tmpfs/own-0/b" || : >"tmpfs/own-0/stranger"; }
change_shared() { local version; for version in tmpfs/shared/s?; do flip "$version"; done; }

at_end '[ -z "${meddled:-}" ] || kill "$meddled"'

# meddles CHANGE: over and over until the exerciser has ended.
meddles() {
	local status=0
	"$exercisers/tree_exerciser" -s 1 -p 2 -n 100000 tmpfs >run.log 2>&1 &
	meddled=$!
	while kill -0 "$meddled" 2>/dev/null; do
		"$1" 2>/dev/null
	done
	wait "$meddled" || status=$?
	meddled=
	[ "$status" = 1 ] || fail "$1: exit status $status, not 1: $(tail -3 run.log)"
	reported "$1"
	rm -rf tmpfs/*
}
for change in change_byte change_mode change_time change_name change_attribute change_listing change_shared; do
	meddles "$change"
done
