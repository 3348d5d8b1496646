#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# read_whole: promises 2 and 5, a lossy publish is a save by rename-over: who has the file open or mapped reads the old bytes, whole, by read, mapping, sendfile, splice and copy; later opens get the new ones, whole; while files are published, reverted, renamed, exchanged and removed, and the daemon is killed.
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

small_pair
python3 - <<'PY' || fail "make another tune"
import lossy_pairs
tensors = lossy_pairs.load("orig/tune.safetensors")[0]
for name, (dtype, shape, data) in tensors.items():
    tensors[name] = dtype, shape, bytes(byte ^ (at % 8 == 0) for at, byte in enumerate(data))
lossy_pairs.save("orig/other.safetensors", tensors)
PY
other=$PWD/orig/other.safetensors
start_daemon store mnt -o rw,quiet=0
mkdir mnt/d
policy mnt/d codec=bitdelta keep=manual
# What becomes of both, once and for all.
for name in tune other; do
	cp orig/$name.safetensors mnt/d/f && settle && lossy mnt/d/f orig/$name.safetensors && cp mnt/d/f lossy.$name && rm mnt/d/f
done
mkfifo stop
watch() {
	python3 "$ADVERSARY/read_whole.py" mnt/d/f "$tune" "$other" lossy.tune lossy.other <stop >watched 2>&1 &
	watcher=$!
	exec 6>stop
}
watched() {
	exec 6>&-
	wait $watcher || fail "$1: $(cat watched)"
	echo "$1: $(cat watched)"
	for what in 'version 0, replaced' 'version 2' 'version 3'; do
		grep -q "$what" watched || fail "$1: nobody saw '$what': $(cat watched)"
	done
}

# put FILE: it is saved as programs do it, so that no half of it is ever there.
put() { cp "$1" mnt/d/.tmp && mv mnt/d/.tmp mnt/d/f; }
# rests: it is published. Where put's rename met that, the kernel believes for a second that the name leads to the old file.
rests() { settle && retry 3 eval '[ "$(told exact mnt/d/f)" = 0 ]'; }
put "$tune"
watch
for round in 1 2 3; do
	put "$tune" && rests && lossy mnt/d/f
	put "$other" && rests && lossy mnt/d/f "$other"
	deltafsctl revert mnt/d/f >said 2>&1 || fail "revert: $(cat said)"
	put "$tune" && mv mnt/d/f mnt/d/g && mv mnt/d/g mnt/d/f && rests && lossy mnt/d/f
	put "$other" && cp "$tune" mnt/d/h && python3 -c 'import ctypes
assert ctypes.CDLL(None).renameat2(-100, b"mnt/d/f", -100, b"mnt/d/h", 2) == 0' && rests && lossy mnt/d/f && lossy mnt/d/h "$other"
	kill -0 $watcher 2>/dev/null || fail "round $round: $(cat watched)"
done
watched "published"

# A name that is gone meanwhile does not come back, and a second name keeps the bytes that it had.
policy mnt/d quiet=600
cp "$tune" mnt/d/gone && cp "$tune" mnt/d/linked && ln mnt/d/linked mnt/d/link2
exec 5<mnt/d/gone
policy mnt/d quiet=0
rm mnt/d/gone
settle
[ ! -e mnt/d/gone ] && cmp -s /dev/fd/5 "$tune" || fail "a file that was removed while it waited"
exec 5<&-
plain mnt/d/linked && plain mnt/d/link2

# Killed at any time: old or new, whole. It may be published between two questions.
old_or_new() {
	local exact try
	for try in 1 2 3; do
		exact=$(told exact mnt/d/f)
		cmp mnt/d/f "$([ "$exact" = 1 ] && echo "$other" || echo lossy.other)" && return
		[ "$(told exact mnt/d/f)" != "$exact" ] || fail "$1: exact=$exact, and other bytes"
	done
	fail "$1: it goes on changing"
}
put "$tune"
for round in 1 2 3 4; do
	put "$other"
	sleep 0.0$((RANDOM % 10))
	kill -9 "$daemon"; wait "$daemon" 2>/dev/null; umount -l mnt
	start_daemon store mnt -o rw,quiet=0
	old_or_new "round $round"
done
settle
lossy mnt/d/f "$other" && cmp mnt/d/f lossy.other || fail "it did not become what it should"
nothing_in_tmp() { [ -z "$(ls -A store/.deltafs/tmp)" ]; }
retry 10 nothing_in_tmp || fail "left behind: $(ls -l store/.deltafs/tmp)"
# Of files that were removed just before a kill the originals go too, a moment after the next start.
two_kept() { [ "$(find store/.deltafs/kept -name '*.record' | wc -l)" = 2 ]; }
retry 10 two_kept || fail "kept of d/f and d/h: $(ls -l store/.deltafs/kept)"
still_alive
stop_daemon mnt
fsck.deltafs -f store >said 2>&1 || fail "fsck: $(cat said)"
