#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A9: far more is written, by calls and by mappings, than the memory cgroup of the daemon and the writers holds: no deadlock, and all is there.
# test: timeout=1200 root nosan serial
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/faults/memory.sh"

make_base --params 8000000 --hidden 512 --vocab 1024 --seed 441
big=$(full 2048 500) mapped=$(full 1024 400)
memory_group 256
pressed=0

cat >map_write.py <<'PY'
import mmap, os, sys
# Each page says where it is; the last pass goes backwards over some of them.
path, size, step = sys.argv[1], int(sys.argv[2]) << 20, 4096
fd = os.open(path, os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, size)
with mmap.mmap(fd, size) as m:
    for at in range(0, size, step):
        m[at:at + 8] = at.to_bytes(8, "little")
    for at in range(size - step, 0, -step * 7):
        m[at + 8:at + 16] = at.to_bytes(8, "big")
    m.flush()
os.fsync(fd)
os.close(fd)
PY
cat >map_check.py <<'PY'
import sys
with open(sys.argv[1], "rb") as f:
    size = 0
    while page := f.read(4096):
        back = (int(sys.argv[2]) << 20) - 4096 - size
        second = size.to_bytes(8, "big") if back % (4096 * 7) == 0 and size else bytes(8)
        if page != size.to_bytes(8, "little") + second + bytes(4080):
            sys.exit(f"page at {size}: {page[:16]}")
        size += 4096
sys.exit(size != int(sys.argv[2]) << 20)
PY

for options in "" nowriteback; do
	what=${options:-writeback}
	DFS_WRAP=./join start_daemon store mnt -o "rw,quiet=0,cache=8M${options:+,$options}"
	cp "$original" mnt/tune || fail "$what: cp"
	timeout 300 ./join dd if=/dev/zero of=mnt/big bs=1M count="$big" conv=fsync status=none &
	first=$!
	timeout 300 ./join python3 map_write.py mnt/mapped "$mapped" &
	second=$!
	wait $first || fail "$what: dd ended with $?, 124 being out of time: $(tail -3 "$log")"
	wait $second || fail "$what: the mapping's writer ended with $?, 124 being out of time: $(tail -3 "$log")"
	evict mnt/big mnt/mapped
	cmp -n $((big << 20)) mnt/big /dev/zero && [ "$(stat -c %s mnt/big)" = $((big << 20)) ] || fail "$what: big has other bytes"
	python3 map_check.py mnt/mapped "$mapped" || fail "$what: what was mapped has other bytes"
	cmp mnt/tune "$original" || fail "$what: the bystander has other bytes"
	kill -0 "$daemon" && [ "$(memory_killed)" = 0 ] || fail "$what: something was killed"
	stop_daemon mnt
	python3 map_check.py store/mapped "$mapped" || fail "$what: what was mapped is otherwise in the store"
	rm store/big store/mapped store/tune
	pressed=$(memory_pressed)
	[ "$pressed" -gt "${before:-0}" ] || fail "$what: the memory never ran out"
	before=$pressed
done
is_tidy "in the end"
faults_fired "$pressed"
