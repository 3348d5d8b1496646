#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_names: promise 1, tensors that are called almost like a layer, like a pattern or like nothing on earth: what is no layer's matrix by its name keeps every bit, patterns mean what they say, exclude is stronger than include, and info tells what was decided.
. "$(dirname "$0")/lossy_common.sh"

cat >names.py <<'PY'
import json, random, subprocess, sys
from lossy_pair import COLS, ROWS, bf16, gauss, load, moved, save

def lines(text):
    return [line for line in text.split("\n") if line]

# by the names that libraries give: what a codec is for
LAYERS = lines("""
model.layers.0.self_attn.q_proj.weight
model.layers.0.mlp.gate_proj.weight
model.layers.0.mlp.experts.gate_up_proj
model.layers.3.mlp.shared_experts.gate_proj.weight
transformer.h.0.attn.c_attn.weight
encoder.layer.0.attention.output.dense.weight
encoder.block.0.layer.0.SelfAttention.q.weight
encoder.block.0.layer.1.DenseReluDense.wi.weight
decoder.layers.0.encoder_attn.out_proj.weight
blocks.0.mlp.fc1.weight
MODEL.LAYERS.0.MLP.UP_PROJ.WEIGHT
m\u00f6del.layers.0.\u5c64.\U0001f9e0.weight
""")
# and what it is not for
OTHERS = lines("""
norm.weight
model.norm.weight
model.layers.0.self_attn.q_norm.weight
encoder.layer.0.attention.output.LayerNorm.weight
decoder.final_LAYERNORM.weight
Norm
RMSNorm_0.scale
transformer.LN_F.weight
lm_head.weight
LM_Head.weight
lm_head
model.embed_tokens.weight
Embed_0.embedding
bert.embeddings.word_Embeddings.weight
unembed.weight
WTE.weight
shared.weight
Shared.weight
output.weight
Output.weight
score.weight
Classifier.out.weight
decoder.output_projection.weight
visual.Proj
vision_model.embeddings.patch_embedding.weight
layers.0.mlp.gate.weight
layers.0.moe.Router.weight
backbone.Conv_0.weight
base_model.model.layers.0.q_proj.LoRA_A.weight
layers.0.q_proj.bias
layers.0.q_proj.Bias
layers.0.q_proj.weight_scale
mixer.a_log
""")
# names that are patterns, or that patterns stumble over
TRAPS = ["model.layers.*.weight", "model.layers.[0].weight", "model.layers.?.weight", "a/b/model.layers.0.weight",
         "back\\slash.weight", "-r", "x" * 4000 + ".weight", " model.layers.0.weight", "model.layers.0.weight "]
rng = random.Random(6)
weights = gauss(rng, ROWS * COLS, 0.02)
base = bf16(weights)
every = LAYERS + OTHERS + TRAPS
save("base", [(name, "BF16", [ROWS, COLS], base) for name in every])
save("tune", [(name, "BF16", [ROWS, COLS], bf16(moved(rng, weights, 0.001))) for name in every])

def run(*words):
    ran = subprocess.run(["deltafsctl", *words], capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{words}: {ran.stderr}")
    return ran.stdout

def changed(spec):
    run("encode", "--yes", "--codec", spec, "--base", "base", "tune", "-o", "coded")
    run("decode", "--base", "base", "coded", "-o", "back")
    (got, head), (want, same) = load("back"), load("tune")
    assert head == same, f"{spec}: the header"
    found = {name for name in want if got[name] != want[name]}
    told = {t["name"] for t in json.loads(run("info", "--tensors", "--json", "coded"))["tensors"] if "bitdelta" in json.dumps(t)}
    assert told == found, f"{spec}: info --tensors tells of {sorted(told ^ found)}"
    return found

def check(spec, want):
    got = changed(spec)
    lost, kept = sorted(got - set(want)), sorted(set(want) - got)
    assert not lost and not kept, f"{spec}: gave up {lost}; did not {kept}"

check("bitdelta", LAYERS + TRAPS)
check("bitdelta:include=*", every)
check("bitdelta:include=*,exclude=*", [])
check("bitdelta:exclude=*,include=*,embeddings=lossy,norms=lossy", [])
words = ("layers", "LAYERS", "block")
check("bitdelta:exclude=*layers*,exclude=*LAYERS*,exclude=*block*", [n for n in LAYERS + TRAPS if not any(w in n for w in words)])
check("bitdelta:exclude=model.layers.\\*.weight", [n for n in LAYERS + TRAPS if n != "model.layers.*.weight"])
check("bitdelta:exclude=model.layers.[[]0].weight", [n for n in LAYERS + TRAPS if n != "model.layers.[0].weight"])
check("bitdelta:include=lm_head", LAYERS + TRAPS + ["lm_head"])
check("bitdelta:include=LM_HEAD.weight", LAYERS + TRAPS)
check("bitdelta:include=?orm.weight", LAYERS + TRAPS + ["norm.weight"])
PY
timeout -s KILL 100 python3 names.py || fail "see above"
