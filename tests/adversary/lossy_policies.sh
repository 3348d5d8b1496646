#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_policies: promise 1, policies of parents and children that are set, changed and taken back while files are there, on their way, or moved between directories as they settle or are coded: a file gives up bits only where that was said before it came, and is said still.
# test: timeout=300
. "$(dirname "$0")/lossy_common.sh"

python3 - <<'PY' || fail "make the pair"
import lossy_pair
lossy_pair.ROWS = lossy_pair.COLS = 768	# coded by delta-come it takes longer than a look at the status
lossy_pair.pair("base", "tune", layers=3)
PY
store_of base
start_daemon store mnt -o rw,quiet=0
come() { cp tune "$1" || fail "cp $1"; }
exact() { is_exact "$1" tune || fail "$2: $(describe "$1")"; }
lossy() { is_lossy "$1" || fail "$2: $(describe "$1")"; }
# Made to be looked at again: what decided once is not asked again.
coded() { deltafsctl encode "$@" >said 2>&1 </dev/null || fail "encode: $(cat said)"; }

# A child's word is the last, as long as it stands; what came under it is not the parent's afterwards.
mkdir -p mnt/p/exact mnt/p/off mnt/p/other mnt/p/lossy mnt/p/nearer/deep
policy set mnt/p codec=bitdelta
policy set mnt/p/exact codec=exact quiet=3600
policy set mnt/p/off codec=exact ingest=off
policy set mnt/p/other quiet=3600
policy set mnt/p/nearer codec=exact quiet=3600
come mnt/p/a
for dir in exact off other lossy nearer nearer/deep; do come "mnt/p/$dir/a"; done
retry 120 is_lossy mnt/p/a || fail "$(describe mnt/p/a)"
retry 120 is_lossy mnt/p/lossy/a || fail "$(describe mnt/p/lossy/a)"
policy unset mnt/p/exact
policy unset mnt/p/off ingest
policy unset mnt/p/off
policy unset mnt/p/other quiet
policy set mnt/p/nearer/deep quiet=0
policy unset mnt/p/nearer codec quiet
policy unset mnt/p/nearer
policy show mnt/p/exact && grep -q since said && fail "policy show tells of what no user sets"
settle
exact mnt/p/exact/a "it came under a child's exact, which was taken back"
lossy mnt/p/other/a "a child said nothing of codecs"
exact mnt/p/nearer/a "it came under a child's exact, key by key taken back"
exact mnt/p/nearer/deep/a "it came further down"
coded mnt/p/off/a
exact mnt/p/off/a "it came under a child's exact and ingest=off, and was encoded by hand"
come mnt/p/exact/new
come mnt/p/nearer/deep/new
settle
lossy mnt/p/exact/new "it came when the parent's word held again"
lossy mnt/p/nearer/deep/new "it came when the parent's word held again"

# Set and taken back by who knows of attributes only: from then on, whatever it says of since when.
mkdir mnt/p/raw mnt/raw
raw() { setfattr -n user.deltafs.policy -v "$1" "$2" || fail "setfattr $2"; }
raw "codec=exact
quiet=3600" mnt/p/raw
come mnt/p/raw/a
come mnt/raw/a
setfattr -x user.deltafs.policy mnt/p/raw || fail "setfattr -x"
raw "codec=bitdelta
since=1" mnt/raw
settle
exact mnt/p/raw/a "it came under a child's exact, whose attribute was removed"
exact mnt/raw/a "it was there before the attribute, which says that it was not"
come mnt/p/raw/new
come mnt/raw/new
settle
lossy mnt/p/raw/new "it came when the parent's word held again"
lossy mnt/raw/new "it came after the attribute"
raw "codec=bitdelta
quiet=1" mnt/raw
come mnt/raw/newer
raw "codec=bitdelta" mnt/raw
settle
lossy mnt/raw/newer "the codec stayed what it was"

# Set anew, the same or another codec: of what comes then. One that was there stays.
mkdir mnt/q && policy set mnt/q ingest=off
come mnt/q/a
policy set mnt/q codec=bitdelta
policy unset mnt/q ingest
coded mnt/q/a
exact mnt/q/a "it was there before the policy"
policy set mnt/q ingest=off
come mnt/q/b
policy set mnt/q codec=exact && policy set mnt/q codec=bitdelta
policy unset mnt/q ingest
coded mnt/q/b
exact mnt/q/b "the codec was exact in between"

