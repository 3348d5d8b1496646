# SPDX-License-Identifier: GPL-2.0-or-later
# common: what the faults of the write side share, on top of lib/mount.sh.
#
# The oracle is ./manifest, outside the store: a line is added only after the
# file and its directory were synced.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"
. "$DFS_SRC/tests/lib/share.sh"

[ -c /dev/fuse ] || skip "no /dev/fuse"

daemon='' tracer=''
at_end 'umount -l mnt 2>/dev/null; for pid in $daemon $tracer; do pkill -9 -P $pid -x deltafs; kill -9 $pid; wait $pid; done 2>/dev/null'

# make_base [make_pair option]...: orig/base, orig/tune; store/base, registered.
make_base() {
	"$DFS_BUILD/tests/tools/make_pair" "$@" orig >/dev/null || fail "make_pair $*"
	original=$PWD/orig/tune/model.safetensors
	original_size=$(stat -c %s "$original")
	mkdir -p mnt store
	cp -r orig/base store/
	deltafsctl base add store store/base >base.out 2>&1 || fail "base add: $(cat base.out)"
}

# A dead mount is a mountpoint too; the daemon says when it is ready.
daemon_settled() { grep -q 'is shown at' "$log" || ! kill -0 "$daemon" 2>/dev/null; }

# start_rw [OPTIONS [WRAP]]: store at mnt, at rest as soon as it is closed.
start_rw() { DFS_WRAP="./own_share ${2:-}" start_daemon store mnt -o "rw,quiet=0${1:+,$1}"; }

is_dead() { ! kill -0 "$daemon" 2>/dev/null; }

# Waited for, so that its lock and its descriptors are gone.
kill_daemon() {
	kill -9 "$(daemon_pid)"
	wait "$daemon" 2>/dev/null
}

# is_coded PATH_IN_STORE: stored as a container, by what it takes.
is_coded() { [ "$(stat -c %s "store/$1" 2>/dev/null || echo 0)" -lt $((original_size / 2)) ] && [ -s "store/$1" ]; }
becomes_coded() { retry "${2:-30}" is_coded "$1" || fail "$1 is not compressed: $(tail -3 "$log")"; }

# put SOURCE NAME: a copy in mnt that is on disk, and in the manifest.
put() {
	dd if="$1" of="mnt/$2" bs=64K conv=fsync status=none && sync mnt "$(dirname "mnt/$2")" && promise "$1" "$2"
}
promise() { echo "$(sha256sum <"$1" | cut -d' ' -f1) $2" >>manifest; }

# What was promised last of each name reads right through mnt.
promises_hold() {
	local sum name
	[ -s manifest ] || fail "$1: nothing was promised"
	tac manifest | sort -u -s -k2 >promised
	while read -r sum name; do
		[ "$(timeout 60 sha256sum <"mnt/$name" | cut -d' ' -f1)" = "$sum" ] || fail "$1: $name has other bytes: $(tail -3 "$log")"
	done <promised
}

nothing_in_tmp() { [ -z "$(ls -A store/.deltafs/tmp)" ]; }
is_tidy() {
	retry 10 nothing_in_tmp || fail "$1: left behind: $(ls -l store/.deltafs/tmp)"
	store_is_whole "$1"
}

# store_is_whole WHAT: also beside a daemon.
store_is_whole() { fsck.deltafs -n store >fsck.out 2>&1 || fail "$1: $(cat fsck.out)"; }

# every_container_verifies WHAT: of the store, nobody being at work.
every_container_verifies() {
	deltafsctl verify -r store >verify.out 2>&1 || fail "$1: $(cat verify.out)"
	store_is_whole "$1"
}

# store_on_disk SIZE [mkfs.ext4 option]...: what make_base made lies on a file system of its own, ./disk.
store_on_disk() {
	local size=$1
	shift
	[ "$(id -u)" = 0 ] || skip "mounting a disk needs root"
	mv store made && mkdir disk
	truncate -s "$size" disk.img && mkfs.ext4 -q -m 0 "$@" disk.img && mount_image disk.img disk || fail "ext4"
	cp -a made disk/store && sync -f disk && ln -s disk/store store
}

# leave KIB: fill the disk, but for so much.
leave() {
	local room
	rm -f disk/filler
	sync -f disk
	room=$(df --output=avail -k disk | tail -1)
	[ "$room" -gt "$1" ] || fail "only $room KiB of room: this test is wrong"
	head -c $((room - $1))K /dev/zero >disk/filler 2>/dev/null
	sync -f disk
	room=$(df --output=avail -k disk | tail -1)
	[ "$room" -le $(($1 + 64)) ] || fail "$room KiB of room are left, not $1"
}

# busy_ms SECONDS: CPU time that the daemon uses meanwhile.
busy_ms() {
	local pid before
	pid=$(daemon_pid)
	before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
	sleep "$1"
	echo $((($(awk '{ print $14 + $15 }' "/proc/$pid/stat") - before) * 1000 / $(getconf CLK_TCK)))
}
is_idle() { local ms; ms=$(busy_ms 2); [ "$ms" -le 100 ] || fail "$1: the daemon is busy, $ms ms of 2 s"; }
