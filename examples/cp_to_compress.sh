#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cp_to_compress: a fine-tune is copied into a mount with cp, and that is all.
#
#	examples/cp_to_compress.sh [BASE FINETUNE]
#
# Two .safetensors files, which are copied and left alone; without them, toys.
. "$(dirname "$0")/session.sh"

mkdir store/base
case $# in
0) python3 "$examples/toy_model.py" store/base/model.safetensors tuned.safetensors ;;
2) cd - >/dev/null && cp "$1" "$work/store/base/model.safetensors" && cp "$2" "$work/tuned.safetensors" && cd "$work" ;;
*) echo "usage: examples/cp_to_compress.sh [BASE FINETUNE]" >&2; exit 2 ;;
esac

say "a directory with a base in it, mounted read-write"
run deltafsctl base add store store/base
run deltafs -o quiet=1 store mnt

say "copied in; it is an ordinary file from its first byte on"
run cp tuned.safetensors mnt/tuned.safetensors
before=$(stat -c '%i %s %y %z' mnt/tuned.safetensors)
run du -k mnt/tuned.safetensors
run deltafsctl status mnt

say "a second later nobody writes to it any more, and it is compressed"
exec 3<mnt/tuned.safetensors # somebody who has it open meanwhile
run deltafsctl wait mnt/tuned.safetensors
run du -k mnt/tuned.safetensors
run deltafsctl status mnt

say "nothing else about it has changed, and whoever had it open goes on reading"
run stat -c '%n: inode %i, %s bytes, changed %z' mnt/tuned.safetensors
[ "$(stat -c '%i %s %y %z' mnt/tuned.safetensors)" = "$before" ] || { echo "it has changed" >&2; exit 1; }
run cmp tuned.safetensors /dev/fd/3 && exec 3<&-
run cmp tuned.safetensors mnt/tuned.safetensors && echo "the same bytes"

say "written to, it is plain again, until it rests"
printf x | dd of=mnt/tuned.safetensors bs=1 seek=$(($(stat -c %s tuned.safetensors) - 1)) conv=notrunc status=none
run du -k mnt/tuned.safetensors
run deltafsctl wait mnt/tuned.safetensors
run du -k mnt/tuned.safetensors

say "to keep a file plain, say so; it stays until it is written again"
run deltafsctl decode mnt/tuned.safetensors
run du -k mnt/tuned.safetensors
run deltafsctl info mnt/tuned.safetensors

run fusermount3 -u mnt
