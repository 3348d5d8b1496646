#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# estimate: in a directory never seen before it finds the families, tells what encode then does, and writes nothing.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
learn_magic

mkdir -p D/A D/B D/models--org--m/blobs D/models--org--m/snapshots/abc
made() { rm -rf m && make_pair "$@" m; }
made --params 1500000 --seed 1 --r 0.01
cp m/base/model.safetensors D/A/base.safetensors
cp m/tune/model.safetensors D/A/first.safetensors
made --params 1500000 --seed 1 --r 0.02 --shards 3
cp -r m/tune D/A/sharded
made --params 800000 --seed 7 --hidden 128 --r 0.002 --grow 16
cp -r m/base D/B/base
cp m/tune/model.safetensors D/models--org--m/blobs/0123abcd
ln -s ../../blobs/0123abcd D/models--org--m/snapshots/abc/model.safetensors
# The shape of B's, but weights of its own: related by nothing.
made --params 800000 --seed 8 --hidden 128
cp m/base/model.safetensors D/B/stranger.safetensors
made --params 600000 --seed 9 --hidden 64
cp m/base/model.safetensors D/lonely.safetensors
echo text >D/readme.md
cp -a D before

find D -printf '%p %s %T@ %C@\n' | sort >stats
run deltafsctl estimate -r --json D
cp said est
find D -printf '%p %s %T@ %C@\n' | sort | diff stats - || fail "estimate changed something"
base_of() { member est '[f["base"] for f in o["files"] if f["path"] == "'"$1"'"][0]'; }
reason_of() { member est '[f["reason"] for f in o["files"] if f["path"] == "'"$1"'"][0]'; }
family_a="D/A/base.safetensors D/A/first.safetensors D/A/sharded/model-00002-of-00003.safetensors"
n=0
for file in $family_a; do
	case $(base_of $file) in
	D/A/*) n=$((n + 1)) ;;
	None) grep -q 'base of others' <<<"$(reason_of $file)" || fail "$file: $(reason_of $file)" ;;
	*) fail "$file: base $(base_of $file)" ;;
	esac
done
[ $n = 2 ] || fail "$n of family A have a base, not all but one"
[ "$(base_of D/models--org--m/snapshots/abc/model.safetensors)" = D/B/base/model.safetensors ] ||
	[ "$(base_of D/B/base/model.safetensors)" = D/models--org--m/snapshots/abc/model.safetensors ] ||
	fail "family B: $(cat est)"
grep -q 'no other model here makes it smaller' <<<"$(reason_of D/B/stranger.safetensors)" || fail "the stranger: $(reason_of D/B/stranger.safetensors)"
grep -q 'no other model here has its tensors' <<<"$(reason_of D/lonely.safetensors)" || fail "the lonely one: $(reason_of D/lonely.safetensors)"
grep -q 'no safetensors file' <<<"$(reason_of D/readme.md)" || fail "the text"

# encode -r does it, and lands near.
run deltafsctl encode -r D
run deltafsctl ls --json D
cp said listed
after=$(member listed 'sum(f["stored_bytes"] for f in o["files"])')
guess=$(member est 'o["total"]["after_bytes"]')
echo "estimated $guess, became $after"
at_most "$(awk -v a="$after" -v g="$guess" 'BEGIN { d = a > g ? a - g : g - a; print d / a }')" 0.08 || fail "estimated $guess, became $after"
run deltafsctl verify -r D
run deltafsctl decode -r D
diff -r --exclude=.deltafs before D || fail "other bytes"

# What is a base already stays one.
run deltafsctl encode -r D
run deltafsctl estimate -r D
[ "$(grep -c 'a base, which stays plain' said)" = 2 ] || fail "bases: $(cat said)"
run deltafsctl decode -r D

# With --base, against that alone; a file by itself, too.
run deltafsctl estimate --base before/A/base.safetensors before/A/first.safetensors before/lonely.safetensors
grep -q 'first.safetensors: .* base before/A/base.safetensors' said || fail "--base: $(cat said)"
expect_fail 2 'is a directory' deltafsctl estimate before
