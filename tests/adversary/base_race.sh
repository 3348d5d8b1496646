#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# base_race: promise 6, a base that is added while somebody writes to it is one of its moments, whole: what depends on it never changes.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
tune=orig/tune/model.safetensors
start_daemon store mnt -o rw,quiet=0
cp orig/base/model.safetensors mnt/moving.safetensors
# Opens, writes a byte and closes; by turns through a mapping.
python3 - mnt/moving.safetensors <<'PY' &
import mmap, os, random, sys, time
rng, path = random.Random(7), sys.argv[1]
size = os.path.getsize(path)
stop = time.time() + 90
while time.time() < stop and not os.path.exists("enough"):
    fd = os.open(path, os.O_RDWR)
    for i in range(rng.randrange(1, 4)):
        at = rng.randrange(size // 2, size - 1)
        if rng.random() < 0.3:
            with mmap.mmap(fd, size) as m:
                m[at] = rng.randrange(256)
        else:
            os.pwrite(fd, bytes([rng.randrange(256)]), at)
        time.sleep(rng.choice((0, 0.001, 0.02)))
    os.close(fd)
    time.sleep(rng.choice((0, 0.001, 0.005, 0.05)))
PY
writer=$!
added=0 refused=0
until [ $added -ge 6 ] && [ $refused -ge 3 ]; do
	[ $SECONDS -lt 15 ] || [ $added = 0 ] || [ $refused = 0 ] || break
	[ $SECONDS -lt 60 ] || break
	if ! deltafsctl base add --json mnt mnt/moving.safetensors >said 2>&1; then
		grep -q 'open for writing\|changed while\|written\|Stale\|is itself compressed' said || fail "base add: $(cat said)"
		refused=$((refused + 1))
		continue
	fi
	added=$((added + 1))
	id=$(python3 -c 'import json; t = open("said").read(); print(json.loads(t[t.index("{"):])["bases_added"][0]["id"])')
	cp $tune mnt/dep-$added.safetensors
	# What was written just now is tried again.
	deltafsctl encode --base "$id" mnt/dep-$added.safetensors >said 2>&1 ||
		deltafsctl wait --timeout 30 mnt/dep-$added.safetensors >said 2>&1 || fail "encode --base $id: $(cat said)"
	grep -q ", base ${id:0:8}" said || fail "the base $added that was just added is not what it was: $(cat said)"
done
touch enough
wait $writer || fail "the writer"
[ $added -gt 0 ] && [ $refused -gt 0 ] || fail "added $added times, refused $refused: this proves nothing"
for file in mnt/dep-*; do cmp "$file" $tune || fail "$file changed with its base"; done
alive
stop_daemon mnt
deltafsctl verify -r store >said 2>&1 || fail "the store afterwards: $(cat said)"
echo "added $added times, refused $refused"
