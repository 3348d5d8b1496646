#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E8: the POSIX cases and the exercisers end as without, while files are compressed, asked for and thawed beside them and under them.
# test: timeout=1800 root
. "$(dirname "$0")/../posix/common.sh"
. "$(dirname "$0")/../exerciser/common.sh"
. "$(dirname "$0")/common.sh"
need mkfs.ext4

make_base --params 100000 --hidden 64 --vocab 256 --seed 491
mv store made && mkdir disk
truncate -s 768M disk.img && mkfs.ext4 -q -b 4096 disk.img && mount_image disk.img disk && cp -a made disk/store || fail "ext4"
ln -s disk/store store
posix_known='stat/blocks stat/blocks-after-stat' # see posix_mount.sh, as for what cannot be asked
unasked='tmpfile/* setxattr/security setxattr/capability* acl/default-tmpfile read/times'

# Beside them: new files come to rest, are changed, renamed, removed; what the exerciser has is asked for by name.
churn() {
	local i=0
	while [ ! -e stop ]; do
		i=$((i + 1))
		cp "$original" "mnt/churn/$((i % 8))" 2>/dev/null
		[ $((i % 3)) != 0 ] || printf x | dd of="mnt/churn/$(((i + 5) % 8))" bs=1 seek=70000 conv=notrunc status=none 2>/dev/null
		[ $((i % 4)) != 0 ] || mv "mnt/churn/$(((i + 3) % 8))" "mnt/churn/$(((i + 4) % 8))" 2>/dev/null
		timeout 60 deltafsctl encode mnt/fsx >/dev/null 2>&1
	done
}
compressed() { grep -c 'compressed to' "$log"; }
compressed_fsx() { grep -c 'fsx: compressed to' "$log"; }

ways=("" nowriteback) fired=0
[ -n "$DFS_FULL" ] || ways=("${ways[RANDOM % 2]}")
for options in "${ways[@]}"; do
	start_rw "allow_other${options:+,$options}"
	mkdir -p mnt/churn mnt/suite mnt/trees && chmod 755 mnt/suite && rm -f stop
	cp "$original" mnt/fsx
	churn &
	churner=$!
	at_end "touch $DFS_TMP/stop; wait $churner"
	set -f
	[ -z "$options" ] || posix_known='read/times-noatime'
	# shellcheck disable=SC2086
	posix_holds mnt/suite $unasked
	set +f
	beside=$(compressed)
	for round in $(seq "$(full 10 1)"); do
		exercise "" file_exerciser -s "$RANDOM" -n "$(full 4000 1500)" -k -r 100 mnt/fsx
		exercise "" tree_exerciser -s "$RANDOM" -p 2 -n "$(full 2000 400)" -b orig/base/model.safetensors -r 300 mnt/trees
	done
	touch stop
	wait $churner
	[ "$beside" -gt 0 ] || fail "nothing was compressed beside the POSIX cases"
	[ "$(compressed_fsx)" -gt 0 ] || fail "the exerciser's file was never compressed under it"
	fired=$((fired + $(compressed)))
	cp mnt/fsx last
	stop_daemon mnt
	start_rw
	cmp mnt/fsx last || fail "${options:-writeback}: other bytes after a remount"
	rm -rf mnt/churn mnt/fsx
	stop_daemon mnt
	is_tidy "${options:-writeback}"
done
every_container_verifies "in the end"
faults_fired "$fired" 20
