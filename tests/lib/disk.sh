# SPDX-License-Identifier: GPL-2.0-or-later
# disk: a disk that fails when told to. Sourced after test.sh and mount.sh.
#
#	disk_make SIZE NBDKIT_WORD...	mkfs.ext4 on disk.img, served by nbdkit
#					with these words, mounted at ./disk
#	disk_cold FILE...		nothing of it, nor of these files, in memory

# What the tests with such a disk need: else they are skipped.
disk_need() { need nbdkit nbdfuse losetup mkfs.ext4 blockdev; }

# nbdkit's plugin decides what fails; nbdfuse makes a file of it, which a loop
# device takes for a disk. Not buffered twice, where the loop device can.
disk_make() {
	local size=$1
	shift
	mkdir nbd disk
	truncate -s "$size" disk.img && mkfs.ext4 -q -b 4096 disk.img || fail "mkfs.ext4"
	nbdfuse nbd --command nbdkit -s "$@" >nbd.log 2>&1 &
	disk_server=$!
	at_end "kill $disk_server 2>/dev/null; wait $disk_server 2>/dev/null"
	at_end "umount disk 2>/dev/null; umount nbd 2>/dev/null"
	retry 20 test -e nbd/nbd || fail "nbdfuse: $(cat nbd.log)"
	disk_loop=$(losetup --show -f --direct-io=on nbd/nbd) || disk_loop=$(losetup --show -f nbd/nbd) || fail "losetup"
	at_end "losetup -d $disk_loop"
	mount "$disk_loop" disk || fail "mount $disk_loop"
	at_end "umount mnt 2>/dev/null"
}

disk_cold() {
	evict "$@"
	blockdev --flushbufs "$disk_loop"
}