# Made in the very moment before, or after: files' times are coarse.
python3 - <<'PY' || fail "files of the moment"
import os, subprocess
data = open("tune", "rb").read()
def come(path):
    with open(path, "wb") as f:
        f.write(data)
os.mkdir("mnt/moment")
for i in range(8):
    where = f"mnt/moment/{i}"
    os.mkdir(where)
    come(f"{where}/before")
    subprocess.run(["deltafsctl", "policy", "set", where, "codec=bitdelta", "quiet=1"], stdout=subprocess.DEVNULL, check=True)
    come(f"{where}/after")
PY
settle
for i in 0 1 2 3 4 5 6 7; do
	exact mnt/moment/$i/before "it came just before the policy"
	lossy mnt/moment/$i/after "it came just after the policy"
done

# What waits over a remount does not come under the codec of the next mount, nor of its policies.
mkdir mnt/wait && policy set mnt/wait quiet=3600
come mnt/wait/a
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0,codec=bitdelta
policy set mnt/wait quiet=0
settle
exact mnt/wait/a "it came under another mount"

# The mount's own option is the outermost.
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0,codec=bitdelta
mkdir mnt/m && policy set mnt/m codec=exact quiet=3600
come mnt/m/a
policy unset mnt/m
settle
exact mnt/m/a "it came under a directory's exact, in a lossy mount"
come mnt/m/b
settle
lossy mnt/m/b "it came under the mount's codec"
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0

# Moved as it settles: where it is then counts, if that was said before.
mkdir -p mnt/give mnt/keep mnt/late
policy set mnt/give codec=bitdelta quiet=600
policy set mnt/keep codec=exact
come mnt/give/a && mv mnt/give/a mnt/keep/a
mkdir mnt/give/dir && come mnt/give/dir/a && mv mnt/give/dir mnt/keep/dir
come mnt/late/a && policy set mnt/late codec=bitdelta
policy set mnt/give quiet=1
settle
exact mnt/keep/a "moved to where all is exact"
exact mnt/keep/dir/a "moved with its directory"
exact mnt/late/a "it came before the policy, and settled after"
mv mnt/keep/a mnt/give/b && settle
exact mnt/give/b "a container that was moved to where bits are given up"

# While it is coded: the policy is taken back, changed, moved away; behind the mount too. Who was told so finds the file exact.
policy set mnt/give codec=delta-come quiet=0
working() { getfattr --absolute-names --only-values -n user.deltafs.status mnt | grep -q '"encoding"'; }
begin() { come "$1"; retry 30 working || echo "$1 was not seen while it was coded"; }
# Unless it had been published before: its own inode, or another.
still() { [ "$(stat -c %i "$1")" = "$2" ]; }
told_so=0
meanwhile() {
	local file=$1 number before
	begin "$file"
	number=$(stat -c %i "$file")
	before=$(told state "$file")	# after the number, which then is that of what came
	"${@:3}" || fail "$*"
	if [ "$before" = plain ] && still "$2" "$number"; then
		told_so=$((told_so + 1))
		settle
		exact "$2" "${*:3}, while it was coded"
	else
		settle
	fi
}
for i in 1 2 3 4 5 6 7 8; do
	[ $told_so = 0 ] || break
	meanwhile mnt/give/c$i mnt/give/c$i deltafsctl policy set mnt/give codec=exact >/dev/null
	policy set mnt/give codec=delta-come
done
[ $told_so -gt 0 ] || fail "nothing was caught while it was coded"
meanwhile mnt/give/e mnt/give/e setfattr -x user.deltafs.policy store/give
policy set mnt/give codec=delta-come
mkdir mnt/give/x mnt/give/y
meanwhile mnt/give/x/a mnt/keep/x/a mv mnt/give/x mnt/keep/x
policy set mnt/give/y quiet=0
meanwhile mnt/give/y/a mnt/give/y/a deltafsctl policy set mnt/give/y codec=exact >/dev/null
echo "$told_so caught while they were coded"
stop_daemon mnt
