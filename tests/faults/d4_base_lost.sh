#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D4: a base is deleted, renamed over, rewritten, cut, made private or given away through the mount: what depends on it reads the same.
# test: timeout=600 root
. "$(dirname "$0")/common.sh"
need setpriv

make_base --params 600000 --hidden 256 --vocab 512 --seed 301
"$DFS_BUILD/tests/tools/make_pair" --params 600000 --hidden 256 --vocab 512 --seed 302 other >/dev/null
start_rw
mkdir mnt/t
put "$original" t/f && becomes_coded t/f || fail "no dependant"
put "$original" t/g && becomes_coded t/g || fail "no dependant"
chown nobody mnt/t mnt/t/f && chmod 600 mnt/t/f
stop_daemon mnt
mv store made
base=base/model.safetensors
as_nobody=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)

dependants_read() {
	evict mnt/t/f mnt/t/g
	promises_hold "$1"
	"${as_nobody[@]}" cmp mnt/t/f "$PWD/orig/tune/model.safetensors" || fail "$1: not readable to its owner"
}

is_gone() { [ ! -e mnt/$base ]; }
is_other() { cmp -s mnt/$base orig/base/model.safetensors && return 1; cmp -s mnt/$base "$1"; }
is_changed() { ! cmp -s mnt/$base orig/base/model.safetensors; }
cp orig/base/model.safetensors edited
printf 'changed in the middle' | dd of=edited bs=1 seek=700001 conv=notrunc status=none
head -c 300000 orig/base/model.safetensors >cut
(cat orig/base/model.safetensors; echo more) >grown

# lose WHAT COMMAND...; then what the name shows must be as PROOF says.
n=0
lose() {
	local what=$1 proof=$2 open
	shift 2
	for open in closed open; do
		rm -rf store && cp -a made store
		start_rw cache=2M,allow_other
		[ "$open" = closed ] || { exec 4<mnt/t/g && dd bs=1000 count=1 status=none <&4 >/dev/null; }
		"$@" || fail "$what, $open: $*"
		$proof || fail "$what, $open: the fault did not fire"
		dependants_read "$what, $open"
		if [ "$open" = open ]; then
			[ "$(cat <&4 | sha256sum)" = "$(tail -c +1001 "$original" | sha256sum)" ] ||
				fail "$what: other bytes from a handle that was open"
			exec 4<&-
		fi
		stop_daemon mnt
		start_rw cache=2M,allow_other
		$proof || fail "$what, $open, mounted again: the base's name shows other bytes"
		dependants_read "$what, $open, mounted again"
		stop_daemon mnt
		is_tidy "$what, $open"
		every_container_verifies "$what, $open"
		n=$((n + 1))
	done
}

overwrite() { dd if=edited of=mnt/$base bs=1 skip=700001 seek=700001 count=21 conv=notrunc,fsync status=none; }
map_write() {
	python3 -c '
import mmap, os
fd = os.open("mnt/base/model.safetensors", os.O_RDWR)
m = mmap.mmap(fd, 0)
m[700001:700022] = b"changed in the middle"
m.flush()
os.fsync(fd)'
}
lose deleted is_gone rm mnt/$base
lose "directory deleted" is_gone rm -r mnt/base
lose "moved away and deleted" is_gone sh -c "mv mnt/base mnt/b && rm -r mnt/b"
lose "renamed over" "is_other other/base/model.safetensors" sh -c "cp other/base/model.safetensors mnt/base/new && mv mnt/base/new mnt/$base"
lose "copied over" "is_other other/base/model.safetensors" cp other/base/model.safetensors mnt/$base
lose overwritten "is_other edited" overwrite
lose "written by a mapping" "is_other edited" map_write
lose cut "is_other cut" truncate -s 300000 mnt/$base
lose grown "is_other grown" sh -c "echo more >>mnt/$base"
is_private() { [ "$(stat -c %a mnt/$base)" = 600 ] && ! "${as_nobody[@]}" cat mnt/$base >/dev/null 2>&1; }
lose private is_private chmod 600 mnt/$base
is_given() { [ "$(stat -c %u mnt/$base)" = 1234 ]; }
lose "given away" is_given sh -c "chown 1234 mnt/$base && chmod 400 mnt/$base"

# And while they are read: not even an error.
reader() {
	while [ ! -e stop ]; do
		evict "mnt/t/$1"
		cmp "mnt/t/$1" "$original" >>reader.err 2>&1 || { echo "$1" >>failed; return; }
		echo "$1" >>reads
	done
}
losses=("rm -r mnt/base" "cp other/base/model.safetensors mnt/$base" overwrite map_write "truncate -s 300000 mnt/$base" "truncate -s 0 mnt/$base")
for ((round = 0; round < $(full 60 6); round++)); do
	rm -rf store stop reads && cp -a made store
	start_rw cache=2M,allow_other
	reader f &
	first=$!
	reader g &
	second=$!
	some_read() { [ -s reads ]; }
	retry 20 some_read || fail "nobody reads"
	sleep "0.$((RANDOM % 3))"
	${losses[round % ${#losses[@]}]} || fail "while it is read: ${losses[round % ${#losses[@]}]}"
	sleep 0.3
	touch stop
	wait $first $second
	[ ! -e failed ] || fail "while it is read, ${losses[round % ${#losses[@]}]}: $(tail -2 reader.err) $(tail -2 "$log")"
	stop_daemon mnt
	n=$((n + 1))
done
faults_fired "$n" 28
