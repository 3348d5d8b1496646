#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D3: base gone, cut, changed, swapped or unreadable: EIO that names it, never SIGBUS, never a wrong byte; it heals.
# test: timeout=600 root
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

# Several times the cache, so that nothing decoded earlier hides the fault.
make_store --params 4000000 --hidden 256 --vocab 512 --seed 31
cp orig/base/model.safetensors store/plain.safetensors
cp orig/tune/model.safetensors store/alone.safetensors
mkdir nobase && cp store/alone.safetensors nobase/
deltafsctl encode nobase/alone.safetensors -o store/alone.safetensors.new && mv store/alone.safetensors.new store/alone.safetensors
original=orig/tune/model.safetensors shown=mnt/tune/model.safetensors
pin=$(find store/.deltafs/pins -type f)
[ "$(wc -l <<<"$pin")" = 1 ] || fail "one pin expected: $pin"

bystanders() {
	evict mnt/plain.safetensors mnt/alone.safetensors
	cmp mnt/plain.safetensors orig/base/model.safetensors || fail "$1: a plain file suffers"
	cmp mnt/alone.safetensors orig/tune/model.safetensors || fail "$1: a file coded alone suffers"
}

# heals WHAT: within the second in which an open base may go unchecked.
heals() { retry 10 read_right || fail "$1: does not heal without a remount: $(tail -3 "$log")"; }
read_right() { evict "$shown"; pages "$shown" "$original"; [ "$refused$wrong" = 00 ]; }
read_refused() { evict "$shown"; pages "$shown" "$original"; [ "$wrong" = 0 ] && [ "$refused" -gt 0 ]; }
fired=0
refuses() {
	fired=$((fired + 1))
	retry 10 read_refused || fail "$1: right $right refused $refused wrong $wrong"
	grep -Eq "$2" "$log" || fail "$1: the log says no $2: $(cat "$log")"
}

start_daemon store mnt -o cache=2M
exec 3<"$shown"
read_right || fail "undamaged: refused $refused wrong $wrong"

# What is open already goes on; a daemon that comes later finds no base.
mv "$pin" gone && mv store/base/model.safetensors gone.too
pages /dev/fd/3 "$original"
[ "$wrong" = 0 ] || fail "base gone under an open file: $wrong pages wrong"
exec 3<&-
stop_daemon mnt
start_daemon store mnt -o cache=2M
refuses "base gone" 'base.*(model\.safetensors|missing|not)'
bystanders "base gone"
mv gone.too store/base/model.safetensors && mv gone "$pin"
heals "base gone"
exec 3<"$shown"

: >"$log"
cp -p "$pin" keep && truncate -s 100000 "$pin"
refuses "base cut" 'base'
bystanders "base cut"
cat keep >"$pin"
heals "base cut"

: >"$log"
cp -p "$pin" stamp
at=$(($(stat -c %s "$pin") / 2))
for ((i = 0; i < 65536; i += 64)); do echo $((at + i)); done | python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
for line in sys.stdin:
    os.pwrite(fd, bytes([os.pread(fd, 1, int(line))[0] ^ 0x40]), int(line))' "$pin"
touch -r stamp "$pin"
refuses "one byte in 64 changed, time kept" 'base'
cat keep >"$pin"
heals "changed bytes"

: >"$log"
"$DFS_BUILD/tests/tools/make_pair" --params 4000000 --hidden 256 --vocab 512 --seed 32 other >/dev/null
[ "$(stat -c %s other/base/model.safetensors)" = "$(stat -c %s "$pin")" ] || fail "the other base has another size"
pages /dev/fd/3 "$original"
[ "$refused$wrong" = 00 ] || fail "the handle that was open all the time: refused $refused wrong $wrong"
exec 3<&-
stop_daemon mnt

# instead WHAT COMMAND...: COMMAND puts something else in the pin's place before a
# mount, and the name that the base came from is gone too.
instead() {
	local what=$1
	shift
	mv store/base/model.safetensors named
	mv "$pin" away && "$@" "$pin" || fail "$what"
	start_daemon store mnt -o cache=2M
	refuses "$what" 'base'
	rm -rf "$pin" && mv away "$pin" && mv named store/base/model.safetensors
	heals "$what"
	stop_daemon mnt
}
instead "another base of that size" cp other/base/model.safetensors
instead "a FIFO for a base" mkfifo
instead "a symbolic link for a base" ln -s /etc/shadow
instead "a directory for a base" mkdir
faults_fired "$fired" 7
