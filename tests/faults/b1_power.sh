#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B1: the power fails after any write to the disk, and again after any write of the recovery: what was synced is there, a name shows the old or the new file, whole.
# test: timeout=7200 root nosan
. "$(dirname "$0")/common.sh"
need qemu-storage-daemon nbdfuse mkfs.xfs mkfs.ext4 losetup

make_base --params 40000 --hidden 64 --vocab 128 --seed 211
mv store made
mkdir disk store
"$DFS_BUILD/tests/tools/make_pair" --params 40000 --hidden 64 --vocab 128 --seed 211 --r 0.011 other >/dev/null
other=$PWD/other/tune/model.safetensors

# Each write to the disk goes into the log, in order. By nbdfuse: what
# qemu-storage-daemon's own FUSE export reads is wrong while something writes.
disk_logged() {
	: >writes
	mkdir -p raw
	qemu-storage-daemon --blockdev driver=file,node-name=image,filename=image,discard=unmap \
		--blockdev driver=file,node-name=log,filename=writes \
		--blockdev driver=blklogwrites,node-name=logged,file=image,log=log,log-super-update-interval=1 \
		--nbd-server addr.type=unix,addr.path="$PWD/socket" \
		--export type=nbd,id=disk,node-name=logged,name=disk,writable=on >server.log 2>&1 &
	server=$!
	retry 20 test -S socket || fail "qemu-storage-daemon: $(cat server.log)"
	nbdfuse raw "nbd+unix:///disk?socket=$PWD/socket" >nbd.log 2>&1 &
	bridge=$!
	at_end "kill $bridge $server 2>/dev/null"
	retry 20 test -e raw/nbd || fail "nbdfuse: $(cat nbd.log)"
	loop=$(losetup --show -f --direct-io=on raw/nbd) && mount -o "$1" "$loop" disk || fail "mount of the logged disk"
	mount --bind disk/store store
}
disk_end() {
	umount store && umount disk && losetup -d "$loop" && retry 10 umount raw || fail "the logged disk is busy"
	wait "$bridge"
	kill "$server"
	wait "$server"
	rm -f socket
}

# version NAME FILE COMMAND...: by it NAME becomes like FILE; when it began and when it was durable.
version() {
	local name=$1 like=$2 began
	shift 2
	began=$(stat -c %s writes)
	"$@" || fail "$*"
	echo "$name $(sha256sum <"$like" | cut -d' ' -f1) $began $(stat -c %s writes)" >>versions
}
copy_in() { dd if="$1" of="mnt/$2" bs=64K conv=fsync status=none && sync mnt; }
rename_over() { dd if="$1" of=mnt/.new bs=64K conv=fsync status=none && mv mnt/.new "mnt/$2" && sync mnt; }
overwrite() { dd if="$1" of="mnt/$2" bs=512 skip=$((SKIP)) seek=$((SKIP)) count=1 conv=notrunc,fsync status=none; }

# A file of one other sector than the original.
changed_sector() {
	cp "$original" changed
	dd if=/dev/urandom of=changed bs=512 seek="$1" count=1 conv=notrunc status=none
}

workload() {
	local i
	start_rw
	for i in 1 2 3 4; do version "f$i" "$original" copy_in "$original" "f$i"; done
	for i in 1 2 3 4; do becomes_coded "f$i"; done
	SKIP=40 && changed_sector $SKIP
	version f1 changed overwrite changed f1
	version f2 "$other" rename_over "$other" f2
	version f3 "$other" rename_over "$other" f3
	rm mnt/f4 && sync mnt
	for i in 1 2 3; do becomes_coded "f$i"; done
	stop_daemon mnt
}

# Of what was begun by then, each name shows what was durable last, or anything begun after it.
versions_hold() {
	local name sum allowed
	for name in f1 f2 f3; do
		allowed=$(awk -v name="$name" -v cut="$1" '$1 == name && $3 <= cut { line[++n] = $2; if ($4 <= cut) last = n }
			END { if (!last) print "none"; for (i = last ? last : 1; i <= n; i++) print line[i] }' versions)
		[ -z "$allowed" ] || [ "${allowed%%$'\n'*}" != none ] || continue # never durable: anything
		sum=$(timeout 60 sha256sum <"mnt/$name" | cut -d' ' -f1)
		grep -qx "$sum" <<<"$allowed" || fail "cut at $1: $name is neither old nor new: $(ls -l mnt) $(tail -3 "$log")"
		held=$((held + 1))
	done
}

check_at() {
	rm -f check.img
	cp --sparse=always cut check.img
	mount_image check.img disk -o "$2" && mount --bind disk/store store || fail "cut at $1: the file system itself"
	start_rw
	versions_hold "$1"
	is_tidy "cut at $1"
	stop_daemon mnt
	every_container_verifies "cut at $1"
	umount store && umount disk
	points=$((points + 1))
}

replay() { python3 "$DFS_SRC/tests/faults/replay.py" "$@" || fail "replay $*"; }

# some_writes N: of the log, in order: all of them in the full form.
some_writes() { if [ -n "$DFS_FULL" ]; then cat all; else shuf -n "$1" --random-source=<(yes "$seed") all | sort -n; fi; }

# cut_everywhere OPTIONS N [FIRST]: in the short form at N of the writes. FIRST: they are those of
# the recovery from a cut there, so that what holds is what held then.
cut_everywhere() {
	local before=0 at
	cp --sparse=always fresh.img cut
	while read -r at <&3; do
		replay apply writes "$before" "$at" cut
		check_at "${3:-$at}" "$1"
		before=$at
	done 3< <(some_writes "$2")
	echo "$fs: ${3:+recovery from $3: }$(wc -l <all) writes, cut after $(some_writes "$2" | wc -l) of them"
}

# recover_at AT OPTIONS: the power fails there, and while all is mounted again and ingest goes on.
recover_at() {
	cp --sparse=always workload.img image
	replay apply workload.writes 0 "$1" image
	cp --sparse=always image fresh.img
	disk_logged "$2"
	start_rw
	deltafsctl wait --timeout 240 mnt >said 2>&1 || fail "cut at $1: wait: $(cat said)"
	stop_daemon mnt
	disk_end
	replay points writes >all
	[ -s all ] || fail "recovery from $1 writes nothing"
	recovered=$((recovered + $(some_writes 3 | wc -l)))
	cut_everywhere "$2" 3 "$1"
}

points=0 held=0 recovered=0
for fs in "xfs defaults" "ext4 noauto_da_alloc"; do
	rm -f image versions
	truncate -s 320M image
	case $fs in xfs*) mkfs.xfs -q image ;; *) mkfs.ext4 -q image ;; esac || fail "mkfs of $fs"
	mount_image image disk && cp -a made disk/store && umount disk || fail "$fs"
	cp --sparse=always image fresh.img
	disk_logged "${fs#* }"
	workload
	disk_end
	replay points writes >all
	[ "$(wc -l <all)" -gt 40 ] || fail "only $(wc -l <all) writes"
	cut_everywhere "${fs#* }" 10
	mv fresh.img workload.img
	mv writes workload.writes
	shuf -n "$(full 6 1)" --random-source=<(yes "$seed") all >again
	while read -r first <&4; do recover_at "$first" "${fs#* }"; done 4<again
done
[ "$held" -ge 10 ] || fail "$points cuts, only $held files held to a promise"
echo "files that held $held, cuts of a recovery $recovered"
[ "$recovered" -ge 2 ] || fail "only $recovered cuts of a recovery"
faults_fired "$points" 22
