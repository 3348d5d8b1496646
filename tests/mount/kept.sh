#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kept: the original of a file that gave up bits stays where the policy says so, until accept, revert, its time, or the file's end, whatever is written to the file; every byte of it comes back
# test: timeout=600
. "$(dirname "$0")/common.sh"

make_store --params 400000 --hidden 256 --vocab 512 --seed 7
tune=$PWD/orig/tune/model.safetensors
size=$(stat -c %s "$tune")
start_daemon store mnt -o rw,quiet=0

is_lossy() { [ "$(told exact "$1")" = 0 ] && [ "$(told state "$1")" = container ] && ! cmp -s "$1" "$tune"; }
settle() { deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest: $(cat "$log")"; }
kept() { getfattr --absolute-names --only-values -n user.deltafs.status mnt | python3 -c 'import json, sys; print(json.load(sys.stdin)["kept"][sys.argv[1]])' "$1"; }
originals() { find store/.deltafs/kept -type f -not -name '*.record' | wc -l; }
keeps() { [ "$(kept files)" = "$1" ] && [ "$(originals)" = "$1" ] && [ "$(find store/.deltafs/kept -type f | wc -l)" = $((2 * $1)) ]; }
all_keep() { retry 20 keeps "$1" || fail "$2: $(kept files) are kept, not $1: $(ls -l store/.deltafs/kept) $(tail -3 "$log")"; }
# lossy NAME: a file comes, and gives up bits.
lossy() {
	cp "$tune" "mnt/$1" && settle && is_lossy "mnt/$1" || fail "$1: exact=$(told exact "mnt/$1") $(told reason "mnt/$1") $(tail -3 "$log")"
}

mkdir mnt/none mnt/hand mnt/week
for dir in none hand week; do deltafsctl policy set mnt/$dir codec=bitdelta >/dev/null || fail "policy set"; done
deltafsctl policy set mnt/hand keep=manual >/dev/null || fail "policy set keep=manual"
deltafsctl policy set mnt/week keep=1w >/dev/null || fail "policy set keep=1w"
for wrong in 7 0s 11y 600w forever ''; do
	deltafsctl policy set mnt/week "keep=$wrong" >/dev/null 2>&1 && fail "policy set keep=$wrong"
done
deltafsctl policy show mnt/week | grep -qx 'keep=1w' || fail "policy show: $(deltafsctl policy show mnt/week)"

# Only where somebody said so; nothing of it shows.
lossy none/a
all_keep 0 "without a word"
[ -z "$(told kept mnt/none/a)" ] || fail "user.deltafs.kept of what is not kept"
cp "$tune" mnt/hand/a
chmod 640 mnt/hand/a && setfattr -n user.mine -v 'of the original' mnt/hand/a && touch -d '2021-02-03 04:05:06.7' mnt/hand/a
before=$(stat -c '%a %u %g %s %.9Y' mnt/hand/a)
exec 5<mnt/hand/a
settle
is_lossy mnt/hand/a || fail "keep=manual: exact=$(told exact mnt/hand/a) $(told reason mnt/hand/a)"
all_keep 1 "keep=manual"
[ "$(told kept mnt/hand/a)" = manual ] || fail "user.deltafs.kept: $(told kept mnt/hand/a)"
[ "$(stat -c %h mnt/hand/a)" = 1 ] || fail "st_nlink of the file: $(stat -c %h mnt/hand/a)"
[ "$(stat -L -c %h /dev/fd/5)" = 0 ] || fail "st_nlink of an original that is open: $(stat -L -c %h /dev/fd/5)"
find mnt -name '*.record' -o -name .deltafs | grep -q . && fail "what is kept shows in the mount"
[ "$(kept bytes)" = "$size" ] && [ "$(kept manual)" = 1 ] || fail "status: $(kept bytes) bytes, $(kept manual) by hand"
deltafsctl status mnt | grep -q '^originals kept: 1 file, .*; 1 until you decide' || fail "status: $(deltafsctl status mnt)"
deltafsctl info mnt/hand/a | grep -q '^kept  *its original, .* until you say, unless the file is removed or replaced;' || fail "info: $(deltafsctl info mnt/hand/a)"
deltafsctl info --json mnt/hand/a | python3 -c 'import json, sys; k = json.load(sys.stdin)["kept"]; assert k == {"until": "manual", "bytes": int(sys.argv[1]), "changed": False}, k' "$size" || fail "info --json"

# Who had it open reads on, and changes nothing.
cmp -s /dev/fd/5 "$tune" || fail "an open handle has other bytes"
python3 - 5<&5 <<'PY' || fail "an original was changed by who had it open"
import errno, os
def refused(what, *args):
    try:
        what(*args)
    except OSError as error:
        assert error.errno in (errno.EPERM, errno.ENOENT, errno.ESTALE), error
    else:
        raise AssertionError(what)
refused(os.open, "/proc/self/fd/5", os.O_RDWR)
refused(os.open, "/proc/self/fd/5", os.O_WRONLY | os.O_TRUNC)
refused(os.truncate, "/proc/self/fd/5", 5)
refused(os.fchmod, 5, 0o777)
refused(os.utime, 5, (1, 1))
refused(os.setxattr, 5, "user.mine", b"other")
PY
ln -L /proc/self/fd/5 mnt/hand/again 2>/dev/null && fail "an original got another name"

# With a time: told, and another path is no other file.
lossy week/a
until=$(told kept mnt/week/a)
[ "$(date -d "$until" +%s)" -gt $(($(date +%s) + 600000)) ] && [ "$(date -d "$until" +%s)" -le $(($(date +%s) + 604800)) ] || fail "until $until"
mkdir mnt/week/d && mv mnt/week/a mnt/week/d/b && mv mnt/week/d mnt/week/e
[ "$(told kept mnt/week/e/b)" = "$until" ] || fail "after renames: $(told kept mnt/week/e/b)"
cp mnt/week/e/b mnt/copy && settle
[ -z "$(told kept mnt/copy)" ] || fail "a copy is said to have an original"

# Across a restart; also for a mount that only reads, and without one.
exec 5<&-
stop_daemon mnt
deltafsctl status store | grep -q '^originals kept: 2 files' || fail "status without a mount: $(deltafsctl status store)"
deltafsctl info store/week/e/b | grep -q "until $until, unless" || fail "info without a mount: $(deltafsctl info store/week/e/b)"
start_daemon store mnt -o ro
[ "$(told kept mnt/week/e/b)" = "$until" ] && [ "$(told kept mnt/hand/a)" = manual ] || fail "read-only: $(told kept mnt/week/e/b)"
deltafsctl status mnt | grep -q '^originals kept: 2 files, .*; 1 until you decide' || fail "status of a read-only mount: $(deltafsctl status mnt)"
deltafsctl status --json mnt | python3 -c 'import json, sys; o = json.load(sys.stdin)["kept"]; assert (o["files"], o["manual"]) == (2, 1), o' || fail "status --json of a read-only mount"
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
all_keep 2 "after a restart"
[ "$(told kept mnt/week/e/b)" = "$until" ] || fail "after a restart: $(told kept mnt/week/e/b)"

# Every byte comes back, and all else; it looks like a save by another program.
number=$(stat -c %i mnt/hand/a)
exec 6<mnt/hand/a
lossy_sum=$(sha256sum <mnt/hand/a)
chmod 600 mnt/hand/a
deltafsctl revert mnt/hand/a >said 2>&1 || fail "revert: $(cat said)"
cmp mnt/hand/a "$tune" || fail "revert: other bytes"
[ "$(stat -c '%a %u %g %s %.9Y' mnt/hand/a)" = "$before" ] || fail "revert: $(stat -c '%a %u %g %s %.9Y' mnt/hand/a), not $before"
[ "$(getfattr --absolute-names --only-values -n user.mine mnt/hand/a)" = 'of the original' ] || fail "revert: attributes"
[ "$(stat -c %i mnt/hand/a)" != "$number" ] || fail "other bytes under the same inode number"
[ "$(stat -c %h mnt/hand/a)" = 1 ] || fail "st_nlink after revert: $(stat -c %h mnt/hand/a)"
[ "$lossy_sum" = "$(sha256sum </dev/fd/6)" ] || fail "who had it open does not have what he had"
exec 6<&-
all_keep 1 revert
settle
[ "$(told exact mnt/hand/a)" = 1 ] && cmp mnt/hand/a "$tune" || fail "after revert it is not coded exactly"
deltafsctl revert mnt/hand/a >said 2>&1 && fail "a second revert"
grep -q 'nothing is kept of it' said || fail "a second revert: $(cat said)"

# One that is damaged is not given back, and the file stays what it was.
lossy hand/damaged
lossy_sum=$(sha256sum <mnt/hand/damaged)
for id in store/.deltafs/kept/*; do [[ $id != *.record ]] && grep -aq 'path hand/damaged$' "$id.record" && break; done
flip "$id" $((size / 2))
deltafsctl revert mnt/hand/damaged >said 2>&1 && fail "reverted to what is damaged"
grep -q 'its original cannot be given back, and the file stays as it is' said || fail "revert to what is damaged: $(cat said)"
[ "$lossy_sum" = "$(sha256sum <mnt/hand/damaged)" ] && [ "$(told kept mnt/hand/damaged)" = manual ] || fail "revert to what is damaged changed something"
flip "$id" $((size / 2))
deltafsctl revert mnt/hand/damaged >said 2>&1 || fail "revert once it is whole again: $(cat said)"
cmp mnt/hand/damaged "$tune" || fail "revert once it is whole again: other bytes"
rm mnt/hand/damaged
all_keep 1 "after damage"

# By name too; accept lets go of it, and of nothing else.
deltafsctl policy set mnt/hand quiet=600 >/dev/null || fail "policy set"	# else the policy may be there first
cp "$tune" mnt/hand/b
deltafsctl encode --yes --codec bitdelta mnt/hand/b </dev/null >said 2>&1 || fail "encode --codec: $(cat said)"
deltafsctl policy set mnt/hand quiet=0 >/dev/null || fail "policy set"
is_lossy mnt/hand/b || fail "encode --codec"
all_keep 2 "encode --codec"
lossy_sum=$(sha256sum <mnt/hand/b)
deltafsctl accept --json mnt/hand/b >said 2>&1 || fail "accept: $(cat said)"
python3 -c 'import json, sys; o = json.load(open("said")); assert o["files"][0]["result"] == "accepted" and o["total"]["accepted"] == 1, o' || fail "accept --json: $(cat said)"
[ "$lossy_sum" = "$(sha256sum <mnt/hand/b)" ] || fail "accept changed the file"
all_keep 1 accept
deltafsctl accept -r mnt/hand >said 2>&1 && fail "accept -r where nothing is kept"
grep -q 'nothing is kept' said || fail "accept -r: $(cat said)"

# A directory below says that nothing is kept.
mkdir -p mnt/hand/none && deltafsctl policy set mnt/hand/none keep=none >said 2>&1 || fail "policy set keep=none: $(cat said)"
deltafsctl policy show mnt/hand/none | grep -qx 'keep=none' || fail "policy show: $(deltafsctl policy show mnt/hand/none)"
lossy hand/none/c
deltafsctl encode --codec bitdelta --again mnt/hand/none/c </dev/null >said 2>&1
[ $? = 2 ] && all_keep 1 "keep=none" || fail "keep=none: $(cat said)"
rm -r mnt/hand/none

# Decoded it is the same bytes, and has its original still; what is written is what somebody wants.
deltafsctl decode mnt/week/e/b >said 2>&1 || fail "decode: $(cat said)"
[ "$(told kept mnt/week/e/b)" = "$until" ] && [ "$(told state mnt/week/e/b)" = plain ] || fail "decoded: $(told kept mnt/week/e/b)"
deltafsctl encode mnt/week/e/b >said 2>&1 || fail "encode: $(cat said)"
[ "$(told kept mnt/week/e/b)" = "$until" ] || fail "coded again: $(told kept mnt/week/e/b)"
deltafsctl revert -r mnt/week >said 2>&1 && fail "what may have been written to is given up without a word"
grep -q 'mnt/week/e/b: it was decoded, written to or coded anew since .*; --yes reverts it' said || fail "revert of what was decoded: $(cat said)"
deltafsctl revert -r --yes mnt/week >said 2>&1 || fail "revert -r --yes: $(cat said)"
cmp mnt/week/e/b "$tune" || fail "revert -r: other bytes"
all_keep 0 "revert -r"

# Removed, renamed over, emptied: it goes with what it was kept for.
for name in removed over emptied plain again; do lossy "hand/$name"; done
all_keep 5 "five files"
deltafsctl decode mnt/hand/plain >/dev/null || fail "decode"
rm mnt/hand/removed
all_keep 4 removed
echo x >mnt/hand/x && mv mnt/hand/x mnt/hand/over
all_keep 3 "renamed over"
: >mnt/hand/emptied
all_keep 2 emptied
: >mnt/hand/plain
all_keep 1 "emptied, plain"
# What is copied into it gives up bits as well, and is kept itself.
cp "$tune" other && flip other $((size / 2))
cp other mnt/hand/again && settle
all_keep 1 "copied into"
deltafsctl revert mnt/hand/again >said 2>&1 || fail "revert of what was copied into: $(cat said)"
cmp mnt/hand/again other || fail "the original of what was there before came back"
rm mnt/hand/*

# Written to, it stays, whatever the file is stored as, and comes back to whoever says that he wants that.
for name in written decoded grown; do lossy "hand/$name"; done
deltafsctl decode mnt/hand/decoded >/dev/null || fail "decode"
for name in written decoded; do
	printf x | dd of="mnt/hand/$name" bs=1 seek=$((size - 1)) conv=notrunc status=none
done
head -c 1000 /dev/zero >>mnt/hand/grown
for name in written decoded grown; do cp "mnt/hand/$name" "now.$name"; done
written() {
	local name
	all_keep 3 "$1"
	for name in written decoded grown; do
		[ "$(told kept "mnt/hand/$name")" = manual ] || fail "$1: of $name nothing is kept"
		cmp "mnt/hand/$name" "now.$name" || fail "$1: $name has other bytes"
	done
}
written "written to"
settle
for name in written decoded grown; do
	[ "$(told exact "mnt/hand/$name")" = 1 ] || [ "$name" = grown ] || fail "$name came to rest: $(told state "mnt/hand/$name"), exact=$(told exact "mnt/hand/$name")"
done
written "at rest"
stop_daemon mnt
# A copy of the store knows them too.
cp -a store copied
fsck.deltafs copied >said 2>&1 || fail "fsck of a copied store: $(cat said)"
for name in written decoded grown; do
	deltafsctl revert "copied/hand/$name" >said 2>&1 && fail "copied: $name is reverted without a word"
	deltafsctl revert --yes "copied/hand/$name" >said 2>&1 || fail "copied: revert --yes of $name: $(cat said)"
	cmp "copied/hand/$name" "$tune" || fail "copied: revert --yes of $name: other bytes"
done
rm -r copied
start_daemon store mnt -o rw,quiet=0
: >mnt/hand/x && rm mnt/hand/x
written "after a restart"
deltafsctl info --json mnt/hand/grown | python3 -c 'import json, sys; k = json.load(sys.stdin)["kept"]; assert k == {"until": "manual", "bytes": int(sys.argv[1]), "changed": True}, k' "$size" || fail "info --json of what was written to"
deltafsctl info mnt/hand/written | grep -q '^kept .*; the file was decoded, written to or coded anew since$' || fail "info of what was written to: $(deltafsctl info mnt/hand/written)"
for name in written decoded grown; do
	deltafsctl revert "mnt/hand/$name" >said 2>&1 && fail "$name: what was written is given up without a word"
	grep -q "mnt/hand/$name: it was decoded, written to or coded anew since .*; --yes reverts it" said || fail "revert of what was written to: $(cat said)"
done
written "a revert that was refused"
deltafsctl accept mnt/hand/decoded >said 2>&1 || fail "accept of what was written to: $(cat said)"
cmp mnt/hand/decoded now.decoded || fail "accept changed what was written to"
for name in written grown; do
	deltafsctl revert --yes "mnt/hand/$name" >said 2>&1 || fail "revert --yes: $(cat said)"
	cmp "mnt/hand/$name" "$tune" || fail "revert --yes of $name: other bytes"
done
all_keep 0 "revert --yes"

# What is due goes by itself.
deltafsctl policy set mnt/week keep=2s >/dev/null || fail "policy set keep=2s"
lossy week/short
gone() { [ -z "$(told kept mnt/week/short)" ] && keeps 0; }
retry 70 gone || fail "what is due is there after a minute: $(told kept mnt/week/short) $(ls store/.deltafs/kept)"
is_lossy mnt/week/short || fail "what was due took the file with it"
stop_daemon mnt
fsck.deltafs store >said 2>&1 || fail "fsck: $(cat said)"
