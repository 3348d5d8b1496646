#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shard_sets: promise 1, a model in shards gives up bits as one or not at all: with one shard missing, replaced, older than the policy, no model, linked or of another set, and with the daemon killed between two of them; what waits is whole and says so.
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

mkdir -p orig store mnt
python3 - <<'PY' || fail "make the models"
import lossy_pairs
UP = "model.layers.%d.mlp.up_proj.weight"
lossy_pairs.pair("orig/base.safetensors", "orig/whole.safetensors", [(UP % i, [128, 300], "tuned") for i in range(3)])
tensors = lossy_pairs.load("orig/whole.safetensors")[0]
for i in range(3):
    name = UP % i
    lossy_pairs.save(f"orig/{i + 1}", {name: tensors[name]})
dtype, shape, data = tensors[UP % 1]
lossy_pairs.save("orig/other", {UP % 1: (dtype, shape, bytes(byte ^ (at % 8 == 0) for at, byte in enumerate(data)))})
PY
cp orig/base.safetensors store/
deltafsctl base add store store/base.safetensors >said 2>&1 || fail "base add: $(cat said)"
start_daemon store mnt -o rw,quiet=0
shard() { printf 'model-%05d-of-%05d.safetensors' "$1" "${2:-3}"; }
put() { cp "orig/$1" "mnt/$2/$(shard "$1")"; }
is_waiting() { [ "$(told reason_word "$1")" = shards ]; }
waits() { retry 20 is_waiting "$1" && plain "$1" "$2" || fail "$1: $(told state "$1"), $(told reason "$1")"; }
# true_to FILE ORIGINAL: whatever became of it, it says so.
true_to() {
	if [ "$(told exact "$1")" = 1 ]; then
		cmp -s "$1" "$2" && return
		# unless it was published between the two looks
		[ "$(told exact "$1")" = 0 ] || fail "$1 is told to be exact"
	fi
	lossy "$1" "$2"
}

# One is missing: the others wait, and lose nothing. A set of another number is another set.
for codec in ultradelta bitdelta; do
	mkdir mnt/$codec
	policy mnt/$codec codec=$codec
	put 1 $codec && put 2 $codec && cp orig/3 mnt/$codec/"$(shard 3 4)" && cp orig/3 mnt/$codec/"$(shard 3 3)".part
	waits mnt/$codec/"$(shard 1)" orig/1 && waits mnt/$codec/"$(shard 2)" orig/2
	[[ $(told reason mnt/$codec/"$(shard 1)") = *3* ]] || fail "the reason: $(told reason mnt/$codec/"$(shard 1)")"
	expect_fail 1 . deltafsctl wait --timeout 1 mnt/$codec
	rm mnt/$codec/"$(shard 3 4)" mnt/$codec/"$(shard 3 3)".part
	put 3 $codec && settle
	for i in 1 2 3; do lossy mnt/$codec/"$(shard $i)" orig/$i; done
done

# One is replaced: exactly, if the codec looks at the model; the others are what they were.
sums=$(sha256sum mnt/*/"$(shard 1)" mnt/*/"$(shard 3)")
cp orig/other "mnt/ultradelta/$(shard 2)" && cp orig/other "mnt/bitdelta/$(shard 2)" && settle
exact "mnt/ultradelta/$(shard 2)" orig/other && lossy "mnt/bitdelta/$(shard 2)" orig/other
grep -q "exactly, since other files of its model were compressed before" "$log" || fail "why is not told: $(tail -3 "$log")"
rm "mnt/ultradelta/$(shard 2)" && put 2 ultradelta && settle && exact "mnt/ultradelta/$(shard 2)" orig/2
[ "$(sha256sum mnt/*/"$(shard 1)" mnt/*/"$(shard 3)")" = "$sums" ] || fail "the other shards changed"

