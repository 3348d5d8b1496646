#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C8, C9: under a writable mount the store turns read-only, or .deltafs goes, cannot be written, is of another version: all is read, no haste, clear words.
# test: timeout=600 root
. "$(dirname "$0")/common.sh"
need mkfs.ext4 chattr mksquashfs

make_base --params 60000 --hidden 64 --vocab 256 --seed 381
store_on_disk 64M
start_rw
put "$original" f && becomes_coded f || fail "put"
stop_daemon mnt
cp -a disk/store intact

n=0
quiet_log() { [ "$(grep -c . "$log")" -le "$1" ] || fail "$2: the log says too much: $(cat "$log")"; }

# C8: while files wait.
start_rw
for i in 1 2 3; do exec {open[i]}>"mnt/q$i" && cat "$original" >&"${open[i]}" && sync "mnt/q$i" mnt && promise "$original" "q$i"; done
for i in 1 2 3; do fd=${open[i]} && exec {fd}>&-; done
mount -o remount,abort disk 2>/dev/null # as ext4 does by itself after an error
! touch disk/probe 2>/dev/null || fail "the disk did not turn read-only"
promises_hold "read-only"
for change in "touch mnt/new" "sh -c 'echo x >>mnt/f'" "sh -c ': >mnt/f'" "mv mnt/f mnt/g" "rm -f mnt/f" "chmod 600 mnt/f" "ln mnt/f mnt/g" \
	"mkdir mnt/d" "truncate -s 5 mnt/base/model.safetensors"; do
	eval "expect_fail any 'Read-only|Input/output' $change"
	n=$((n + 1))
done
is_idle "read-only"
quiet_log 20 "read-only"
evict mnt/f
promises_hold "read-only, again"
umount mnt
wait "$daemon" || fail "read-only: ended with $?: $(cat "$log")"
umount disk && mount_image disk.img disk || fail "the disk itself"
start_rw
promises_hold "writable again"
put "$original" again && becomes_coded again || fail "ingest does not go on" # what waited may be forgotten, as by a power cut
promises_hold "compressed"
stop_daemon mnt
is_tidy "compressed"
rm -f store/q? store/again

# A store that can only be read, mounted to be written: read-only, and it says so.
mksquashfs disk/store squash.img -quiet -no-progress -xattrs >/dev/null || fail "mksquashfs"
mkdir squash && mount_image squash.img squash || fail "squashfs"
log=$DFS_TMP/daemon.log && : >"$log"
deltafs -f -o rw squash mnt >"$log" 2>&1 &
daemon=$!
retry 20 daemon_settled
if is_mounted mnt; then
	cmp mnt/f "$original" || fail "squashfs: other bytes"
	expect_fail any 'Read-only' touch mnt/new
	grep -qi 'read-only' "$log" || fail "squashfs: not a word: $(cat "$log")"
	umount mnt
fi
wait "$daemon"
umount squash

# C9. reads WHAT: and writes, whatever became of ingest.
reads() {
	evict mnt/f
	cmp mnt/f "$original" || fail "$1: other bytes"
	cmp mnt/base/model.safetensors orig/base/model.safetensors || fail "$1: other bytes of a plain file"
}
fresh() {
	n=$((n + 1))
	chattr -R -i disk/store/.deltafs 2>/dev/null
	rm -rf disk/store && cp -a intact disk/store
	sed -i '/ f$/!d' manifest
}

fresh # removed under the mount: the base's name is still there
start_rw
rm -rf disk/store/.deltafs
reads "removed while mounted"
cp "$original" mnt/new && cmp mnt/new "$original" || fail "removed while mounted: cannot be written"
sleep 2
is_idle "removed while mounted"
quiet_log 20 "removed while mounted"
reads "removed while mounted, later"
umount mnt && wait "$daemon" || fail "removed while mounted: ended with $?"

fresh # removed before
rm -rf disk/store/.deltafs
start_rw
reads "removed before"
cp "$original" mnt/new && cmp mnt/new "$original" || fail "removed before: cannot be written"
stop_daemon mnt

fresh # cannot be written
chattr -R +i disk/store/.deltafs
log=$DFS_TMP/daemon.log && : >"$log"
deltafs -f -o rw,quiet=0 store mnt >"$log" 2>&1 &
daemon=$!
retry 20 daemon_settled
if is_mounted mnt; then
	reads "immutable"
	sleep 1
	is_idle "immutable"
	umount mnt
else
	grep -q '^deltafs: .*\.deltafs' "$log" || fail "immutable: no clear words: $(cat "$log")"
fi
wait "$daemon"
start_ro() { DFS_WRAP=./own_share start_daemon store mnt -o ro; }
start_ro
reads "immutable, read-only"
stop_daemon mnt

fresh # becomes immutable while mounted: ingest has nowhere to go
start_rw
chattr -R +i disk/store/.deltafs
put "$original" new || fail "immutable while mounted: cannot be written"
tried() { grep -Eq 'new: (stays as it is|later)' "$log"; }
retry 20 tried || fail "immutable while mounted: ingest says nothing: $(cat "$log")"
is_idle "immutable while mounted"
quiet_log 20 "immutable while mounted"
reads "immutable while mounted"
promises_hold "immutable while mounted"
chattr -R -i disk/store/.deltafs
umount mnt && wait "$daemon" || fail "immutable while mounted: ended with $?"

fresh # of another version
echo "deltafs store 99" >disk/store/.deltafs/version
log=$DFS_TMP/daemon.log && : >"$log"
timeout 60 deltafs -f -o rw store mnt >"$log" 2>&1 &
daemon=$!
retry 20 daemon_settled
! is_mounted mnt || { expect_fail any 'Read-only' touch mnt/new; umount mnt; }
wait "$daemon"
grep -q '99' "$log" || fail "another version: it is not named: $(cat "$log")"
start_ro
reads "another version"
stop_daemon mnt
faults_fired "$n" 14
