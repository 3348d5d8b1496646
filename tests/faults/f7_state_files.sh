#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F7: random bytes in any state file of .deltafs: it mounts, reads and writes, says one line, and loses no file.
# test: timeout=3600
. "$(dirname "$0")/common.sh"

make_base --params 60000 --hidden 64 --vocab 256 --seed 371
start_rw
put "$original" f && becomes_coded f || fail "put"
exec 9>mnt/waiting
cat "$original" >&9 && sync mnt/waiting mnt && promise "$original" waiting
kill_daemon # so that something is pending
exec 9>&-
umount -l mnt
mv store made
(cd made/.deltafs && find . -type f ! -path './pins/*' ! -path './tmp/*') >files
[ "$(wc -l <files)" -ge 4 ] || fail "only these state files: $(cat files)"
grep -q pending files || fail "nothing is pending"

# damage FILE HOW
damage() {
	python3 - "store/.deltafs/$1" "$2" "$seed$round" <<'PY'
import os, random, sys
path, how = sys.argv[1], sys.argv[2]
rng = random.Random(sys.argv[3] + path + how)
data = bytearray(open(path, "rb").read())
if how == "random":
    data = bytearray(rng.randbytes(rng.randrange(1, 5000)))
elif how == "bits":
    for _ in range(rng.randrange(1, 20)):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
elif how == "cut":
    del data[rng.randrange(len(data) + 1):]
elif how == "empty":
    data = bytearray()
elif how == "zeros":
    data = bytearray(len(data))
elif how == "lines":
    lines = [data] * 2000
    data = bytearray(b"".join(rng.sample(lines, 2000)))
open(path, "wb").write(data)
PY
	cmp -s "store/.deltafs/$1" "made/.deltafs/$1" || fired=$((fired + 1))
}

# mends WHAT: fsck.deltafs ends, on a copy, has nothing to do the second time, and costs nothing.
mends() {
	local option status
	rm -rf looked && cp -a store looked
	for option in -n -y -y; do
		status=0
		timeout 60 fsck.deltafs $option looked >fsck.out 2>&1 || status=$?
		[ $((status & ~13)) = 0 ] || fail "$1: fsck.deltafs $option: exit status $status: $(cat fsck.out)"
	done
	[ $((status & 1)) = 0 ] || fail "$1: repaired twice: $(cat fsck.out)"
	[ -e "looked/.deltafs/pins/$(ls made/.deltafs/pins)" ] || fail "$1: fsck.deltafs took the pin away"
	deltafsctl decode looked/f -o - 2>decode.err | cmp - "$original" || fail "$1: not readable after a repair: $(cat decode.err fsck.out)"
}

fired=0 refused=0 tried=0
for ((round = 0; round < $(full 40 1); round++)); do
	while read -r file <&3; do
		for how in random bits cut empty zeros lines directory; do
			rm -rf store && cp -a made store
			tried=$((tried + 1))
			if [ "$how" = directory ]; then
				rm "store/.deltafs/$file" && mkdir "store/.deltafs/$file" && fired=$((fired + 1))
			else
				damage "$file" $how
			fi
			mends "$file, $how"
			log=$DFS_TMP/daemon.log
			: >"$log"
			timeout 60 ./own_share deltafs -f -o rw,quiet=0 store mnt >"$log" 2>&1 &
			daemon=$!
			retry 20 daemon_settled
			if ! is_mounted mnt; then
				# refused: with a sentence, and nothing lost
				wait "$daemon"
				[ $? -lt 125 ] || fail "$file, $how: died: $(cat "$log")"
				grep -q '^deltafs: ' "$log" || fail "$file, $how: not a word"
				refused=$((refused + 1))
				echo "$file, $how: $(head -1 "$log")" >>said
				: >"$log"
				timeout 60 ./own_share deltafs -f -o ro store mnt >"$log" 2>&1 &
				daemon=$!
				retry 20 daemon_settled
				is_mounted mnt || fail "$file, $how: not even read-only: $(cat "$log")"
				promises_hold "$file, $how, read-only"
			else
				promises_hold "$file, $how"
				cp "$original" mnt/new && cmp mnt/new "$original" || fail "$file, $how: cannot be written"
				echo "$file, $how: $(grep -c . "$log") lines" >>said
				[ "$(grep -c 'warning\|error' "$log")" -le 6 ] || fail "$file, $how: says too much: $(cat "$log")"
			fi
			umount mnt || fail "$file, $how: umount"
			wait "$daemon" || fail "$file, $how: ended with $?: $(cat "$log")"
			[ -e "store/.deltafs/pins/$(ls made/.deltafs/pins)" ] || fail "$file, $how: the pin is gone"
		done
	done 3<files
done
echo "damaged $fired of $tried, refused for writing $refused:"
grep -v ' lines' said
faults_fired "$fired" $((tried * 2 / 3))
