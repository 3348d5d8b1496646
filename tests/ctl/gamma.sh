#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gamma: ultradelta:gamma=auto compares a model with the first fine-tune of its base: kept with the base, shown, set, by name and through a mount
# test: timeout=120
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
. "$DFS_SRC/tests/lib/mount.sh"
need python3

# Differences of 1, 1.25, 4 and 0.5 thousandths, times the same random matrices: norms are in these proportions.
python3 - <<'PY' || fail "make the models"
import array, json, os, random, struct
def save(path, tensors):
    header, off = {}, 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [off, off + 4 * len(data)]}
        off += 4 * len(data)
    text = json.dumps(header).encode()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for _, data in tensors.values():
            f.write(array.array("f", data).tobytes())
rng = random.Random(3)
shapes = {f"model.layers.{i}.mlp.{part}_proj.weight": shape
          for i in range(2) for part, shape in (("up", (384, 256)), ("down", (256, 384)))}
base = {k: [rng.gauss(0, .05) for _ in range(m * n)] for k, (m, n) in shapes.items()}
moves = {k: [rng.gauss(0, 1e-3) for _ in v] for k, v in base.items()}
save("store/base/model.safetensors", {k: (shapes[k], v) for k, v in base.items()})
for name, scale in (("a", 1), ("b", 1.25), ("c", 4), ("d", .5)):
    save(f"plain/{name}/model.safetensors",
         {k: (shapes[k], [x + scale * d for x, d in zip(v, moves[k])]) for k, v in base.items()})
PY
gamma() { deltafsctl info --json "$1" | python3 -c 'import json,sys; print("%.3f" % json.load(sys.stdin)["gamma"]["'"${2:-value}"'"])'; }
norm() { deltafsctl base list --json "${2:-store}" | python3 -c 'import json,sys; print("%.4f" % json.load(sys.stdin)["bases"][0].get("'"$1"'", 0))'; }
is_about() { python3 -c 'import sys; a, b = map(float, sys.argv[1:]); sys.exit(abs(a - b) > .002 * b)' "$1" "$2" || fail "$3: $1, and $2 is expected"; }
anew() { rm "store/$1/model.safetensors" && cp "plain/$1/model.safetensors" "store/$1/"; }
encode() { deltafsctl encode --yes --codec "ultradelta:$1" "$2" >/dev/null || fail "encode $2"; }

