#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# spared: encode and the daemon say how many matrices are exact that a codec was to have, and why; and which patterns are no tensor's name
# test: timeout=120
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
. "$DFS_SRC/tests/lib/mount.sh"
need python3 strace
export PYTHONPATH=$DFS_SRC/tests/adversary

mkdir store
python3 - <<'PY' || fail "make the models"
import lossy_pairs
UP = "model.layers.%d.mlp.up_proj.weight"
lossy_pairs.pair("store/base.safetensors", "tune", [(UP % 0, [256, 256], "tuned"), (UP % 1, [256, 256], "nan"),
    (UP % 2, [256, 256], "nan"), (UP % 3, [256, 256], "none"), (UP % 4, [256, 256], "same"), ("model.norm.weight", [256], "tuned")])
lossy_pairs.pair("other", "whole", [(UP % 0, [256, 256], "tuned")])
PY
numbers='2 matrices are exact, since they have NaN, infinity or numbers too large: model.layers.1.mlp.up_proj.weight, ...'
spared="$numbers; 1 matrix is exact, since the base has none like it: model.layers.3.mlp.up_proj.weight"
run deltafsctl base add store store/base.safetensors

# In place, at OUT, in JSON; by codecs with a plan and without.
for codec in bitdelta delta-dct ultradelta delta-come; do
	rm -f store/f && cp tune store/f
	run deltafsctl encode --yes --codec $codec store/f
	grep -qF ": $spared" said || fail "$codec: $(cat said)"
	run deltafsctl encode --yes --json --codec $codec --base store/base.safetensors tune -o out
	[ "$(member said 'o["files"][0]["reason"]')" = "$spared" ] || fail "$codec, --json: $(cat said)"
done
run deltafsctl encode --codec exact --base store/base.safetensors tune -o out
! grep -q matri said || fail "exact: $(cat said)"
run deltafsctl encode --yes --codec bitdelta --base other whole -o out
! grep -q matri said || fail "of a whole one: $(cat said)"

# What is excluded is none of them. A pattern that is no name, or part of one, is told.
run deltafsctl encode --yes --codec "bitdelta:exclude=*.[123].*,exclude=*.nowhere.*,include=norm.weight" --base store/base.safetensors tune -o out
! grep -q matri said || fail "what is excluded: $(cat said)"
grep -q 'no tensor of what is to be compressed is called by exclude=\*\.nowhere\.\*' said || fail "a pattern that is no name: $(cat said)"
grep -q 'called by include=norm.weight$' said || fail "half a name: $(cat said)"
! grep -qF 'exclude=*.[123].*' said || fail "a pattern that is a name: $(cat said)"
deltafsctl encode --yes --json --codec "bitdelta:exclude=*.nowhere.*" --base store/base.safetensors tune -o out >said 2>/dev/null || fail "encode --json"
[ "$(member said 'o["unmatched"]')" = "['exclude=*.nowhere.*']" ] || fail "--json: $(cat said)"
# Of several files one has it.
run deltafsctl encode --yes --codec "bitdelta:exclude=model.layers.4.mlp.up_proj.weight" --base store/base.safetensors tune whole -o both
! grep -q 'called by' said || fail "of two files one has a name: $(cat said)"

# By a policy: in the log, the attribute, across a restart; by name through the daemon.
rm store/f && mkdir mnt
told() { getfattr --absolute-names --only-values -n "user.deltafs.$1" "$2" 2>/dev/null; }
start_daemon store mnt -o rw,quiet=0
mkdir mnt/d
run deltafsctl policy set mnt/d 'codec=bitdelta:exclude=*.nowhere.*'
cp tune mnt/d/f
run deltafsctl wait --timeout 240 mnt
[ "$(told exact mnt/d/f)" = 0 ] || fail "it is exact: $(told reason mnt/d/f)"
grep -F "d/f: compressed to " "$log" | grep -qF "; bits were given up, but not of all matrices: 2 matrices are exact, since they have NaN" || fail "the log: $(cat "$log")"
grep -qF '; no tensor of it is called by exclude=*.nowhere.*' "$log" || fail "the log of a pattern: $(cat "$log")"
partly() { [[ $(told reason "$1") = 'bits were given up, but not of all matrices: 2 matrices are exact, since they have NaN, infinity or numbers too large: '* ]] || fail "$1, $2: its reason is $(told reason "$1")"; }
partly mnt/d/f "by a policy"
cp tune mnt/e
run deltafsctl wait --timeout 240 mnt
# Published, and the daemon is slow to write down what is to be known of it.
attach -e trace=fsync -e inject=fsync:delay_enter=200000
run deltafsctl encode --yes --codec delta-dct mnt/e
kill "$tracer" && wait "$tracer" 2>/dev/null
grep -q ': bits were given up, but not of all matrices: 2 matrices are exact' said || fail "by name: $(cat said)"
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
partly mnt/d/f "after a restart"
deltafsctl info mnt/d/f | grep -q '^exact  *bits were given up, but not of all matrices: 2 ' || fail "info: $(deltafsctl info mnt/d/f)"
printf x | dd of=mnt/d/f bs=1 seek=100000 conv=notrunc status=none
run deltafsctl wait --timeout 240 mnt
[[ $(told reason mnt/d/f) = 'coded exactly, since it was compressed before'* ]] || fail "written to: $(told reason mnt/d/f)"
stop_daemon mnt
