#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy: bits are given up where somebody said so before the file came, or by name; it looks like a save by another program
# test: timeout=300
. "$(dirname "$0")/common.sh"

make_store --params 4000000 --hidden 512 --seed 7
tune=$PWD/orig/tune/model.safetensors
start_daemon store mnt -o rw,quiet=0

is_exact() { [ "$(told exact "$1")" = 1 ] && cmp -s "$1" "$tune"; }
is_lossy() { [ "$(told exact "$1")" = 0 ] && [ "$(told state "$1")" = container ] && ! cmp -s "$1" "$tune"; }
settle() { deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest: $(cat "$log")"; }
hash_name=$(sha256sum <"$tune" | cut -d' ' -f1)

mkdir mnt/given mnt/exact
cp "$tune" mnt/given/before.safetensors
settle
deltafsctl policy set mnt/given codec=bitdelta >/dev/null || fail "policy set"
deltafsctl policy show mnt/given | grep -qx 'codec=bitdelta' || fail "policy show: $(deltafsctl policy show mnt/given)"
deltafsctl policy show mnt/given | grep -q since && fail "policy show tells of what no user sets"

# While it waits and while it is coded: who has it open or mapped keeps the old bytes, later opens get the new ones.
deltafsctl policy set mnt/given quiet=600 >/dev/null || fail "policy set quiet"
cp "$tune" mnt/given/new.safetensors
cp "$tune" "mnt/given/$hash_name"
cp "$tune" mnt/exact/new.safetensors
exec 5<mnt/given/new.safetensors
before=$(stat -c '%i %Y' mnt/given/new.safetensors)
python3 - mnt/given/new.safetensors "$tune" 5<&- <<'PY' &
import mmap, os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY)
want = open(sys.argv[2], "rb").read()
view = mmap.mmap(fd, len(want), prot=mmap.PROT_READ)
number = os.fstat(fd).st_ino
open("watched", "w").close()
end = time.monotonic() + 240
while os.stat(sys.argv[1]).st_ino == number and time.monotonic() < end:
    time.sleep(0.05)
assert os.stat(sys.argv[1]).st_ino != number, "it was not replaced"
assert os.pread(fd, len(want), 0) == want, "an open handle got other bytes"
assert view[:] == want, "a mapping got other bytes"
assert open(sys.argv[1], "rb").read() != want, "who opens it later gets the old bytes"
PY
watcher=$!
retry 30 test -e watched || fail "nobody has it open"
sleep 1	# its mtime is to be another one
deltafsctl policy set mnt/given quiet=0 >/dev/null || fail "policy set quiet"
settle
wait "$watcher" || fail "who had it open while it was published"
cmp -s /dev/fd/5 "$tune" || fail "an open handle of another process got other bytes"
exec 5<&-
is_lossy mnt/given/new.safetensors || fail "a file that came after the policy: exact=$(told exact mnt/given/new.safetensors) state=$(told state mnt/given/new.safetensors)"
[ "${before% *}" != "$(stat -c %i mnt/given/new.safetensors)" ] || fail "other bytes under the same inode number"
[ "${before#* }" -lt "$(stat -c %Y mnt/given/new.safetensors)" ] || fail "other bytes with the same mtime"
is_exact mnt/given/before.safetensors || fail "a file that was there before the policy"
is_exact "mnt/given/$hash_name" || fail "a file whose name is its hash"
is_exact mnt/exact/new.safetensors || fail "a file somewhere else"
grep -q "exactly, since its name is the hash of its content" "$log" || fail "why is not told: $(cat "$log")"

# All that names it says what it is.
deltafsctl info mnt/given/new.safetensors | grep -qx 'state      compressed, lossy' || fail "info: $(deltafsctl info mnt/given/new.safetensors)"
[ "$(told codec mnt/given/new.safetensors)" ] && [[ $(told codec mnt/given/new.safetensors) = *bitdelta* ]] || fail "user.deltafs.codec"
given=$(sha256sum <mnt/given/new.safetensors)

# The same bytes after a remount, and by the tools.
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
[ "$given" = "$(sha256sum <mnt/given/new.safetensors)" ] || fail "other bytes after a remount"
deltafsctl verify mnt/given/new.safetensors >/dev/null || fail "verify"

