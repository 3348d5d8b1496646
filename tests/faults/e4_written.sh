#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E4: written, appended to, cut, punched or copied over while it is being compressed: the newest bytes win.
# test: timeout=600 root nosan
. "$(dirname "$0")/common.sh"
need strace

make_base --params 300000 --hidden 256 --vocab 512 --seed 251
start_rw
# Writing the container takes its time.
attach -e trace=pwrite64 -e inject=pwrite64:delay_enter=100000
fired=0 n=0

in_work() { ! nothing_in_tmp; }

# change NAME: python that changes file descriptor fd, and bytes want alike.
declare -A change=(
	[write]='at = rng.randrange(len(want)); os.pwrite(fd, b"newest", at); want[at:at + 6] = b"newest"'
	[append]='os.lseek(fd, 0, os.SEEK_END); os.write(fd, b"more" * 99); want += b"more" * 99'
	[truncate]='os.truncate(sys.argv[1], 0); os.pwrite(fd, want[:70000], 0); del want[70000:]'
	[shorter]='n = rng.randrange(len(want)); os.ftruncate(fd, n); del want[n:]'
	[longer]='os.ftruncate(fd, len(want) + 9999); want += bytes(9999)'
	[punch]='libc.fallocate(fd, 3, ctypes.c_long(8192), ctypes.c_long(65536)); want[8192:8192 + 65536] = bytes(65536)'
	[copy]='s = os.open(sys.argv[2], os.O_RDONLY); n = os.copy_file_range(s, fd, 100000, 300, 200001); want[200001:200001 + n] = want_source[300:300 + n]'
	[mapped]='m = mmap.mmap(fd, 0); m[77777:77783] = b"newest"; want[77777:77783] = b"newest"; m.flush(); m.close()'
)

write_into() {
	python3 - "mnt/$1" mnt/base/model.safetensors "$seed" "$2" "$original" <<'PY'
import ctypes, mmap, os, random, sys
libc = ctypes.CDLL(None)
rng = random.Random(sys.argv[3] + sys.argv[1])
want = bytearray(open(sys.argv[5], "rb").read())
want_source = open(sys.argv[2], "rb").read()
fd = os.open(sys.argv[1], os.O_RDWR)
exec(sys.argv[4])
os.close(fd)
open("want", "wb").write(want)
PY
}

for round in $(seq "$(full 20 1)"); do
	for how in "${!change[@]}"; do
		name=$how.$round
		n=$((n + 1))
		cp "$original" "mnt/$name"
		retry 20 in_work || fail "$name: ingest does not begin"
		sleep "0.$((RANDOM % 5))"
		! in_work || fired=$((fired + 1))
		write_into "$name" "${change[$how]}" || fail "$name: cannot be changed"
		cmp "mnt/$name" want || fail "$name: not the newest bytes"
		cp want "want.$name"
	done
	for how in "${!change[@]}"; do
		name=$how.$round
		if [ "$(stat -c %s "want.$name")" = "$original_size" ]; then becomes_coded "$name" 60; fi
		evict "mnt/$name"
		cmp "mnt/$name" "want.$name" || fail "$name: not the newest bytes after it was compressed"
		rm "want.$name"
	done
done
kill "$tracer"
umount mnt
wait "$daemon"
is_tidy "in the end"
every_container_verifies "in the end"
echo "changed $n"
faults_fired "$fired" $((n * 3 / 4))
