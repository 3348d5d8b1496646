#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E3: renamed over, unlinked, its directory removed, while open: the old bytes as long as it is open, the room back after.
# test: timeout=300 root
. "$(dirname "$0")/common.sh"
need mkfs.ext4

make_base --params 300000 --hidden 256 --vocab 512 --seed 241
mv store made
mkdir disk
truncate -s 64M disk.img && mkfs.ext4 -q disk.img && mount_image disk.img disk && cp -a made disk/store || fail "ext4"
ln -s disk/store store
"$DFS_BUILD/tests/tools/make_pair" --params 300000 --hidden 256 --vocab 512 --seed 241 --r 0.011 other >/dev/null
other=$PWD/other/tune/model.safetensors

taken() { sync -f disk; df --output=used -k disk | tail -1; }
old_bytes() { [ "$(head -c "$original_size" <&3 | sha256sum)" = "$(sha256sum <"$original")" ]; }
open_three() { exec 3<mnt/d/f 4<mnt/d/f 5<>mnt/d/f; }

# All that may be asked of a file that lost its name; written to as well.
still_whole() {
	old_bytes || fail "$1: other bytes from the handle"
	[ "$(stat -L -c %h /proc/$$/fd/3)" = 0 ] || fail "$1: $(stat -L -c %h /proc/$$/fd/3) links"
	[ "$(stat -L -c %s /proc/$$/fd/3)" = "$original_size" ] || fail "$1: size"
	evict /proc/$$/fd/4
	cmp /proc/$$/fd/4 "$original" || fail "$1: other bytes, cold"
	printf x | dd of=/proc/$$/fd/5 bs=1 conv=notrunc,fsync seek=5000 status=none || fail "$1: cannot be written"
	[ "$(dd if=/proc/$$/fd/4 bs=1 skip=5000 count=1 status=none)" = x ] || fail "$1: what was written is not read"
	[ -z "$(find mnt store/ -name '.fuse_hidden*')" ] || fail "$1: .fuse_hidden"
}

n=0
# lose HOW STATE COMMAND...: the file is plain or coded when it loses its name by this.
lose() {
	local how=$1 state=$2 before
	shift 2
	mkdir -p mnt/d
	before=$(taken)
	cp "$original" mnt/d/f
	[ "$state" = plain ] || becomes_coded d/f
	open_three
	"$@" || fail "$how, $state: $*"
	still_whole "$how, $state"
	exec 3<&- 4<&- 5>&-
	rm -rf mnt/d mnt/g
	back() { [ "$(taken)" -le $((before + 64)) ]; }
	retry 20 back || fail "$how, $state: $before KiB were used, now $(taken)"
	n=$((n + 1))
}

rename_over() { cp "$other" mnt/g && mv mnt/g mnt/d/f && cmp mnt/d/f "$other"; }
rename_by() { mkdir mnt/e && mv mnt/d/f mnt/e/f && rmdir mnt/d && rm mnt/e/f && rmdir mnt/e; }

for state in plain coded; do
	if [ "$state" = plain ]; then start_rw noingest; else start_rw; fi
	lose "rename over" $state rename_over
	lose unlink $state rm mnt/d/f
	lose "rm -r" $state rm -r mnt/d
	lose "moved, its directory removed" $state rename_by
	stop_daemon mnt
	is_tidy "$state"
done
[ -z "$(find disk/store -name f)" ] || fail "a file is back: $(find disk/store -name f)"
faults_fired "$n" 8
