#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A1, of what is written to: kill -9 at every step of a thaw, of emptying a container, of a pin's copy: old or new, whole, and what was synced.
# test: timeout=3600 root nosan
. "$(dirname "$0")/common.sh"
need strace

make_base --params "$(full 1300000 300000)" --hidden 256 --vocab 512 --seed 411
start_rw
put "$original" dependant && becomes_coded dependant || fail "dependant"
put "$original" f && becomes_coded f || fail "f"
stop_daemon mnt
mv store made
cp manifest manifest.made
calls="openat openat2 pwrite64 write ftruncate fallocate fsync fdatasync renameat renameat2 linkat unlinkat fsetxattr
	fremovexattr fchmod fchown utimensat copy_file_range ioctl"
fired=0 tried=0

# What is done, to which file, and what it is then.
declare -A target=([write]=f [truncate]=f [shorter]=f [base]=base/model.safetensors)
act() {
	python3 - "$1" "mnt/${target[$1]}" 2>/dev/null <<'PY'
import os, sys
what, path = sys.argv[1:3]
fd = os.open(path, os.O_RDWR | (os.O_TRUNC if what == "truncate" else 0))
if what == "shorter":
    os.ftruncate(fd, 100000)
elif what == "truncate":
    os.write(fd, b"new" * 1000)
else:
    os.pwrite(fd, b"new" * 100, 70000)
os.fsync(fd)
os.close(fd)
d = os.open("mnt", os.O_RDONLY)
os.fsync(d)
PY
}

# old.WHAT and new.WHAT: without any fault.
for what in "${!target[@]}"; do
	cp "made/${target[$what]}" plain
	[ "$what" = base ] || cp "$original" plain
	cp plain "old.$what"
	case $what in
	write | base) python3 -c 'print("new" * 100, end="")' | dd of=plain bs=1 seek=70000 conv=notrunc status=none ;;
	shorter) truncate -s 100000 plain ;;
	truncate) python3 -c 'print("new" * 1000, end="")' >plain ;;
	esac
	cp plain "new.$what"
done

fresh() {
	rm -rf store
	cp -a made store
	cp manifest.made manifest
	sed -i '/ f$/d' manifest
	start_rw noingest
}

old_or_new() {
	local shown=mnt/${target[$what]}
	if cmp -s "$shown" "new.$what"; then return; fi
	[ -z "$synced" ] || fail "$1: what was synced is not there"
	if cmp -s "$shown" "old.$what"; then return; fi
	# What was not synced is as the store's file system leaves it: emptied, or not all of it written.
	[ "$what" = truncate ] && cmp -s -n "$(stat -c %s "$shown")" "$shown" "new.$what" && return
	fail "$1: neither old nor new: $(ls -l "$shown")"
}

# one CALL K; fails if nothing was killed.
one() {
	local hit=
	fresh
	attach -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2"
	synced=
	! act "$what" || synced=1
	is_dead || umount mnt
	wait "$daemon" 2>/dev/null
	wait "$tracer" 2>/dev/null
	! grep -q 'killed by SIGKILL' trace || hit=1 fired=$((fired + 1))
	tried=$((tried + 1))
	start_rw noingest
	old_or_new "$what, $1 number $2"
	promises_hold "$what, $1 number $2"
	is_tidy "$what, $1 number $2"
	act "$what" && cmp "mnt/${target[$what]}" "new.$what" || fail "$what, $1 number $2: does not go on"
	promises_hold "$what, $1 number $2, and once more"
	stop_daemon mnt
	every_container_verifies "$what, $1 number $2"
	[ -n "$hit" ]
}

for what in "${!target[@]}"; do
	fresh
	attach -e trace="$(tr -s '\n\t ' ',' <<<"$calls" | sed 's/,$//')"
	act "$what" || fail "$what: without any fault"
	cmp "mnt/${target[$what]}" "new.$what" || fail "$what: not what it should be: this test is wrong"
	umount mnt
	wait "$daemon" "$tracer" 2>/dev/null
	awk '{ split($2, c, "("); if (c[1] ~ /^[a-z0-9_]+$/) n[$1 " " c[1]]++ }
		END { for (k in n) { split(k, a, " "); if (n[k] > m[a[2]]) m[a[2]] = n[k] } for (call in m) print call, m[call] }' trace |
		sort >counts
	echo "$what: $(tr '\n' ' ' <counts)"
	while read -r call most <&3; do
		if [ -n "$DFS_FULL" ]; then
			for ((k = 1; ; k++)); do one "$call" "$k" || break; done
		elif [ $((RANDOM % 3)) != 0 ]; then
			one "$call" $((RANDOM % most + 1))
		fi
	done 3<counts
done
echo "kills $tried"
faults_fired "$fired" $((tried / 2))
