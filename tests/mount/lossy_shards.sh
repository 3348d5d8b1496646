#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_shards: a model of several files gives up bits by one plan, in whatever order they come, and as encode would do it; what comes later is exact
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"	# run, size, member

"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --hidden 128 --seed 5 --shards 3 pair >/dev/null || fail make_pair
mkdir -p store plain/m mnt
cp -r pair/base store/base
cp -r pair/base plain/base
run deltafsctl base add store store/base
run deltafsctl base add plain plain/base
shard() { echo "model-0000$1-of-00003.safetensors"; }
state() { told state "mnt/$1"; }
settle() { deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest: $(cat "$log")"; }
because() { told reason "mnt/$1" | grep -Eq "^$2"; }

# What encode makes of the whole set is what there is to compare with.
for i in 1 2 3; do cp "pair/tune/$(shard $i)" plain/m/; done
run deltafsctl encode --yes --codec ultradelta plain/m/*
for i in 1 2 3; do
	run deltafsctl decode "plain/m/$(shard $i)" -o "want$i"
	cmp -s "want$i" "pair/tune/$(shard $i)" && fail "shard $i gave up nothing: this shows nothing"
done
# One by one is another plan.
mkdir alone && cp "pair/tune/$(shard 2)" alone/one.safetensors
run deltafsctl encode --yes --codec ultradelta --base pair/base alone/one.safetensors -o alone.delta
run deltafsctl decode alone.delta --base pair/base -o alone.out
cmp -s alone.out want2 && fail "shard 2 by itself is the same: this shows nothing"

start_daemon store mnt -o rw,quiet=0
all_lossy() { for i in 1 2 3; do [ "$(told exact "mnt/$1/$(shard $i)")" = 0 ] || return 1; done; }
# planned DIR: all gave up bits, and these are the bytes of the one plan.
planned() {
	retry 200 all_lossy "$1" || fail "$1: $(told reason "mnt/$1/$(shard 1)"), $(told reason "mnt/$1/$(shard 2)"), $(told reason "mnt/$1/$(shard 3)"): $(cat "$log")"
	for i in 1 2 3; do
		cmp "mnt/$1/$(shard $i)" "want$i" || fail "$1: shard $i has other bytes than encode makes of the whole set"
		cmp "store/$1/$(shard $i)" "plain/m/$(shard $i)" || fail "$1: shard $i is another container"
	done
}

# In any order, with pauses, one missing for a while.
for order in '3 1 2' '2 3 1'; do
	set -- $order
	dir=m$1
	mkdir "mnt/$dir"
	deltafsctl policy set "mnt/$dir" codec=ultradelta >/dev/null || fail "policy set"
	cp "pair/tune/$(shard "$1")" "mnt/$dir/"
	sleep 1
	cp "pair/tune/$(shard "$2")" "mnt/$dir/"
	waits() { because "$dir/$(shard "$1")" "waiting for shards ($3|$2,$3|$3,$2);"; }
	retry 30 waits "$1" "$2" "$3" || fail "$dir: it waits for '$(told reason "mnt/$dir/$(shard "$1")")'"
	[ "$(state "$dir/$(shard "$1")")" = plain ] && [ "$(state "$dir/$(shard "$2")")" = plain ] || fail "$dir: coded before all are there"
	cmp "mnt/$dir/$(shard "$1")" "pair/tune/$(shard "$1")" || fail "$dir: what waits has other bytes"
	cp "pair/tune/$(shard "$3")" "mnt/$dir/"
	planned "$dir"
done

# Asked for by name it waits for the whole model too, and says for what.
mkdir mnt/asked
deltafsctl policy set mnt/asked codec=ultradelta >/dev/null || fail "policy set"
cp "pair/tune/$(shard 1)" mnt/asked/
waits_as_copied() { because "asked/$(shard 1)" 'waiting for shards'; }
retry 30 waits_as_copied || fail "asked: it waits for '$(told reason "mnt/asked/$(shard 1)")'"
expect_fail 1 'its codec wants the whole model: asked/model-00002-of-00003.safetensors is not there; copy that in' \
	deltafsctl encode --yes --codec ultradelta "mnt/asked/$(shard 1)" </dev/null
because "asked/$(shard 1)" 'its codec wants the whole model: asked/model-00002-of-00003.safetensors is not there;' ||
	fail "asked for by name: $(told reason "mnt/asked/$(shard 1)")"
[ "$(told reason_word "mnt/asked/$(shard 1)")" = whole-model ] || fail "word: $(told reason_word "mnt/asked/$(shard 1)")"
cmp "mnt/asked/$(shard 1)" "pair/tune/$(shard 1)" || fail "asked for by name: other bytes"
for i in 2 3; do cp "pair/tune/$(shard $i)" mnt/asked/; done
planned asked

# What was compressed exactly as it came, and is asked for then, is planned as one too.
mkdir mnt/later
for i in 1 2 3; do cp "pair/tune/$(shard $i)" mnt/later/; done
settle
[ "$(told exact "mnt/later/$(shard 1)")" = 1 ] || fail "later: $(state "later/$(shard 1)")"
run deltafsctl encode --yes --codec ultradelta mnt/later/* </dev/null
planned later

# One that is replaced later is exact: what the others were is not known any more. So it is after a restart.
replaced() {
	"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --hidden 128 --seed 5 --shards 3 --r "$2" "other$2" >/dev/null || fail make_pair
	cp "other$2/tune/$(shard 2)" "mnt/$1/"
	settle
	[ "$(told exact "mnt/$1/$(shard 2)")" = 1 ] && [ "$(state "$1/$(shard 2)")" = container ] ||
		fail "$1: a shard that was replaced: exact=$(told exact "mnt/$1/$(shard 2)"), $(state "$1/$(shard 2)"): $(tail -3 "$log")"
	cmp "mnt/$1/$(shard 2)" "other$2/tune/$(shard 2)" || fail "$1: a shard that was replaced has other bytes"
	because "$1/$(shard 2)" 'coded exactly, since other files of its model were compressed before; copy those in anew too, then deltafsctl encode --codec SPEC of all of them' ||
		fail "$1: why it is exact: $(told reason "mnt/$1/$(shard 2)")"
	for i in 1 3; do cmp "mnt/$1/$(shard $i)" "want$i" || fail "$1: shard $i changed with it"; done
}
replaced m3 2e-2
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
replaced m2 3e-2

# Where the originals of the others are kept, the whole model's is there: it is coded anew, by the plan of what the model is now.
"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --hidden 128 --seed 5 --shards 3 --r 4e-2 other >/dev/null || fail make_pair
mkdir mnt/kept plain/now
deltafsctl policy set mnt/kept codec=ultradelta keep=manual >/dev/null || fail "policy set"
for i in 1 2 3; do cp "pair/tune/$(shard $i)" mnt/kept/; done
planned kept
cp "other/tune/$(shard 2)" mnt/kept/
settle
cp pair/tune/* plain/now/
cp "other/tune/$(shard 2)" plain/now/
run deltafsctl encode --yes --codec ultradelta plain/now/*.safetensors
[ "$(told exact "mnt/kept/$(shard 2)")" = 0 ] || fail "kept: a shard that was replaced is exact: $(told reason "mnt/kept/$(shard 2)")"
cmp "store/kept/$(shard 2)" "plain/now/$(shard 2)" || fail "kept: a shard that was replaced is by another plan"
for i in 1 3; do cmp "mnt/kept/$(shard $i)" "want$i" || fail "kept: shard $i changed with it"; done
deltafsctl revert "mnt/kept/$(shard 2)" >/dev/null || fail "revert"
cmp "mnt/kept/$(shard 2)" "other/tune/$(shard 2)" || fail "kept: reverted, it has other bytes"
# One of them let go of, it is exact.
deltafsctl accept "mnt/kept/$(shard 3)" >/dev/null || fail "accept"
cp --remove-destination "pair/tune/$(shard 2)" mnt/kept/
settle
because "kept/$(shard 2)" 'coded exactly, since other files of its model were compressed before;' ||
	fail "accepted: $(told exact "mnt/kept/$(shard 2)"), $(told reason "mnt/kept/$(shard 2)")"
cmp "mnt/kept/$(shard 2)" "pair/tune/$(shard 2)" || fail "accepted: other bytes"

# So it is where one of them was written to: what is kept is not the original of what it holds.
mkdir mnt/written
deltafsctl policy set mnt/written codec=ultradelta keep=manual >/dev/null || fail "policy set"
for i in 1 2 3; do cp "pair/tune/$(shard $i)" mnt/written/; done
planned written
printf x | dd of="mnt/written/$(shard 3)" bs=1 seek=90000 conv=notrunc status=none
settle
[ "$(told kept "mnt/written/$(shard 3)")" = manual ] && [ "$(state "written/$(shard 3)")" = container ] ||
	fail "written to: $(state "written/$(shard 3)"), kept: $(told kept "mnt/written/$(shard 3)")"
cp "other/tune/$(shard 2)" mnt/written/
settle
because "written/$(shard 2)" 'coded exactly, since other files of its model were compressed before;' ||
	fail "written to: $(told exact "mnt/written/$(shard 2)"), $(told reason "mnt/written/$(shard 2)")"
cmp "mnt/written/$(shard 2)" "other/tune/$(shard 2)" || fail "written to: other bytes"

# What that advises: copied in anew one by one, each is exact, and asked for by name they are one model again.
for i in 2 1 3; do
	cp "pair/tune/$(shard $i)" mnt/m2/
	settle
	[ "$(told exact "mnt/m2/$(shard $i)")" = 1 ] || fail "shard $i, copied in anew alone, gave up bits"
	cmp "mnt/m2/$(shard $i)" "pair/tune/$(shard $i)" || fail "shard $i, copied in anew, has other bytes"
done
run deltafsctl encode --yes --codec ultradelta mnt/m2/* </dev/null
planned m2
stop_daemon mnt
