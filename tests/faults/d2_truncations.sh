#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D2: truncated at every 4 KiB, extended, pages zeroed, swapped or old: EIO or the right bytes.
# test: timeout=600
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

make_store --params 300000 --hidden 256 --vocab 512 --seed 21
coded=store/tune/model.safetensors original=orig/tune/model.safetensors
cp --preserve=xattr "$coded" good
size=$(stat -c %s good)

# damage KIND ARGUMENT: makes "bad" from "good", marked as published like it: with
# the first page gone nothing else would say what the file was.
damage() {
	python3 - "$1" "$2" <<'PY'
import os, sys
kind, at = sys.argv[1], int(sys.argv[2])
good = bytearray(open("good", "rb").read())
page = slice(at, at + 4096)
if kind == "cut":
    good = good[:at]
elif kind == "extend":
    good += bytes(at)
elif kind == "zero":
    good[page] = bytes(len(good[page]))
elif kind == "swap":
    other = slice(at + 8192, at + 12288)
    good[page], good[other] = good[other], good[page]
elif kind == "old":
    good[page] = open("older", "rb").read()[page].ljust(len(good[page]), b"\0")
open("bad", "wb").write(good)
for name in os.listxattr("good"):
    os.setxattr("bad", name, os.getxattr("good", name))
PY
}

# An older version of the same file, of the same base.
"$DFS_BUILD/tests/tools/make_pair" --params 300000 --hidden 256 --vocab 512 --seed 21 --r 0.011 other >/dev/null
deltafsctl encode --base store/base other/tune/model.safetensors -o older || fail "encode"

noticed=0 tried=0
try() {
	damage "$1" "$2"
	cmp -s good bad && return
	tried=$((tried + 1))
	said=$("$DFS_BUILD/tests/faults/pages" check bad "$original" store/base/model.safetensors) ||
		fail "$1 at $2: wrong bytes: $said"
	case $said in
	*"refused 0 "*) ;;
	*) noticed=$((noticed + 1)) ;;
	esac
}

for ((at = 0; at < size; at += 4096)); do try cut "$at"; done
for at in 1 17 255 256 257 $((size - 1)) $((size - 256)) $((size - 257)); do try cut "$at"; done
for at in 1 256 4096; do try extend "$at"; done
for ((at = 0; at + 12288 < size; at += 4096)); do try zero "$at"; try swap "$at"; try old "$at"; done
[ "$tried" -gt 50 ] || fail "only $tried kinds of damage"

# Truncated under a reader that has it open.
start_daemon store mnt
exec 3<mnt/tune/model.safetensors
truncate -s $((size / 2)) "$coded"
evict mnt/tune/model.safetensors
pages /dev/fd/3 "$original"
exec 3<&-
[ "$wrong" = 0 ] || fail "truncated while open: $wrong pages wrong"
[ "$refused" -gt 0 ] || fail "truncated while open: nothing was refused"
stop_daemon mnt
echo "tried $tried"
faults_fired "$noticed" $((tried / 2 + 1))