run deltafsctl base add store store/base
cp -r plain/* store/
[ "$(norm norm)" = 0.0000 ] || fail "a base has a norm before any fine-tune"

# A gain that is asked for teaches the base nothing; neither does a reference that is given.
encode gamma=0.75 store/a/model.safetensors
[ "$(gamma store/a/model.safetensors)" = 0.750 ] || fail "gamma=0.75: $(gamma store/a/model.safetensors)"
anew a
encode gamma=auto,nref=1 store/a/model.safetensors
[ "$(gamma store/a/model.safetensors reference)" = 1.000 ] || fail "nref=1"
deltafsctl info store/a/model.safetensors | grep -q '^gamma  *0.5: norm 1 of a reference over its own ' || fail "info of nref=1: $(deltafsctl info store/a/model.safetensors)"
[ "$(norm norm)" = 0.0000 ] || fail "the base learnt a norm of what was no fine-tune with gamma=auto alone"

# Of a base that is in no store nothing is kept, and nothing else is said.
run deltafsctl encode --yes --codec ultradelta:gamma=auto --base store/base plain/b/model.safetensors -o alone
deltafsctl info alone | grep -q '^gamma  *1: its norm of [0-9.]* is the reference itself$' || fail "info of -o: $(deltafsctl info alone)"
[ "$(norm norm)" = 0.0000 ] || fail "-o taught the base a norm"
rm alone

# The first defines it, the others are compared with it, from 0.5 to 1; s does not matter.
anew a
encode gamma=auto store/a/model.safetensors
[ "$(gamma store/a/model.safetensors)" = 1.000 ] || fail "the first fine-tune: $(gamma store/a/model.safetensors)"
first=$(norm norm)
is_about "$(gamma store/a/model.safetensors norm)" "$first" "the base's norm"
encode gamma=auto,s=0.9 store/b/model.safetensors
is_about "$(gamma store/b/model.safetensors)" 0.8 "a norm of 1.25"
encode gamma=auto store/c/model.safetensors
is_about "$(gamma store/c/model.safetensors)" 0.5 "a norm of 4"
encode gamma=auto store/d/model.safetensors
is_about "$(gamma store/d/model.safetensors)" 1 "a norm of 0.5"
[ "$(norm norm)" = "$first" ] || fail "a later fine-tune changed the base's norm"
deltafsctl info store/b/model.safetensors | grep -q '^gamma  *0\.\(8\|7999\|8001\)' || fail "info: $(deltafsctl info store/b/model.safetensors)"
deltafsctl base list store | grep -q 'norm that fine-tunes are compared with' || fail "base list: $(deltafsctl base list store)"

# The exact one is another one, compared with its own kind.
anew a && anew b
encode gamma=auto,trace=exact store/a/model.safetensors
encode gamma=auto,trace=exact store/b/model.safetensors
is_about "$(gamma store/b/model.safetensors)" 0.8 "an exact norm of 1.25"
is_about "$(norm exact_norm)" "$(gamma store/a/model.safetensors norm)" "the base's exact norm"
[ "$(norm norm)" = "$first" ] || fail "the exact norm replaced the estimate"
# Independent values: the estimate is that of a square matrix, and others have up to 3 pi / 8 times as much.
python3 -c 'import sys; a, b = map(float, sys.argv[1:]); sys.exit(not .97 < a / b < 1.2)' "$(norm exact_norm)" "$first" ||
	fail "exact $(norm exact_norm), estimated $first"

# Set by hand; 0: the next one defines it. What makes no sense is refused, and changes nothing.
expect_fail 2 'one base' deltafsctl base list --norm 5 store
expect_fail 2 'is no number' deltafsctl base list --norm x store store/base
expect_fail 2 'is no number' deltafsctl base list --norm=-1 store store/base
expect_fail 2 'is no number' deltafsctl base list --norm inf store store/base
expect_fail 1 'base' deltafsctl base list --norm 5 store ffffffffff
[ "$(norm norm)" = "$first" ] || fail "what was refused changed the norm"
run deltafsctl base list --norm 7.5 --exact-norm 3 store store/base
[ "$(norm norm) $(norm exact_norm)" = "7.5000 3.0000" ] || fail "set: $(norm norm) $(norm exact_norm)"
run deltafsctl base list --norm 0 store store/base
[ "$(norm norm) $(norm exact_norm)" = "0.0000 3.0000" ] || fail "taken away: $(norm norm) $(norm exact_norm)"

# The same by a mount, whose daemon compares what is copied in and sets what it is told.
mkdir mnt
start_daemon store mnt -o rw,quiet=0
mkdir mnt/auto
deltafsctl policy set mnt/auto codec=ultradelta:gamma=auto >/dev/null || fail "policy set"
copy() { cp "plain/$1/model.safetensors" "mnt/auto/$1.safetensors" && deltafsctl wait --timeout 240 mnt >/dev/null || fail "copy $1 in"; }
copy b
is_about "$(gamma mnt/auto/b.safetensors)" 1 "the first through the mount"
copy c
is_about "$(gamma mnt/auto/c.safetensors)" 0.5 "one of 3.2 times its norm"
is_about "$(norm norm mnt)" "$(gamma mnt/auto/b.safetensors norm)" "the norm by the mount"
run deltafsctl base list --norm "$(gamma mnt/auto/c.safetensors norm)" mnt store/base
copy d
is_about "$(gamma mnt/auto/d.safetensors)" 1 "one below the norm that was set"
cp plain/c/model.safetensors mnt/auto/c2.safetensors && deltafsctl wait --timeout 240 mnt >/dev/null
is_about "$(gamma mnt/auto/c2.safetensors)" 1 "one of the norm that was set"
stop_daemon mnt
