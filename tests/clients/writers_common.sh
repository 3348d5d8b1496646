# SPDX-License-Identifier: GPL-2.0-or-later
# writers_common: what the writer tests share: a writable mount that compresses
# at once, and an account of what must be in it.
#
#	given_writable [OPTIONS]	orig/base, orig/tune and orig/next (another fine-tune)
#					are made; store, with the base registered, is on mnt
#	wrote NAME ORIGINAL		mnt/NAME has these bytes from now on, and becomes a container
#	keeps NAME ORIGINAL		the same of what need not become one
#	gone NAME			nothing is expected of it any more
#	all_right WHEN			every file has its bytes, whatever form it is in
#	all_small WHEN			once nothing waits, also its form
#	all_stays			all_small, the same after a remount, and verify; ends the daemon
. "$(dirname "${BASH_SOURCE[0]}")/../mount/common.sh"

TUNE=orig/tune/model.safetensors NEXT=orig/next/model.safetensors
declare -A written=() kept=()

# TUNE has a stretch of zeros, of which some writers make a hole.
given_models() {
	local make="$DFS_BUILD/tests/tools/make_pair --params ${PARAMS:-600000} --vocab 512 --seed 31"
	$make --r 0.003 new >/dev/null && $make orig >/dev/null || fail "make_pair"
	mv new/tune orig/next
	rm -r new
	dd if=/dev/zero of=$TUNE bs=64k seek=5 count=4 conv=notrunc status=none || fail "dd"
}

given_writable() {
	given_models
	mkdir -p store mnt
	cp -r orig/base store/
	deltafsctl base add store store/base >said 2>&1 || fail "base add: $(cat said)"
	mount_writable "${1:-}"
}

mount_writable() { start_daemon store mnt -o "rw,quiet=0${1:+,$1}"; }

wrote() { written[$1]=$2; unset "kept[$1]"; }
keeps() { kept[$1]=$2; unset "written[$1]"; }
gone() { unset "written[$1]" "kept[$1]"; }

all_right() {
	local name
	for name in "${!written[@]}"; do
		cmp "${written[$name]}" "mnt/$name" || fail "$1: $name has other bytes, state $(told state "mnt/$name")"
	done
	for name in "${!kept[@]}"; do
		cmp "${kept[$name]}" "mnt/$name" || fail "$1: $name has other bytes, state $(told state "mnt/$name")"
	done
}

is_small() {
	[ "$(told state "mnt/$1")" = container ] && [ "$(stat -c %s "store/$1")" -lt $(($(stat -c %s "mnt/$1") * 9 / 10)) ]
}

settle() {
	deltafsctl wait --timeout 120 mnt >said 2>&1 || fail "$1: wait: $(cat said; deltafsctl status mnt)"
}

all_small() {
	local name
	settle "$1"
	for name in "${!written[@]}"; do
		is_small "$name" || fail "$1: $name is $(told state "mnt/$name"), $(told reason "mnt/$name"): $(grep -F "$name" "$log" | tail -n 3)"
	done
	all_right "$1"
}

all_stays() {
	all_small "at the end"
	[ "${#written[@]}" -gt 0 ] || fail "nothing was written"
	stop_daemon mnt
	mount_writable
	all_small "after a remount"
	echo "client: ${#written[@]} files became containers, ${#kept[@]} others stayed right"
	stop_daemon mnt
	deltafsctl verify -r store >said 2>&1 || fail "verify: $(tail -n 3 said)"
	[ -z "$(find store/.deltafs/tmp -type f)" ] || fail "left behind: $(find store/.deltafs/tmp -type f)"
}