# Thawed and at rest again: exact, whatever the policy says. What is written in its place is new.
printf x | dd of=mnt/given/new.safetensors bs=1 seek=$(($(stat -c %s "$tune") - 1)) conv=notrunc status=none
edited=$(sha256sum <mnt/given/new.safetensors)
settle
[ "$(told exact mnt/given/new.safetensors)" = 1 ] || fail "a thawed file gave up bits again"
[ "$edited" = "$(sha256sum <mnt/given/new.safetensors)" ] || fail "a thawed file changed when it was compressed"
cp "$tune" mnt/given/new.safetensors
settle
is_lossy mnt/given/new.safetensors || fail "a file that was wholly written anew: exact=$(told exact mnt/given/new.safetensors)"

# By name: nobody is asked who cannot answer, and then nothing happens.
deltafsctl decode mnt/exact/new.safetensors >/dev/null || fail "decode"
deltafsctl encode --codec bitdelta mnt/exact/new.safetensors </dev/null >said 2>&1
[ $? = 2 ] || fail "encode without --yes and without a terminal: $(cat said)"
grep -q "gives up bits" said || fail "it does not say what is given up: $(cat said)"
cmp -s mnt/exact/new.safetensors "$tune" || fail "it was changed without a yes"
deltafsctl encode --yes --codec bitdelta mnt/exact/new.safetensors </dev/null >said 2>&1 || fail "encode --yes: $(cat said)"
is_lossy mnt/exact/new.safetensors || fail "encode --yes --codec: exact=$(told exact mnt/exact/new.safetensors)"

# What is compressed exactly is taken as well, by either of its paths; who has it open keeps the old bytes. What is lossy is not.
for path in mnt/exact store/exact; do
	cp "$tune" mnt/exact/packed
	settle
	is_exact mnt/exact/packed || fail "it is not compressed exactly"
	exec 5<mnt/exact/packed
	deltafsctl encode --yes --codec bitdelta $path/packed </dev/null >said 2>&1 || fail "encode of an exact container, $path: $(cat said)"
	is_lossy mnt/exact/packed || fail "encode of an exact container, $path: exact=$(told exact mnt/exact/packed)"
	cmp -s mnt/exact/packed mnt/exact/new.safetensors || fail "encode of an exact container, $path: other bytes than of the plain file"
	cmp -s /dev/fd/5 "$tune" || fail "an open handle got other bytes"
	exec 5<&-
	before=$(sha256sum <mnt/exact/packed)
	deltafsctl encode --yes --codec delta-dct $path/packed </dev/null >said 2>&1 && fail "a second pass, $path"
	grep -q 'lossy already, by bitdelta, .*; its original is not kept; --again does it all the same' said || fail "a second pass: $(cat said)"
	[ "$before" = "$(sha256sum <mnt/exact/packed)" ] || fail "a second pass was refused, and changed it"
done
deltafsctl policy set mnt/exact keep=manual >/dev/null || fail "policy set keep"
cp "$tune" mnt/exact/packed
settle
deltafsctl encode --yes --codec bitdelta mnt/exact/packed </dev/null >said 2>&1 || fail "encode where originals are kept: $(cat said)"
deltafsctl encode --yes --codec delta-dct mnt/exact/packed </dev/null >said 2>&1 && fail "a second pass of what is kept"
grep -q 'deltafsctl revert brings the original back, which is kept until you say; --again' said || fail "a second pass of what is kept: $(cat said)"
deltafsctl encode --yes --again --codec delta-dct mnt/exact/packed </dev/null >said 2>&1 || fail "--again: $(cat said)"
[[ $(told codec mnt/exact/packed) = *delta-dct* ]] && [ "$(told kept mnt/exact/packed)" = manual ] || fail "--again: $(told codec mnt/exact/packed) $(told kept mnt/exact/packed)"
deltafsctl revert mnt/exact/packed >said 2>&1 && fail "revert after a second pass, without a word"
deltafsctl revert --yes mnt/exact/packed >said 2>&1 || fail "revert after a second pass: $(cat said)"
cmp mnt/exact/packed "$tune" || fail "revert after a second pass: other bytes"
stop_daemon mnt
