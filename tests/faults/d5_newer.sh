#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D5: a container of a later format has its size, opens as ENOTSUP, is never shown raw, and is left alone by encode.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

make_store --params 100000 --seed 51
coded=store/tune/model.safetensors
size=$(stat -c %s orig/tune/model.safetensors)

# future OFFSET VALUE OUT: another version or feature, bytes 0-63 and their hash right at head and tail.
future() {
	python3 - "$1" "$2" "$coded" "$3" <<'PY'
import ctypes, ctypes.util, struct, sys
xxh = ctypes.CDLL(ctypes.util.find_library("xxhash"))
xxh.XXH3_64bits.restype = ctypes.c_uint64
data = bytearray(open(sys.argv[3], "rb").read())
for at in (0, len(data) - 256):
    struct.pack_into("<I" if sys.argv[1] == "16" else "<Q", data, at + int(sys.argv[1]), int(sys.argv[2]))
    struct.pack_into("<Q", data, at + 56, xxh.XXH3_64bits(bytes(data[at:at + 56]), ctypes.c_size_t(56)))
open(sys.argv[4], "wb").write(data)
PY
}
future 16 2 store/version.safetensors
future 24 $((1 << 40)) store/feature.safetensors
start_daemon store mnt
n=0
for name in version feature; do
	[ "$(stat -c %s mnt/$name.safetensors)" = "$size" ] || fail "$name: the size shown is $(stat -c %s mnt/$name.safetensors)"
	expect_fail any 'not supported' cat mnt/$name.safetensors
	n=$((n + 1))
	before=$(sha256sum <store/$name.safetensors)
	deltafsctl encode store/$name.safetensors >said 2>&1 && fail "$name: encoded again: $(cat said)"
	[ "$(sha256sum <store/$name.safetensors)" = "$before" ] || fail "$name: changed by encode"
done
grep -Eq 'version 2' "$log" || fail "the log does not name the version: $(cat "$log")"
grep -Eq '40' "$log" || fail "the log does not name the feature: $(cat "$log")"
cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "the neighbour suffers"
stop_daemon mnt
faults_fired "$n" 2
