# SPDX-License-Identifier: GPL-2.0-or-later
# common: what the scripts of the exercisers share.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/test.sh"

exercisers=$DFS_BUILD/tests/exerciser

# on_ext4 DIR, on_tmpfs DIR: such a file system there.
on_ext4() {
	need mkfs.ext4
	mkdir "$1"
	truncate -s 512M "$1.img" && mkfs.ext4 -q "$1.img" && mount_image "$1.img" "$1" || fail "ext4"
}
on_tmpfs() { mkdir "$1" && mount -t tmpfs -o size=256M none "$1" || fail "tmpfs"; }

# refusals LOG: what the file system does not have, in one line.
refusals() { echo $(sed -n 's/^refused: \([a-z_]*\): .*/\1/p' "$1" | sort -u); }

# exercise WANTED PROGRAM [OPTION]... WHERE: it ends well, was refused just what
# WANTED says (names, sorted), and its seed is in the log of this test.
exercise() {
	local wanted=$1 program=$2
	shift 2
	"$exercisers/$program" "$@" >run.log 2>&1 || fail "$program $*: $(cat run.log)"
	grep -q 'all right$' run.log || fail "$program $*: ends without a word: $(cat run.log)"
	[ "$(refusals run.log)" = "$wanted" ] || fail "$program $*: refused '$(refusals run.log)', not '$wanted'"
	echo "$program $*: $(tail -1 run.log)"
}
