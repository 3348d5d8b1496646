#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reasons: why files stay plain, over restarts and kill -9, until the file or what it lacked is another
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"	# run, size, member

make() { local to=$1; shift; "$DFS_BUILD/tests/tools/make_pair" "$@" "$to" >/dev/null || fail "make_pair $*"; }
is() { [ "$(told state "mnt/$1")" = "$2" ]; }
because() { told reason "mnt/$1" | grep -Eq "^$2"; }
# noise PATH NAME: a model of one tensor, bytes that nothing can shrink.
noise() {
	python3 -c '
import json, os, struct, sys
n = 1 << 16
header = json.dumps({sys.argv[2]: {"dtype": "U8", "shape": [n], "data_offsets": [0, n]}}).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(header)) + header + os.urandom(n))' "$1" "$2"
}
kill_daemon() {
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	umount -l mnt 2>/dev/null || fusermount3 -uz mnt || fail "umount after kill -9"
}
# restart HOW: the daemon, with umount or kill -9.
restart() {
	if [ "$1" = kill ]; then kill_daemon; else stop_daemon mnt; fi
	start_daemon store mnt -o rw,quiet=1
}
# has_reasons: all that was refused says so, and nothing else.
has_reasons() {
	while read -r name reason; do
		retry 30 because "$name" "$reason" || fail "$1: $name: '$(told reason "mnt/$name")', not '$reason': $(cat "$log")"
	done <<-LIST
		notes.txt not safetensors
		noise.safetensors no base with these names
		known.safetensors would not shrink: 10[0-9] %
		one.safetensors several names \\(hard links\\): 2
		model.safetensors.part name of a partial download
		half.safetensors not complete: .* are missing
		byhand.safetensors decoded by hand
		empty.safetensors empty
	LIST
}

make pair --params 100000 --moved 0.01
mkdir -p store mnt
noise store/base.safetensors w
run deltafsctl base add store store/base.safetensors
start_daemon store mnt -o rw,quiet=1
echo text >mnt/notes.txt
noise mnt/noise.safetensors v
noise mnt/known.safetensors w
noise mnt/one.safetensors x; ln mnt/one.safetensors mnt/two.safetensors
noise mnt/model.safetensors.part y
head -c 50000 pair/tune/model.safetensors >mnt/half.safetensors
noise mnt/empty.safetensors w; : >mnt/empty.safetensors
cp pair/tune/model.safetensors mnt/byhand.safetensors
mkdir mnt/dir; noise mnt/dir/deep.safetensors z
retry 200 is byhand.safetensors container || fail "nothing is compressed: $(cat "$log")"
run deltafsctl wait --timeout 240 mnt
run deltafsctl decode mnt/byhand.safetensors
has_reasons "at first"

# --- over restarts, and nothing is encoded again
for how in umount kill umount; do
	restart $how
	run deltafsctl wait --timeout 30 mnt
	has_reasons "after $how"
	if grep -q 'stays as it is' "$log"; then fail "looked at again after $how: $(cat "$log")"; fi
	is byhand.safetensors plain || fail "what was decoded by hand is compressed after $how"
done
sleep 1.5
is byhand.safetensors plain || fail "what was decoded by hand is compressed when it has come to rest"

# --- killed before the queue knew: what is decided stays so, and is not coded again
kill_daemon
python3 - "$DFS_TMP" <<'PY'
import subprocess, sys
store = sys.argv[1] + "/store/.deltafs/"
lines = open(store + "pending").readlines()
# as it was before: all that was ever added, and nothing done
open(store + "pending", "w").writelines(l for l in lines if l.split("\t")[1].strip() in ("deltafs-pending", "add", "move"))
PY
start_daemon store mnt -o rw,quiet=1
run deltafsctl wait --timeout 30 mnt
grep -q 'notes.txt: stays as it is' "$log" || fail "nothing was pending: $(cat "$log")"
grep -q 'byhand.safetensors: stays as it is: decoded by hand' "$log" || fail "by hand: $(cat "$log")"
has_reasons "after the queue forgot"

# --- renamed: the file keeps it
mv mnt/known.safetensors mnt/renamed.safetensors
because renamed.safetensors 'would not shrink' || fail "a file that was renamed: $(told reason mnt/renamed.safetensors)"
mv mnt/dir mnt/elsewhere
because elsewhere/deep.safetensors 'no base' || fail "a directory that was renamed: $(told reason mnt/elsewhere/deep.safetensors)"
touch -d 2001-01-01 mnt/byhand.safetensors
because byhand.safetensors 'decoded by hand' || fail "touch: $(told reason mnt/byhand.safetensors)"
restart kill
because renamed.safetensors 'would not shrink' && because elsewhere/deep.safetensors 'no base' &&
	because byhand.safetensors 'decoded by hand' || fail "renamed, and restarted"
mv mnt/renamed.safetensors mnt/known.safetensors
mv mnt/model.safetensors.part mnt/whole.safetensors	# a name that is a reason: looked at again
retry 30 because whole.safetensors 'no base' || fail "renamed when it was whole: $(told reason mnt/whole.safetensors)"

# --- removed, replaced, written again
rm mnt/two.safetensors
if because one.safetensors 'several names'; then fail "one name, and still several"; fi
noise new w; cp new mnt/gone.safetensors; cp new mnt/replaced.safetensors
run deltafsctl wait --timeout 30 mnt
run deltafsctl status mnt
grep -q 'gone.safetensors: would not' said && grep -q 'replaced.safetensors: would not' said || fail "status: $(cat said)"
rm mnt/gone.safetensors; mv mnt/notes.txt mnt/replaced.safetensors
run deltafsctl status mnt
if grep -Eq 'gone.safetensors|replaced.safetensors: would not' said; then fail "status after rm and mv: $(cat said)"; fi
# The same size and mtime, and other bytes.
touch -r mnt/byhand.safetensors stamp
printf X | dd of=mnt/byhand.safetensors bs=1 seek=90000 conv=notrunc status=none
touch -r stamp mnt/byhand.safetensors
retry 200 is byhand.safetensors container || fail "written again, and not taken: $(told reason mnt/byhand.safetensors)"

# --- a base that is added, mounted or not, is tried by who wanted one
make second --params 100000 --seed 9 --moved 0.01
noise mnt/v1.safetensors v
run deltafsctl wait --timeout 30 mnt
because v1.safetensors 'no base' && because noise.safetensors 'no base' || fail "v: $(told reason mnt/v1.safetensors)"
stop_daemon mnt
cp store/v1.safetensors kept
run deltafsctl base add store store/v1.safetensors
start_daemon store mnt -o rw,quiet=1
retry 30 because noise.safetensors 'would not shrink' || fail "with a base now: $(told reason mnt/noise.safetensors): $(cat "$log")"
because known.safetensors 'would not shrink' || retry 30 because known.safetensors 'would not shrink' || fail "known"
run deltafsctl wait --timeout 30 mnt
restart umount
run deltafsctl wait --timeout 30 mnt
if grep -q 'stays as it is' "$log"; then fail "looked at again, with the bases that there were: $(cat "$log")"; fi
stop_daemon mnt
