#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fsck: a store in use is checked and not repaired; what a kill -9 leaves is told and taken away; fsck(8) finds the program.
# test: timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
need strace

make_store --params 200000 --hidden 128 --vocab 256 --seed 31
cp orig/tune/model.safetensors store/second.safetensors
coded=store/tune/model.safetensors

# checks STATUS PATTERN OPTION...
checks() {
	local want=$1 pattern=$2 status=0
	shift 2
	fsck.deltafs "$@" >said 2>&1 || status=$?
	[ $status = "$want" ] || fail "fsck.deltafs $*: exit status $status, not $want: $(cat said)"
	grep -Eq -- "$pattern" said || fail "fsck.deltafs $*: nothing like '$pattern': $(cat said)"
}

# Mounted for writing: looked at, also through the mount, and left alone.
start_daemon store mnt -o rw,noingest
flip "$coded" 100
sum=$(sha256sum <"$coded")
checks 4 'superblock at the head is damaged; -p repairs it' store
checks 4 'superblock at the head is damaged; -p repairs it' -n -f mnt
for option in -p -a -y; do
	checks 8 "cannot repair: .*mounted on .*/mnt" $option store
	checks 8 "cannot repair: .*mounted on .*/mnt" $option mnt
done
[ "$(sha256sum <"$coded")" = "$sum" ] || fail "a repair that was refused changed the file"
stop_daemon mnt
checks 1 'written anew' -p store
checks 0 ': clean' store

# Mounted for reading only: nobody else writes, so it may.
start_daemon store mnt
flip "$coded" 100
checks 1 'written anew' -p store
cmp "mnt/tune/model.safetensors" orig/tune/model.safetensors || fail "other bytes through the mount"
stop_daemon mnt

# A daemon that writes files there: what is in work is no finding.
start_daemon store mnt -o rw,quiet=0
for i in 1 2 3 4 5 6; do
	cp orig/tune/model.safetensors mnt/new$i
	checks 0 ': clean' store
done
deltafsctl wait mnt >/dev/null || fail "wait"
checks 0 ': clean' -f store
stop_daemon mnt
checks 0 ': clean' -f store
rm store/new*

# A line of one journal makes no sense in the other, right as its check is.
[ -s store/.deltafs/pending ] || fail "nothing waited: this test is wrong"
tail -n 1 store/.deltafs/pending >>store/.deltafs/reasons
before=$(head -n -1 store/.deltafs/reasons)
checks 4 'reasons: 1 damaged line; -p repairs it' store
checks 1 'reasons: 1 damaged line; written anew' -p store
[ "$(cat store/.deltafs/reasons)" = "$before" ] || [ "$(tail -n +2 store/.deltafs/reasons)" = "$before" ] || fail "other lines are gone"

# kill -9 at each step of a publish: at most a temporary is found, and what is shown is what it was.
fired=0 found=0
for call in openat2 pwrite64 fsync fsetxattr renameat renameat2; do
	for k in 1 2 3 5 8; do
		(strace -f -o trace -e trace=$call -e inject=$call:signal=SIGKILL:when=$k \
			deltafsctl encode store/second.safetensors) >said 2>&1
		grep -q 'killed by SIGKILL' trace || break
		fired=$((fired + 1))
		status=0
		fsck.deltafs store >said || status=$?
		[ $status = 0 ] || { [ $status = 4 ] && ! grep -v '/tmp/.*: left by a crash; -p repairs it$\|^store: ' said; } ||
			fail "$call $k: exit status $status: $(cat said)"
		[ $status = 0 ] || found=$((found + 1))
		checks $((status / 4)) '^store: ' -p -f store
		checks 0 ': clean' -f store
		[ -z "$(ls -A store/.deltafs/tmp)" ] || fail "$call $k: left behind: $(ls store/.deltafs/tmp)"
		deltafsctl decode store/second.safetensors -o back >/dev/null 2>&1 || cp store/second.safetensors back
		cmp back orig/tune/model.safetensors || fail "$call $k: other bytes"
		rm back store/second.safetensors && cp orig/tune/model.safetensors store/second.safetensors
	done
done
[ $fired -ge 10 ] && [ $found -ge 3 ] || fail "only $fired kills, $found of them left something: this test is wrong"

# Interrupted, it says so.
status=0
strace -f -o trace -e trace=pread64 -e inject=pread64:signal=SIGINT:when=20 fsck.deltafs -f store >said 2>&1 || status=$?
[ $status = 32 ] || fail "interrupted: exit status $status: $(cat said)"

# By fsck(8), as fstab has it.
if command -v fsck >/dev/null && fsck --version 2>/dev/null | grep -q util-linux; then
	flip "$coded" 100
	fsck -T -t deltafs -a "$PWD/store" >said 2>&1
	[ $? = 1 ] || fail "fsck -t deltafs: $(cat said)"
	grep -q 'written anew' said || fail "fsck -t deltafs: $(cat said)"
fi
