#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# control: deltafsctl and the daemon of a writable mount: status, wait, encode and decode, and who may ask
# test: tsan timeout=600
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"	# run, size, member, and same A B, which is byte for byte

tune=orig/tune/model.safetensors
stored() { told stored_bytes "$1"; }
# kept FILE: what is to stay, whatever deltafs does.
kept() { stat -c '%i %s %y %z %h %a %u' "$1"; }
is_plain() { [ "$(told state "$1")" = plain ]; }
is_compressed() { [ "$(told state "$1")" = container ] && at_most "$(stored "$1")" $(($(size "$tune") * 6 / 10)); }

# raw FILE MODE NUMBER [FIELD=VALUE]...: one ioctl by hand: its errno's name or "done", then version, state, result.
raw() {
	python3 - "$@" <<'PY'
import errno, fcntl, os, struct, sys
path, mode, number = sys.argv[1:4]
fields = dict(pair.split("=") for pair in sys.argv[4:])
size = int(fields.get("size", 536))
c = bytearray(size)
struct.pack_into("<I", c, 0, int(fields.get("version", 1)))
struct.pack_into("<Q", c, 8, int(fields.get("id", 0)))
if "stain" in fields:
    c[int(fields["stain"])] = 1
fd = os.open(path, os.O_RDWR if mode == "rw" else os.O_RDONLY)
try:
    fcntl.ioctl(fd, 3 << 30 | size << 16 | 0xdf << 8 | int(number), c, True)
    said = "done"
except OSError as error:
    said = errno.errorcode[error.errno]
print(said, *struct.unpack_from("<II", c, 0), *struct.unpack_from("<qi", c, 8))
PY
}
# answers WORDS FILE MODE NUMBER ...: raw begins so.
answers() {
	local want=$1 got
	shift
	got=$(raw "$@")
	case "$got" in "$want"*) ;; *) fail "ioctl $*: $got, not $want" ;; esac
}

make_store --params 2000000 --hidden 256 --seed 77
for name in before existing byhand twice; do cp "$tune" "store/$name.safetensors"; done
mkdir -p store/dir/below

# --- what is written is compressed; wait knows when
start_daemon store mnt -o rw,quiet=1
run deltafsctl wait --timeout 5 mnt
run deltafsctl status mnt
grep -q 'queue: empty' said || fail "status of a mount that did nothing: $(cat said)"
cp "$tune" mnt/dir/below/a.safetensors
shown=$(kept mnt/dir/below/a.safetensors)
expect_fail 1 'not yet|written|still open' deltafsctl wait --timeout 0 mnt/dir
run deltafsctl wait --timeout 240 mnt/dir/below/a.safetensors
grep -Eq 'a.safetensors: .* -> .*, base [0-9a-f]{8}' said || fail "wait said $(cat said)"
is_compressed mnt/dir/below/a.safetensors || fail "not compressed after wait"
[ "$(kept mnt/dir/below/a.safetensors)" = "$shown" ] || fail "what stat shows changed: $shown, $(kept mnt/dir/below/a.safetensors)"
head -c 100000 /dev/urandom >mnt/noise.bin
run deltafsctl wait --json --timeout 60 mnt
cp said waited
[ "$(member waited '[o["command"], o["version"], o["settled"], o["open"] + o["waiting"] + o["working"]]')" = "['wait', 1, True, 0]" ] ||
	fail "wait --json: $(cat waited)"
run deltafsctl wait store/noise.bin
grep -q 'left as it is: not safetensors' said || fail "wait for what stays: $(cat said)"
told reason mnt/noise.bin | grep -q '^not safetensors.*; deltafsctl encode' || fail "reason: $(told reason mnt/noise.bin)"
run deltafsctl status --json store/dir
cp said told
[ "$(member told '[o["mounted"], o["queue"]["compressed_files"], o["queue"]["original_bytes"], o["queue"]["waiting"]]')" = \
	"[True, 1, $(size "$tune"), 0]" ] || fail "status --json: $(cat told)"
[ "$(member told '[(f["path"], f["reason"], f["stays"]) for f in o["queue"]["last"]]')" = "[('noise.bin', 'not-safetensors', True)]" ] ||
	fail "the last reasons: $(cat told)"
run deltafsctl status mnt
grep -q 'compressed since then: 1 file' said && grep -q 'noise.bin: not safetensors' said || fail "status: $(cat said)"

