#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# training_loop: 50 checkpoints, of which two are kept, take no more room than on the file system below, but for one checkpoint
# test: timeout=900
. "$(dirname "$0")/common.sh"
steps=${STEPS:-50}

# Each further away from where they all began.
checkpoint() {
	local r
	r=$(awk -v k="$1" 'BEGIN { printf "%.5f", 0.0004 * k }')
	rm -rf new
	"$DFS_BUILD/tests/tools/make_pair" --params 300000 --vocab 512 --seed 9 --r "$r" new >/dev/null || fail "make_pair"
	head -c "$optimizer" /dev/urandom >new/optimizer.pt
}
# save DIR STEP: as trainers do: a directory of another name, renamed when it is whole; the oldest goes then.
save() {
	local to=$1/tmp-checkpoint-$2
	mkdir "$to" || fail "mkdir $to"
	cp new/tune/model.safetensors new/optimizer.pt "$to" || fail "save $2 to $1"
	mv "$to" "$1/checkpoint-$2" || fail "rename of $to"
	peak=$(blocks "$1")
	[ "$2" -le 2 ] || rm -r "$1/checkpoint-$(($2 - 2))" || fail "rm -r of checkpoint $(($2 - 2)) in $1"
}
blocks() { du -s -B1 "$1" 2>/dev/null | cut -f1; }
right() { cmp "$1/$2/model.safetensors" "mnt/$2/model.safetensors" && cmp "$1/$2/optimizer.pt" "mnt/$2/optimizer.pt"; }

# Steps that take long enough for what was saved to come to rest.
at_rest() { [ "$(told state "mnt/checkpoint-$k/model.safetensors")" = container ]; }
watch() {
	local most=0 now
	while [ ! -e watched ]; do
		now=$(blocks store)
		[ "${now:-0}" -le "$most" ] || { most=$now; echo "$most" >watch.new; mv watch.new most; }
	done
}

optimizer=1500000 most=0 twin_peak=0 rested=0
mkdir store mnt twin
start_daemon store mnt -o rw,quiet=0
watch & watcher=$!
at_end "touch watched"
for ((k = 1; k <= steps; k++)); do
	checkpoint "$k"
	save twin "$k"
	[ "$peak" -le "$twin_peak" ] || twin_peak=$peak
	save mnt "$k"
	if [ $((k % 3)) != 0 ]; then
		retry 120 at_rest || fail "step $k does not come to rest: $(cat "$log")"
		rested=$((rested + 1))
	fi
	one=$(blocks new/tune); one=$((one + $(blocks new/optimizer.pt)))
	store=$(blocks store) twin=$(blocks twin)
	[ "$store" -le $((twin + one)) ] || fail "step $k: the store has $store, on ext4 it would be $twin (one checkpoint: $one): $(du -ab store): $(cat "$log")"
	[ $((store - twin)) -le "$most" ] || most=$((store - twin))
	for ((i = k > 1 ? k - 1 : 1; i <= k; i++)); do
		right twin "checkpoint-$i" || fail "checkpoint $i after step $k: $(cat "$log")"
	done
done
echo "at most $most bytes more than on the file system below, a checkpoint has $one"
touch watched
wait "$watcher"
[ "$(cat most)" -le $((twin_peak + one)) ] || fail "meanwhile the store had $(cat most), on ext4 it is $twin_peak: $(cat "$log")"
grep -q 'over checkpoint' "$log" && grep -q 'a base of its family' "$log" || fail "nothing found a base: $(cat "$log")"
echo "$rested of $steps steps came to rest; at the worst moment $(cat most), below $twin_peak"
smaller() { [ "$(blocks store)" -lt "$(blocks twin)" ]; }
retry 120 smaller || fail "at rest the store has $(blocks store), the twin $(blocks twin): $(cat "$log")"
[ "$(find mnt -type f | wc -l)" = 4 ] || fail "files: $(find mnt)"
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
for i in $((steps - 1)) "$steps"; do
	right twin "checkpoint-$i" || fail "checkpoint $i after a remount"
done

# A directory goes while a file in it is encoded: nothing stays behind.
"$DFS_BUILD/tests/tools/make_pair" --params 30000000 --seed 1 big >/dev/null || fail "make_pair"
in_work() { [ -n "$(find store/.deltafs/tmp -type f -size +100k)" ]; }
none_in_work() { [ -z "$(find store/.deltafs/tmp -type f)" ]; }
fired=0
for i in 1 2 3; do
	mkdir mnt/checkpoint-big && cp big/tune/model.safetensors mnt/checkpoint-big/ || fail "cp"
	retry 200 in_work && fired=$((fired + 1))
	rm -r mnt/checkpoint-big || fail "rm -r during an encode"
	retry 200 none_in_work || fail "it left $(ls -l store/.deltafs/tmp)"
done
[ "$fired" -gt 0 ] || fail "no encode was hit"
rm -r mnt/checkpoint-*
empty() { [ "$(find store/.deltafs/pins store/.deltafs/tmp store/.deltafs/bases -type f | wc -l)" = 0 ]; }
retry 120 empty || fail "left over: $(find store -type f): $(cat "$log")"
stop_daemon mnt
