#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E5: 64 readers, on one file and on 64: all right, none starves, memory bounded.
# test: timeout=900 serial nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

make_store --params 12000000 --hidden 1024 --vocab 4096 --seed 121
original=orig/tune/model.safetensors
mkdir store/many
for ((i = 0; i < 64; i++)); do cp --preserve=xattr store/tune/model.safetensors "store/many/$i.safetensors"; done
start_daemon store mnt -o cache=64M
pid=$(daemon_pid)

# read_all LIST: each file in a process of its own, all at once; time of each in
# ms. By cmp, since it costs next to nothing: who waits, waits for deltafs.
read_all() {
	xargs -P64 -n1 sh -c 'start=$(date +%s%N); cmp "$0" '"$original"' &&
		echo $((($(date +%s%N) - start) / 1000000))' <"$1" >times || fail "$1: a reader failed, or got other bytes"
	[ "$(wc -l <times)" = 64 ] || fail "$1: $(wc -l <times) of 64 readers"
}

# Of a cold pass; a warm one is the page cache's work.
none_starves() {
	sort -n times | awk -v what="$1" '{ t[NR] = $1 }
		END { print what ", median and slowest in ms: " t[32], t[64]; exit !(t[64] <= 5 * t[32]) }' ||
		fail "$1: the slowest took more than five times the median"
}

for ((i = 0; i < 64; i++)); do echo mnt/tune/model.safetensors; done >one
for ((i = 0; i < 64; i++)); do echo "mnt/many/$i.safetensors"; done >many
evict mnt/tune/model.safetensors
read_all one
none_starves "one file"
read_all one
evict mnt/many/*.safetensors
read_all many
none_starves "64 files"

# Random pages, O_DIRECT, mapped and spliced, at once.
evict mnt/tune/model.safetensors
python3 - mnt/tune/model.safetensors "$original" <<'PY' || fail "a random page was wrong"
import mmap, os, random, sys, threading
threading.excepthook = lambda lost: (threading.__excepthook__(lost), os._exit(1))  # the others would go on
shown, original = sys.argv[1], open(sys.argv[2], "rb").read()
wrong = []
def buffered(rng, fd):
    at = rng.randrange(len(original))
    return at, os.pread(fd, 4096, at)
def direct(rng, fd):
    at = rng.randrange(len(original) // 4096) * 4096
    buf = mmap.mmap(-1, 4096)
    return at, buf[:os.preadv(fd, [buf], at)]
def mapped(rng, fd):
    at = rng.randrange(len(original) // 4096) * 4096
    with mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ, offset=at) as m:
        return at, m[:]
def spliced(rng, fd):
    at = rng.randrange(len(original) - 4096)
    r, w = os.pipe()
    n = os.splice(fd, w, 4096, offset_src=at)
    data = os.read(r, n)
    os.close(r); os.close(w)
    return at, data
def reader(seed):
    rng = random.Random(seed)
    how = [buffered, direct, mapped, spliced][seed % 4]
    fd = os.open(shown, os.O_RDONLY | (os.O_DIRECT if how is direct else 0))
    for _ in range(100):
        at, data = how(rng, fd)
        if not data or data != original[at:at + len(data)]:
            wrong.append((seed, at))
threads = [threading.Thread(target=reader, args=(seed,)) for seed in range(64)]
[t.start() for t in threads]
[t.join() for t in threads]
sys.exit(f"wrong: {wrong[:5]}" if wrong else 0)
PY
peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status")
[ "$peak" -lt $(((64 + 64) * 1024)) ] || fail "$peak KiB of memory, more than cache + 64 MiB"
echo "peak $peak KiB"
stop_daemon mnt
faults_fired $((3 * 64 + 64)) # that many readers