told reason mnt/before.safetensors | grep -q '^was there before the mount; deltafsctl encode FILE' || fail "reason: $(told reason mnt/before.safetensors)"
told reason mnt/base/model.safetensors | grep -q '^a base' || fail "reason of a base: $(told reason mnt/base/model.safetensors)"

# --- encode: what was there before the mount, by either path, under an open handle
exec 5<mnt/before.safetensors
shown=$(kept mnt/before.safetensors)
run deltafsctl encode mnt/before.safetensors store/existing.safetensors
[ "$(grep -c ' -> .*x), base' said)" = 2 ] || fail "encode said $(cat said)"
is_compressed mnt/before.safetensors && is_compressed mnt/existing.safetensors || fail "encode through the mount"
same /dev/fd/5 "$tune"
exec 5<&-
[ "$(kept mnt/before.safetensors)" = "$shown" ] || fail "encode shows: $shown, $(kept mnt/before.safetensors)"
run deltafsctl encode --json mnt/before.safetensors
cp said again
[ "$(member again '[(f["result"], f["reason"]) for f in o["files"]]')" = "[('left', 'compressed already')]" ] || fail "twice: $(cat again)"
run deltafsctl encode mnt/noise.bin
grep -q 'left as it is: would not shrink' said || fail "by name, whatever it is: $(cat said)"
expect_fail 1 'no base of' deltafsctl encode --base 00000000 mnt/byhand.safetensors
run deltafsctl encode -r mnt
grep -Eq ', 0 failed' said || fail "encode -r: $(cat said)"
is_compressed mnt/byhand.safetensors || fail "encode -r"

# --- decode: under a handle and a mapping, and it stays so until it is written
exec 5<mnt/byhand.safetensors
shown=$(kept mnt/byhand.safetensors)
run deltafsctl decode mnt/byhand.safetensors
grep -q 'byhand.safetensors: decoded' said || fail "decode said $(cat said)"
is_plain mnt/byhand.safetensors || fail "decode left it compressed"
same /dev/fd/5 "$tune"
exec 5<&-
[ "$(kept mnt/byhand.safetensors)" = "$shown" ] || fail "decode shows: $shown, $(kept mnt/byhand.safetensors)"
same store/byhand.safetensors "$tune"
told reason mnt/byhand.safetensors | grep -q '^decoded by hand' || fail "reason: $(told reason mnt/byhand.safetensors)"
run deltafsctl info store/byhand.safetensors
grep -q 'decoded by hand' said || fail "info of what was decoded by hand: $(cat said)"
run deltafsctl decode store/byhand.safetensors
grep -q 'plain already' said || fail "decode of a plain file: $(cat said)"
sleep 1.5	# longer than it takes a file that was written to come to rest
run deltafsctl wait --timeout 5 mnt
is_plain mnt/byhand.safetensors || fail "what was decoded by hand was compressed again"
printf X | dd of=mnt/byhand.safetensors bs=1 seek=$(($(size "$tune") - 100)) conv=notrunc status=none
run deltafsctl wait --timeout 240 mnt/byhand.safetensors
is_compressed mnt/byhand.safetensors || fail "written, and not compressed again: $(cat said)"
# What waits is decoded by hand: it does not wait any more.
cp "$tune" mnt/waits.safetensors
# cp(1) has ended before the daemon is told that its file is closed.
closed() { deltafsctl wait --timeout 0 mnt/waits.safetensors >said 2>&1 || ! grep -q 'still open' said; }
retry 30 closed || fail "it stays open: $(cat said)"
run deltafsctl decode mnt/waits.safetensors
run deltafsctl wait --timeout 0 mnt/waits.safetensors
# What is waited for is removed.
cp "$tune" mnt/removed.safetensors
deltafsctl wait --timeout 240 mnt/removed.safetensors >removed.said 2>&1 &
waiter=$!
has_it_open() { ls -l "/proc/$waiter/fd" 2>/dev/null | grep -q removed.safetensors || ! kill -0 "$waiter" 2>/dev/null; }
retry 30 has_it_open
rm mnt/removed.safetensors
wait "$waiter" || fail "wait for what is removed: $(cat removed.said)"
grep -Eq 'not there any more|->' removed.said || fail "wait for what is removed said $(cat removed.said)"
# Somebody writes to it while it is made plain.
python3 - mnt/twice.safetensors <<'PY' &
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
os.pwrite(fd, b"between", 500000)
os.close(fd)
PY
run deltafsctl decode mnt/twice.safetensors
wait $! || fail "a writer beside a decode"
[ "$(dd if=mnt/twice.safetensors bs=1 skip=500000 count=7 status=none)" = between ] || fail "a write beside a decode is lost"
run deltafsctl decode -r mnt
is_plain mnt/dir/below/a.safetensors || fail "decode -r"
same mnt/dir/below/a.safetensors "$tune"
run deltafsctl verify -r store

