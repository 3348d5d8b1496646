#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B1: the power fails after any write to the disk: what was synced is there, a name shows the old or the new file, whole.
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
	umount store && umount disk && losetup -d "$loop" && umount raw || fail "the logged disk is busy"
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
	cp --sparse=always cut check.img
	mount -o "loop,$2" check.img disk && mount --bind disk/store store || fail "cut at $1: the file system itself"
	start_rw
	versions_hold "$1"
	is_tidy "cut at $1"
	stop_daemon mnt
	every_container_verifies "cut at $1"
	umount store && umount disk
	points=$((points + 1))
}

# cut_everywhere OPTIONS: in the short form at some of the writes.
cut_everywhere() {
	local before=0 at n
	python3 "$DFS_SRC/tests/faults/replay.py" points writes >all
	n=$(wc -l <all)
	[ "$n" -gt 40 ] || fail "only $n writes"
	if [ -n "$DFS_FULL" ]; then cp all some; else shuf -n 10 --random-source=<(yes "$seed") all | sort -n >some; fi
	cp --sparse=always fresh.img cut
	while read -r at <&3; do
		python3 "$DFS_SRC/tests/faults/replay.py" apply writes "$before" "$at" cut || fail "replay"
		check_at "$at" "$1"
		before=$at
	done 3<some
	echo "$fs: $n writes, cut after $(wc -l <some) of them"
}

points=0 held=0
for fs in "xfs defaults" "ext4 noauto_da_alloc"; do
	rm -f image versions
	truncate -s 320M image
	case $fs in xfs*) mkfs.xfs -q image ;; *) mkfs.ext4 -q image ;; esac || fail "mkfs of $fs"
	mount -o loop image disk && cp -a made disk/store && umount disk || fail "$fs"
	cp --sparse=always image fresh.img
	disk_logged "${fs#* }"
	workload
	disk_end
	cut_everywhere "${fs#* }"
done
[ "$points" -ge 20 ] && [ "$held" -ge 10 ] || fail "$points cuts, $held files held to a promise"
echo "cuts $points, files that held $held"
