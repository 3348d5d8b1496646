#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# estimated: promise 8, ratios are of real bytes, what estimate says of each codec against the container that it then makes: odd shapes, many small matrices, stacks, other dtypes; what is the base's, has no base or cannot be coded is no merit of a codec.
# test: timeout=600
. "$(dirname "$0")/common.sh"

cat >estimates.py <<'PY'
import json, os, subprocess, sys
import lossy_pairs
LOSSY = ("bitdelta", "delta-dct", "ultradelta", "delta-come")
UP, Q = "model.layers.%d.mlp.up_proj.weight", "model.layers.%d.self_attn.q_proj.weight"
NORM = ("model.norm.weight", [512], "tuned")
SHAPES = {
    "square": [(UP % i, [256, 512], "tuned") for i in range(2)],
    "odd": [(UP % i, [201, 333], "tuned") for i in range(2)] + [NORM],
    "many": [(Q % i, [128, 256], "tuned") for i in range(12)],
    "flat": [(UP % 0, [64, 3000], "tuned"), (UP % 1, [3000, 64], "tuned")],
    "float": [(UP % 0, [128, 300], "tuned", "F32"), (UP % 1, [128, 300], "tuned", "F16")],
    "stack": [("model.layers.0.mlp.experts.up_proj", [3, 128, 256], "tuned")],
    "embedding": [("model.embed_tokens.weight", [512, 256], "tuned"), (UP % 0, [256, 256], "tuned"), NORM],
    "mostly the base's": [(UP % i, [256, 300], "tuned" if i == 1 else "same") for i in range(4)],
    "NaN": [(UP % 0, [256, 300], "tuned"), (UP % 1, [256, 300], "nan")],
    "new": [(UP % 0, [256, 300], "tuned"), (UP % 1, [256, 300], "none")],
    "hardly changed": [(UP % 0, [256, 300], "tuned"), (UP % 1, [256, 512], "hardly"), (UP % 2, [256, 300], "same")],
    "mixed": [(UP % i, [256, 300], "tuned") for i in range(20)] + [(Q % i, [300, 256], "nan" if i % 2 else "same") for i in range(20)] +
             [("model.embed_tokens.weight", [1000, 256], "tuned"), NORM],
    "nothing but the base's": [(UP % i, [256, 300], "same") for i in range(2)] + [NORM],
    "nothing but NaN": [(UP % i, [256, 300], "nan") for i in range(2)],
    "nothing but embeddings": [("model.embed_tokens.weight", [256, 256], "tuned")],
}
def run(*words):
    ran = subprocess.run(["deltafsctl", *words], capture_output=True, text=True)
    if ran.returncode:
        raise AssertionError(f"{' '.join(words)}: {ran.stderr}")
    return ran.stdout
def near(told, real, share, bytes, what):
    if abs(told - real) > share * real + bytes:
        raise AssertionError(f"{what}: {told} was told, {real} it is")
def check(name, tensors):
    lossy_pairs.pair("base.safetensors", "tune.safetensors", tensors)
    before = open("tune.safetensors", "rb").read()
    args = ("--base", "base.safetensors", "tune.safetensors")
    told = json.loads(run("estimate", "--json", *args))["files"][0]
    trials = {t["codec"]: t for t in told["trials"]}
    if "exact" in trials and trials["exact"]["all"]["stored_bytes"] != told["after_bytes"]:
        raise AssertionError(f"{name}: {told['after_bytes']} without a table, and in it {trials['exact']}")
    lines = {line.split()[0]: line.split() for line in run("estimate", *args).splitlines() if line.startswith("  ")}
    for codec in ("exact",) + LOSSY:
        run("encode", "--yes", "--codec", codec, *args, "-o", "out")
        info = json.loads(run("info", "--json", "--tensors", "out"))
        run("decode", "--base", "base.safetensors", "out", "-o", "back")
        given = lossy_pairs.changed("tune.safetensors", "back")
        what = f"{name}, {codec}"
        if info["exact"] == bool(given):
            raise AssertionError(f"{what}: exact is {info['exact']}, {given} are other bytes")
        near(told["now_bytes"], len(before), 0, 0, what)
        scoped = json.loads(run("estimate", "--json", "--tensors", "--codec", codec, *args))["files"][0]
        if {t["name"] for t in scoped["tensors"] if t["lossy"]} != given:
            raise AssertionError(f"{what}: {given} is given up, and not {scoped['tensors']}")
        if codec != "exact" and [t["codec"] for t in scoped["trials"]] != (["exact", codec] if given else []):
            raise AssertionError(f"{what}: the table has {scoped['trials']}")
        if codec == "exact":
            if given:
                raise AssertionError(f"{what}: {given} are other bytes")
            near(told["after_bytes"], os.path.getsize("out"), .03, 8192, what + ", the file without a table")
        else:
            if bool(given) != (codec in trials):
                raise AssertionError(f"{what}: {given or 'nothing'} is given up, and the table has {list(trials)}")
            if not given:
                continue
        trial = trials.get(codec)
        if not trial:
            continue
        if trial["exact"] != (codec == "exact"):
            raise AssertionError(f"{what}: exact is {trial['exact']} in the table")
        if codec != "exact":
            near(trial["linear"]["original_bytes"], lossy_pairs.size_of("tune.safetensors", given), 0, 0, what + ", bytes given up")
            stored = sum(t["stored_bytes"] for t in info["tensors"] if t["name"] in given)
            near(trial["linear"]["stored_bytes"], stored, .05, 64, what + ", linear")
        near(trial["all"]["stored_bytes"], os.path.getsize("out"), .03, 8192, what + ", file")
        near(trial["all"]["ratio"], len(before) / trial["all"]["stored_bytes"], 1e-6, 0, what + ", file ratio")
        row = lines[codec]
        near(float(row[1][:-1]), trial["linear"]["ratio"], 0, .0051, what + ", linear in text")
        near(float(row[2][:-1]), trial["all"]["ratio"], 0, .0051, what + ", file in text")
        if row[3] != ("yes" if codec == "exact" else "no"):
            raise AssertionError(f"{what}: exact in text: {row[3]}")
    if open("tune.safetensors", "rb").read() != before:
        raise AssertionError(f"{name}: the file was changed")
    return len(trials)
tables = sum(check(name, tensors) > 0 for name, tensors in SHAPES.items())
if tables != 12:
    raise AssertionError(f"{tables} shapes had a table, and 12 should")
PY
python3 estimates.py || fail "what estimate says"

# A file that lies open in several: each row is of that file alone, and what nobody can read is no row.
python3 - <<'PY' || fail "make the shards"
import lossy_pairs
names = ["model.layers.%d.mlp.up_proj.weight" % i for i in range(3)]
lossy_pairs.pair("base.safetensors", "tune.safetensors", [(name, [128, 256], "tuned") for name in names])
tensors = lossy_pairs.load("tune.safetensors")[0]
for i, name in enumerate(names):
    lossy_pairs.save("parts/model-%05d-of-00003.safetensors" % (i + 1), {name: tensors[name]})
PY
deltafsctl estimate --json --base base.safetensors parts/*.safetensors >told || fail "estimate of shards"
python3 - <<'PY' || fail "estimate of shards: $(cat told)"
import json
files = json.load(open("told"))["files"]
assert len(files) == 3
for file in files:
    assert [t["linear"]["original_bytes"] for t in file["trials"]] == [128 * 256 * 2] * 5, file
PY
find . -newer told -type f | grep . && fail "estimate wrote something"
exit 0
