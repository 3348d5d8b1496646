#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# odd: any file at all can be encoded and comes back, and never grows by more than a container's frame and 1 %.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"

make_pair --params 100000 --hidden 64 --vocab 256 --seed 81 p
mkdir odd coded
: >odd/empty
printf x >odd/one
head -c 7 /dev/zero >odd/seven
head -c 131072 /dev/urandom >odd/grid
head -c 131073 /dev/urandom >odd/grid-and-one
head -c 5000000 /dev/zero >odd/zeros
cp "$(command -v deltafsctl)" odd/program
cp p/tune/model.safetensors odd/good
{ cat p/tune/model.safetensors; echo trailing; } >odd/trailing
head -c 100000 p/tune/model.safetensors >odd/cut
{ printf ' '; cat p/tune/model.safetensors; } >odd/shifted
python3 - <<'PY'
import json, struct
def put(name, header, data):
    text = json.dumps(header).encode()
    open("odd/" + name, "wb").write(struct.pack("<Q", len(text)) + text + data)
entry = lambda dtype, shape, a, b: {"dtype": dtype, "shape": shape, "data_offsets": [a, b]}
put("no-tensors", {}, b"")
put("empties", {"a": entry("F32", [0, 7], 0, 0), "b": entry("BF16", [], 0, 2), "c": entry("U8", [0], 2, 2)}, b"\1\2")
# Odd alignment, every width, one of each kind of float.
put("widths", {"a": entry("U8", [3], 0, 3), "b": entry("F64", [2], 3, 19), "c": entry("F8_E4M3", [5], 19, 24),
               "d": entry("C64", [1], 24, 32), "e": entry("BOOL", [3], 32, 35), "f": entry("I64", [1], 35, 43)}, bytes(range(43)))
import array
specials = array.array("H", [0x7f80, 0xff80, 0x7fc0, 0xffff, 0x8000, 0x0001, 0x807f, 0x7f7f] * 20000)
put("specials", {"a": entry("BF16", [160, 1000], 0, 320000)}, specials.tobytes())
PY
for file in odd/*; do
	name=${file##*/}
	for base in "" "--base p/base" "--base p/tune"; do
		# shellcheck disable=SC2086
		run deltafsctl encode $base $file -o coded/$name
		# shellcheck disable=SC2086
		run deltafsctl decode ${base:---base p/base} coded/$name -o back
		same $file back
		# shellcheck disable=SC2086
		run deltafsctl verify ${base:---base p/base} coded/$name
		run deltafsctl verify --fast coded/$name
		[ "$(size coded/$name)" -le "$(size $file)" ] || fail "$name: $(size $file) became $(size coded/$name)"
		run deltafsctl info --tensors --json coded/$name
		cp said info
		run python3 -m json.tool info
		# Streamed, it is the same.
		# shellcheck disable=SC2086
		deltafsctl decode ${base:---base p/base} coded/$name -o - | cmp - $file || fail "$name: -o -"
	done
done