# --- by hand: versions, garbage, what is no file
answers 'done 1 ' mnt ro 1
answers 'EPROTO 1 ' mnt ro 1 version=2
answers 'EPROTO 1 ' mnt/byhand.safetensors ro 3 version=0
for stain in 4 16 20 24 72 88 120 400 535; do answers EINVAL mnt ro 1 stain=$stain; done
answers EINVAL mnt/byhand.safetensors ro 3 id=7
answers ENOTTY mnt ro 1 size=528
answers ENOTTY mnt ro 1 size=4096
answers ENOTTY mnt ro 11
answers ENOENT mnt ro 4 id=4711
answers ENOENT mnt ro 4
answers EISDIR mnt/dir ro 2
answers EISDIR mnt/dir ro 3
id=$(raw mnt/before.safetensors ro 3 | awk '{ print $4 }')
over() { case $(raw mnt ro 4 id="$id") in "done 1 0 $id 0") ;; *) return 1 ;; esac; }
retry 30 over || fail "poll of a decode"
answers ENOENT mnt ro 4 id="$id"
# Bytes that claim to be a container are what a user wrote, and nothing to decode.
head -c 4096 <(printf 'deltafs\0'; cat /dev/zero) >mnt/claims
run deltafsctl decode mnt/claims
stop_daemon mnt

# --- a mount over the store itself
start_daemon store store -o rw,quiet=1
run deltafsctl decode store/dir/below/a.safetensors
run deltafsctl encode store/dir/below/a.safetensors
is_compressed store/dir/below/a.safetensors || fail "over itself: $(cat said)"
run deltafsctl status --json store
run deltafsctl wait --timeout 240 store
stop_daemon store

# --- mounts that compress nothing
expect_fail 1 'in no mount that compresses' deltafsctl wait store
run deltafsctl status store
grep -q 'is not mounted read-write' said || fail "status of a store: $(cat said)"
run deltafsctl encode store/existing.safetensors
# Without writeback the kernel keeps no times of its own, and shows what the daemon says.
start_daemon store mnt -o rw,noingest,nowriteback
expect_fail 1 'noingest' deltafsctl encode mnt/before.safetensors
shown=$(kept mnt/existing.safetensors)
run deltafsctl decode mnt/existing.safetensors
is_plain mnt/existing.safetensors || fail "decode with noingest"
sleep 1.1	# as long as the kernel believes what it was told
[ "$(kept mnt/existing.safetensors)" = "$shown" ] || fail "decode shows: $shown, $(kept mnt/existing.safetensors)"
# What is written makes a file plain, too, and that shows. Two times of one tick of the kernel's clock are equal.
touch -d '1 second ago' before
[ "$(told state mnt/dir/below/a.safetensors)" = container ] || fail "nothing to write to"
printf X | dd of=mnt/dir/below/a.safetensors bs=1 seek=700000 conv=notrunc status=none
sleep 1.1
is_plain mnt/dir/below/a.safetensors || fail "written to, and not plain"
[ mnt/dir/below/a.safetensors -nt before ] || fail "written to, and its mtime is $(stat -c %y mnt/dir/below/a.safetensors)"
run deltafsctl wait --timeout 1 mnt
stop_daemon mnt
start_daemon store mnt
answers 'EROFS 1' mnt/existing.safetensors ro 2
answers 'EROFS 1' mnt/existing.safetensors ro 3
answers 'done 1 0' mnt/existing.safetensors ro 1
expect_fail 1 'is in a mount.*use .*/store/existing.safetensors' deltafsctl encode mnt/existing.safetensors
run deltafsctl status mnt
grep -q 'read-only' said || fail "status of a read-only mount: $(cat said)"
stop_daemon mnt