# Some were there before the policy, or before the codec that looks at all: those keep every byte.
mkdir mnt/older mnt/linked
policy mnt/older ingest=off
put 1 older && put 2 older
policy mnt/older codec=ultradelta ingest=on
put 3 older && settle
true_to "mnt/older/$(shard 3)" orig/3
deltafsctl encode mnt/older/*.safetensors >said 2>&1 || fail "encode: $(cat said)"
for i in 1 2; do exact "mnt/older/$(shard $i)" orig/$i; done
# One has two names; one is a symbolic link; one is no model.
policy mnt/linked codec=ultradelta
cp orig/1 mnt/elsewhere && ln mnt/elsewhere "mnt/linked/$(shard 1)" && put 2 linked && put 3 linked
deltafsctl wait --timeout 20 mnt/linked >/dev/null
plain "mnt/linked/$(shard 1)" orig/1
for i in 2 3; do true_to "mnt/linked/$(shard $i)" orig/$i; done
mkdir mnt/symlinked mnt/text
policy mnt/symlinked codec=ultradelta && policy mnt/text codec=ultradelta
ln -s ../elsewhere "mnt/symlinked/$(shard 1)" && put 2 symlinked && put 3 symlinked
echo text >"mnt/text/$(shard 1)" && put 2 text && put 3 text
sleep 2
for dir in symlinked text; do
	for i in 2 3; do
		true_to "mnt/$dir/$(shard $i)" orig/$i
		[ "$(told state "mnt/$dir/$(shard $i)")" = container ] || [ -n "$(told reason "mnt/$dir/$(shard $i)")" ] || fail "$dir: $i is plain without a reason"
	done
done
[ "$(cat "mnt/text/$(shard 1)")" = text ] || fail "a text was changed"

# All but none of very many: nobody looks for them all.
cp orig/1 "mnt/bitdelta/$(shard 1 4096)"
waits "mnt/bitdelta/$(shard 1 4096)" orig/1
[ "$(told reason "mnt/bitdelta/$(shard 1 4096)" | wc -c)" -lt 600 ] || fail "a reason as long as the model"
rm "mnt/bitdelta/$(shard 1 4096)"

# Asked for by name, a shard without its sisters is a failure, and no success that did nothing.
mkdir mnt/asked && policy mnt/asked ingest=off && put 3 asked
timeout 20 deltafsctl encode --yes --codec ultradelta "mnt/asked/$(shard 3)" </dev/null >said 2>&1
status=$?
[ $status != 0 ] && grep -q "$(shard 1)" said || fail "status $status: $(cat said)"
plain "mnt/asked/$(shard 3)" orig/3

# Killed when the first of them has given up its bits: what comes then is a shard of the same model, and none is half done.
mkdir mnt/killed
policy mnt/killed codec=ultradelta keep=manual quiet=600
for i in 1 2 3; do put $i killed && sync "mnt/killed/$(shard $i)"; done
n_lossy() { local i n=0; for i in 1 2 3; do [ "$(told exact "mnt/killed/$(shard $i)")" != 0 ] || n=$((n + 1)); done; [ $n -ge 1 ]; }
policy mnt/killed quiet=0
retry 60 n_lossy || fail "none gave up bits: $(tail -3 "$log")"
kill -9 "$daemon"; wait "$daemon" 2>/dev/null; umount -l mnt
start_daemon store mnt -o rw,quiet=0
deltafsctl wait --timeout 240 mnt/killed >/dev/null || fail "it did not come to rest: $(tail -3 "$log")"
for i in 1 2 3; do
	true_to "mnt/killed/$(shard $i)" orig/$i
	[ "$(told state "mnt/killed/$(shard $i)")" = container ] || fail "$i is plain: $(told reason "mnt/killed/$(shard $i)")"
done
deltafsctl revert -r mnt/killed >said 2>&1 || fail "revert: $(cat said)"
for i in 1 2 3; do cmp "mnt/killed/$(shard $i)" orig/$i || fail "reverted to other bytes"; done
deltafsctl wait --timeout 240 mnt/killed >/dev/null
for i in 1 2 3; do exact "mnt/killed/$(shard $i)" orig/$i; done
still_alive
stop_daemon mnt
