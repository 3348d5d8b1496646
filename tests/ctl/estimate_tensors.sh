#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# estimate_tensors: which tensors a codec would take, by name, shape, globs and values, told before anything is coded, and as it then comes.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"

cat >make.py <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import lossy_pairs
layer = "model.layers.%d.%s.weight"
lossy_pairs.pair("base.safetensors", "tune.safetensors", [
    ("model.embed_tokens.weight", [512, 256], "tuned"), ("emb.weight", [256, 256], "tuned"),
    (layer % (0, "q_proj"), [256, 256], "tuned"), (layer % (0, "up_proj"), [256, 512], "tuned"),
    (layer % (1, "q_proj"), [256, 256], "same"), (layer % (1, "k_proj"), [256, 256], "nan"),
    (layer % (1, "v_proj"), [256, 256], "none"), (layer % (1, "o_proj"), [256, 256], "hardly"),
    (layer % (1, "down_proj"), [64, 64], "tuned"), (layer % (1, "up_proj"), [4000, 32], "tuned"),
    (layer % (2, "input_layernorm"), [40000], "tuned"), ("model.layers.2.router.weight", [128, 512], "tuned"),
    ("model.layers.2.q_norm.weight", [128, 512], "tuned"),
])
PY
python3 make.py "$DFS_SRC/tests/adversary" || fail "make the pair"

# scopes OPTION...: estimate's lines of tensors, without their bytes, by name.
scopes() {
	run deltafsctl estimate --tensors --base base.safetensors "$@" tune.safetensors
	sed -n 's/^  \(lossy\|exact\) \(.*[a-z]\)\? *[0-9][0-9]* \([a-z0-9_.]*\)$/\3: \1 \2/p' said | sed 's/ *$//' | sort >scopes
}
scopes --codec bitdelta
diff - scopes <<'END' || fail "bitdelta"
emb.weight: exact embedding or head
model.embed_tokens.weight: exact embedding or head
model.layers.0.q_proj.weight: lossy
model.layers.0.up_proj.weight: lossy
model.layers.1.down_proj.weight: exact too small
model.layers.1.k_proj.weight: exact NaN or infinity
model.layers.1.o_proj.weight: exact smaller exactly
model.layers.1.q_proj.weight: exact same as base
model.layers.1.up_proj.weight: exact shape
model.layers.1.v_proj.weight: exact no base tensor
model.layers.2.input_layernorm.weight: exact one dimension
model.layers.2.q_norm.weight: exact norm or bias
model.layers.2.router.weight: exact name
END
cp scopes before
scopes
diff before scopes || fail "without --codec"
grep -q '^  delta-dct ' said || fail "no table: $(cat said)"

# Globs and the other options of a SPEC.
spec='bitdelta:exclude=*.0.q_proj*,include=*router*,embeddings=lossy,norms=lossy'
scopes --codec "$spec"
grep '^  [a-z]' said | grep -v '^  exact \|^  lossy \|^  bitdelta:' && fail "more than one codec: $(cat said)"
for is in 'model.layers.0.q_proj.weight: exact excluded' 'emb.weight: lossy' 'model.embed_tokens.weight: lossy' \
	'model.layers.2.router.weight: lossy' 'model.layers.2.q_norm.weight: lossy'; do
	grep -qxF "$is" scopes || fail "not '$is': $(cat scopes)"
done

# It is so: what is said to be lossy is what is then other bytes.
for codec in bitdelta ultradelta delta-dct:p=8 "$spec"; do
	run deltafsctl estimate --json --tensors --codec "$codec" --base base.safetensors tune.safetensors
	cp said told
	run deltafsctl encode --yes --codec "$codec" --base base.safetensors tune.safetensors -o out
	run deltafsctl decode --base base.safetensors out -o back
	python3 - "$DFS_SRC/tests/adversary" "$codec" <<-'PY' || fail "$codec: $(cat told)"
		import json, os, sys
		sys.path.insert(0, sys.argv[1])
		import lossy_pairs
		file = json.load(open("told"))["files"][0]
		changed = lossy_pairs.changed("tune.safetensors", "back")
		assert {t["name"] for t in file["tensors"] if t["lossy"]} == changed, changed
		assert all((t["why"] is None) == t["lossy"] and t["original_bytes"] > 0 for t in file["tensors"])
		exact, lossy = file["trials"]
		assert exact["all"]["stored_bytes"] == file["after_bytes"] and lossy["spec"] == sys.argv[2]
		real = os.path.getsize("out")
		assert abs(lossy["all"]["stored_bytes"] - real) < .05 * real + 4096, (lossy, real)
	PY
done

# Without a base nothing is lossy; exact is no codec that gives up bits.
run deltafsctl estimate --tensors tune.safetensors
[ "$(grep -c '^  exact no base tensor ' said)" = 13 ] || fail "without a base: $(cat said)"
scopes --codec exact
[ "$(grep -c ': exact asked for$' scopes)" = 13 ] || fail "exact: $(cat said)"
expect_fail 2 'did you mean "bitdelta"' deltafsctl estimate --codec bitdelt tune.safetensors
expect_fail 2 'no option "includ"' deltafsctl estimate --codec bitdelta:includ=x tune.safetensors
