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
#	writer PYTHON SCRIPT		writer_SCRIPT.py writes, and tells what it wrote (see writer.py)
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

mount_writable() {
	options=${1:-${options:-}}
	start_daemon store mnt -o "rw,quiet=0${options:+,$options}"
}

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

# writer PYTHON SCRIPT [TUNE NEXT [WORD]]: it writes to mnt ($into) and, for comparison, to plain.
writer() {
	local word name original
	mkdir -p plain
	"$1" "$DFS_SRC/tests/clients/writer_$2.py" "${into:-mnt}" plain "${3:-$TUNE}" "${4:-$NEXT}" ${5:+"$5"} >writer.out 2>writer.err ||
		fail "$2: $(grep -v '%|' writer.err | tail -n 20; tail -n 3 writer.out)"
	grep '^client: ' writer.out
	while read -r word name original; do
		[ "$word" != wrote ] || wrote "$name" "$original"
		[ "$word" != keeps ] || keeps "$name" "$original"
	done <writer.out
}

# writers_need: the Python clients; one that cannot be had is a failure.
writers_need() {
	[ -x "$DFS_PYTHON" ] && [ -x "$DFS_PYTHON07" ] && [ -d "$DFS_MODELS" ] || {
		eval "$("$DFS_SRC/tests/clients/setup.sh")"
		DFS_PYTHON=$PY DFS_PYTHON07=$PY07 DFS_MODELS=$MODELS
	}
	[ -x "$DFS_PYTHON" ] || fail "the clients cannot be installed"
	export PYTHONDONTWRITEBYTECODE=1 HF_HOME=$DFS_TMP/hf HF_HUB_OFFLINE=1 OMP_NUM_THREADS=2 HOME=$DFS_TMP
	export HF_HUB_DISABLE_TELEMETRY=1 HF_HUB_DISABLE_XET=1 no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
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
