#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B2: the file system under the store is shut down in the middle of ingest: EIO for users, the daemon lives, all that was synced is there after.
# test: timeout=1800 root nosan
. "$(dirname "$0")/common.sh"
need mkfs.xfs mkfs.ext4

make_base --params 600000 --hidden 256 --vocab 512 --seed 401
mv store made
# One that takes long to compress.
"$DFS_BUILD/tests/tools/make_pair" --params 6000000 --hidden 256 --vocab 512 --seed 402 large >/dev/null || fail "make_pair"
large=$PWD/large/tune/model.safetensors
mkdir disk
ln -s disk/store store

# Writes mnt/last, and shuts the disk down while it is compressed; says whether it was.
# FS_IOC_SHUTDOWN; 0: the log written out first, 1: with what is in it, 2: as it is.
shut_down() {
	python3 - "$1" "$large" "$RANDOM" <<'PY'
import fcntl, os, random, struct, sys, time
disk = os.open("disk", os.O_RDONLY)
wait = random.Random(sys.argv[3]).random() * 0.02
with open("mnt/last", "wb") as f:
    f.write(open(sys.argv[2], "rb").read())
    f.flush()
    os.fsync(f.fileno())
    at = os.open("mnt", os.O_RDONLY)
    os.fsync(at)
    os.close(at)
end = time.monotonic() + 5
while not os.listdir("store/.deltafs/tmp") and time.monotonic() < end:
    pass
time.sleep(wait)
print(len(os.listdir("store/.deltafs/tmp")))
fcntl.ioctl(disk, 0x8004587d, struct.pack("I", int(sys.argv[1])))
PY
}

fired=0 n=0
for round in $(seq "$(full 20 1)"); do
	for fs in "mkfs.xfs -q -f" "mkfs.ext4 -q"; do
		for how in 0 1 2; do
			what="${fs%% *}, shutdown $how"
			rm -f disk.img manifest
			truncate -s 320M disk.img && $fs disk.img && mount_image disk.img disk && cp -a made disk/store && sync -f disk || fail "$what: $fs"
			start_rw
			for i in 1 2 3; do put "$original" "f$i" || fail "$what: put"; done
			for i in 1 2 3; do becomes_coded "f$i"; done
			retry 10 nothing_in_tmp
			in_work=$(shut_down "$how") && promise "$large" last || fail "$what: not shut down"
			! touch disk/probe 2>/dev/null || fail "$what: the disk still works"
			[ "$in_work" = 0 ] || fired=$((fired + 1))
			for change in "touch mnt/new" "sh -c 'echo x >>mnt/f1'" "rm -f mnt/f1" "mv mnt/f1 mnt/g"; do
				eval "expect_fail any 'Input/output|Read-only|cannot|Structure' timeout 60 $change"
			done
			timeout 60 cat mnt/f1 >got 2>/dev/null && ! cmp -s got "$original" && fail "$what: other bytes"
			is_idle "$what"
			kill -0 "$daemon" || fail "$what: the daemon is dead: $(cat "$log")"
			umount mnt || fail "$what: umount"
			wait "$daemon" || fail "$what: ended with $?: $(tail -3 "$log")"
			umount disk && mount_image disk.img disk || fail "$what: the disk itself"
			start_rw
			promises_hold "$what, mounted again"
			is_tidy "$what"
			put "$original" new && becomes_coded new || fail "$what: does not go on"
			stop_daemon mnt
			every_container_verifies "$what"
			umount disk
			n=$((n + 1))
		done
	done
done
echo "shut down $n times, in the middle of ingest $fired"
faults_fired "$fired" $((n / 3))
