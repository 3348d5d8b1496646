#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hung_writers: promise 7, who waits for a thaw whose base hangs holds up nobody else: 300 writers and readers of one such file, while others write, sync, cut and thaw their own; then who cuts or links each of 140 more, while others write and sync plain ones.
# test: timeout=240
. "$(dirname "$0")/common.sh"

given_pair
# The base of `stuck` lies behind another daemon, which is then stopped in its tracks.
mkdir far farview && "$DFS_BUILD/tests/tools/make_pair" --params 8000000 --hidden 512 --vocab 512 --seed 2 other >/dev/null
cp -r other/base far/base
start_daemon far farview
first=$daemon first_pid=$(daemon_pid)
deltafsctl base add --by-reference store farview/base/model.safetensors >said 2>&1 || fail "base add: $(cat said)"
cp -r other/tune store/stuck && deltafsctl encode store/stuck/model.safetensors >said 2>&1 || fail "encode: $(cat said)"
# Small ones of the same fate: the kernel has one at a time cut a file off, or link it.
"$DFS_BUILD/tests/tools/make_pair" --params 300000 --hidden 64 --vocab 64 --seed 3 tiny >/dev/null
cp -r tiny/base far/tiny
deltafsctl base add --by-reference store farview/tiny/model.safetensors >said 2>&1 || fail "base add: $(cat said)"
mkdir store/tiny && cp tiny/tune/model.safetensors store/tiny/ && deltafsctl encode store/tiny/model.safetensors >said 2>&1 || fail "encode: $(cat said)"
for i in {0..69}; do
	cp -a store/tiny/model.safetensors "store/tiny/cut$i" && mkdir "store/tiny/$i" && cp -a store/tiny/model.safetensors "store/tiny/$i/one" || fail "cp"
done
cp -a store/tune/model.safetensors store/cut && cp -a store/cut store/thawed
start_daemon store mnt -o rw,noingest
evict farview/base/model.safetensors farview/tiny/model.safetensors
kill -STOP "$first_pid"
at_end "kill -CONT $first_pid 2>/dev/null; kill $first_pid 2>/dev/null"
python3 - mnt/stuck/model.safetensors <<'PY' &
import os, sys
# Each writes a few bytes and waits for them to be safe, or reads around what was written.
fd = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)	# else the page is read first
size = os.fstat(fd).st_size
os.pwrite(fd, b"mine", 8000)
children = []
for i in range(300):
    pid = os.fork()
    if pid == 0:
        own = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
        if i % 4 == 0:
            os.fsync(own)
        elif i % 4 == 1:
            os.close(own)
        elif i % 4 == 2:
            os.ftruncate(own, size - i)
        else:
            os.preadv(own, [bytearray(8192)], 4096)
        os._exit(0)
    children.append(pid)
print("started", flush=True)
for pid in children:
    os.waitpid(pid, 0)
PY
stuck=$!
sleep 2
kill -0 "$stuck" || fail "nobody hangs: the test proves nothing"
# others [THAWS]
others() {
	timeout -s KILL 60 python3 - "${1:-}" <<'PY'
import os, sys, time
begin = time.monotonic()
with open("mnt/plain", "wb") as f:
    f.write(bytes(1 << 20))
    f.flush()
    os.fsync(f.fileno())
os.truncate("mnt/plain", 5)
if sys.argv[1]:
    os.truncate("mnt/cut", 4096)
    with open("mnt/thawed", "r+b") as f:
        f.write(b"thawed")
        f.flush()
        os.fsync(f.fileno())
print(f"others took {time.monotonic() - begin:.2f} s")
PY
}
ended() { ! kill -0 "$pid" 2>/dev/null; }
# others_go_on [THAWS]: sets waits if they do not
others_go_on() {
	others "$@" &
	pid=$!
	retry 30 ended || waits=1
}
others_go_on thaws
if [ -z "${waits:-}" ]; then
	# Fewer than these thaw at a time; who does something else is not to wait for them.
	python3 - <<'PY' &
import os
children = []
for i in range(140):
    pid = os.fork()
    if pid == 0:
        if i < 70:
            os.truncate(f"mnt/tiny/cut{i}", 30000)
        else:
            os.link(f"mnt/tiny/{i - 70}/one", f"mnt/tiny/{i - 70}/two")
        os._exit(0)
    children.append(pid)
for pid in children:
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("one failed")
PY
	more=$!
	sleep 2
	kill -0 "$more" || fail "nobody hangs: the test proves nothing"
	others_go_on
	kill -0 "$more" || fail "nobody hung: the test proves nothing"
fi
kill -0 "$stuck" || fail "nobody hung: the test proves nothing"
kill -CONT "$first_pid"
wait "$pid" || fail "others failed"
[ -z "${waits:-}" ] || fail "who writes to another file waits for a base that hangs"
wait "$stuck" && wait "$more" || fail "who waited failed"
for i in {0..69}; do
	[ "$(stat -c %s "mnt/tiny/cut$i")" = 30000 ] && cmp -n 30000 "mnt/tiny/cut$i" tiny/tune/model.safetensors &&
		cmp "mnt/tiny/$i/two" tiny/tune/model.safetensors || fail "cut off or linked, it is another file: $i"
done
alive
stop_daemon mnt
daemon=$first
stop_daemon farview
