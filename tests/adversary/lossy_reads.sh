#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_reads: promise 3, reads of odd sizes at odd places, backwards, by mappings, past the page cache, by many at once with the least of caches, by each kind of CPU: whatever is read of a file that gave up bits is what decode makes of it.
# test: timeout=300
. "$(dirname "$0")/lossy_common.sh"

python3 - <<'PY' || fail "make the pair"
import random
from lossy_pair import bf16, f16, f32, gauss, layer, moved, save
rng, base, tune = random.Random(8), [], []
# chunks that end in patches, rows and values that are cut by everything else; a name of odd length moves all of it
for i, (dtype, pack, shape) in enumerate((("BF16", bf16, [333, 517]), ("F16", f16, [3, 65, 129]), ("F32", f32, [129, 257]))):
    n = 1
    for dim in shape:
        n *= dim
    weights = gauss(rng, n, 0.02)
    base.append((layer(i) + "x" * i, dtype, shape, pack(weights)))
    tune.append((layer(i) + "x" * i, dtype, shape, pack(moved(rng, weights, 0.002))))
tune.append(("model.norm.weight", "BF16", [77], bf16(gauss(rng, 77, 1))))
save("base", base)
save("tune", tune)
PY
store_of base
specs=(bitdelta delta-dct:p=8 ultradelta ultradelta:mask=stored delta-come)
for i in "${!specs[@]}"; do
	encode --codec "${specs[i]}" --base base tune -o coded
	decode --base base coded -o "$i.want"
	! cmp -s "$i.want" tune || fail "${specs[i]} gave up nothing"
	deltafsctl import coded "store/$i" >said 2>&1 || fail "import: $(cat said)"
done

cat >reads.py <<'PY'
import mmap, os, random, sys, threading
shown, want, seed = sys.argv[1], open(sys.argv[2], "rb").read(), int(sys.argv[3])
rng, errors = random.Random(seed), []
def check(at, size, got, how):
    if got != want[at:at + size]:
        sys.exit(f"{shown}: {how} of {size} at {at}: {len(got)} bytes, others")
def drop(fd):
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
def plain(rng, rounds):
    fd = os.open(shown, os.O_RDONLY)
    for _ in range(rounds):
        at = rng.randrange(len(want) + 100)
        size = rng.choice((1, 2, 3, 511, 4095, 4096, 4097, 65537, 131071, 131073, 300000))
        if rng.random() < 0.2:
            drop(fd)
        check(at, size, os.pread(fd, size, at), "read")
    os.close(fd)
def backwards(step):
    fd = os.open(shown, os.O_RDONLY)
    drop(fd)
    for at in range(len(want) - 1, -step, -step):
        at = max(at, 0)
        check(at, step, os.pread(fd, step, at), "backward read")
    os.close(fd)
def past_cache(rng):
    fd = os.open(shown, os.O_RDONLY | os.O_DIRECT)
    room = mmap.mmap(-1, 1 << 19)
    for _ in range(12):
        at, size = rng.randrange(len(want) // 512 + 1) * 512, rng.randrange(1, 600) * 512
        got = os.preadv(fd, [memoryview(room)[:size]], at)
        check(at, size, room[:got], "O_DIRECT read")
    os.close(fd)
def mapped(rng):
    fd = os.open(shown, os.O_RDONLY)
    drop(fd)
    view = mmap.mmap(fd, len(want), prot=mmap.PROT_READ)
    for _ in range(40):
        at = rng.randrange(len(want))
        check(at, 5000, view[at:at + 5000], "mapping")
    os.close(fd)
plain(rng, 60)
backwards(40961)
past_cache(rng)
mapped(rng)
def worker(number):
    try:
        plain(random.Random(seed + number), 40)
    except (SystemExit, Exception) as error:
        errors.append(repr(error))
threads = [threading.Thread(target=worker, args=(i,)) for i in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
if errors:
    sys.exit(errors[0])
# one byte at a time, over each line that separates chunks: what is there is asked for alone
fd = os.open(shown, os.O_RDONLY)
for line in range(131072, len(want), 131072):
    for at in range(line - 3, line + 3):
        drop(fd)
        check(at, 1, os.pread(fd, 1, at), "byte")
PY

seed=1
for cpu in portable avx2 best; do
	DFS_WRAP="env DELTAFS_CPU=$cpu" start_daemon store mnt -o cache=1M,threads=3
	for i in "${!specs[@]}"; do
		[ "$(told exact "mnt/$i")" = 0 ] || fail "${specs[i]} is not shown as lossy: $(describe "mnt/$i")"
		timeout -s KILL 60 python3 reads.py "mnt/$i" "$i.want" $((seed++)) || fail "${specs[i]}, $cpu: $(tail -3 "$log")"
	done
	stop_daemon mnt
done
