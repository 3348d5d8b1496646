#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy: each codec that gives up bits, by name: the size it promises, what info says, verify, decode, shards, estimate
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need python3

# Two matrices of 1024 x 1024, whose shares of all tables and hashes count; the ratios that are promised for them.
python3 - <<'PY' || fail "make the pair"
import json, os, random, struct
from array import array
random.seed(5)
def bf16(values):
    words = array("I")
    words.frombytes(array("f", values).tobytes())
    return array("H", [(w + 0x7fff + (w >> 16 & 1)) >> 16 for w in words]).tobytes()
def save(path, tensors):
    header, off = {}, 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [off, off + len(data)]}
        off += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values()))
n = 1024
base, tune = {}, {}
for name, shape in (("model.layers.0.mlp.up_proj.weight", [n, n]), ("model.layers.1.mlp.up_proj.weight", [n, n]),
                    ("model.embed_tokens.weight", [64, n]), ("pooler.dense.weight", [64, n]), ("model.layers.0.input_layernorm.weight", [n])):
    count = shape[0] * (shape[1] if len(shape) > 1 else 1)
    weights = [random.gauss(0, .02) for _ in range(count)]
    base[name] = (shape, bf16(weights))
    tune[name] = (shape, bf16([w + random.gauss(0, .001) for w in weights]))
same = "model.layers.1.self_attn.o_proj.weight"
base[same] = tune[same] = ([64, n], bf16([random.gauss(0, .02) for _ in range(64 * n)]))
save("base.safetensors", base)
save("tune.safetensors", tune)
names = list(tune)
for i, part in enumerate((names[:1], names[1:])):
    save("tune-%05d-of-00002.safetensors" % (i + 1), {k: tune[k] for k in part})
PY

# info FILE EXPRESSION: of d, what info says of it.
info() { deltafsctl info --json "$1" | python3 -c 'import json, sys; print(eval(sys.argv[1], {"d": json.load(sys.stdin)}))' "$2"; }
at_least() { python3 -c 'import sys; sys.exit(float(sys.argv[1]) < float(sys.argv[2]))' "$1" "$2"; }

while read -r codec want; do
	run deltafsctl encode --yes --codec "$codec" --base base.safetensors tune.safetensors -o out
	ratio=$(info out "d['given_up']['ratio']") || fail "info of $codec"
	at_least "$ratio" "$want" || fail "$codec: $ratio, and $want is promised"
	# Given up: the two matrices. Linear: also the one that is the base's, but no pooler.
	[ "$(info out "[d[k]['params'] for k in ('given_up', 'linear')]")" = "[$((2 * 1024 * 1024)), $((2 * 1024 * 1024 + 64 * 1024))]" ] ||
		fail "$codec: info counts $(info out "[d[k]['params'] for k in ('given_up', 'linear')]") parameters"
	deltafsctl info out | grep -q '^given up  *4.0 MiB -> ' || fail "$codec: info: $(deltafsctl info out)"
	deltafsctl ls out | grep -q "^lossy " || fail "$codec: ls: $(deltafsctl ls out)"
	[ "$(info out "d['exact']")" = False ] || fail "$codec: info says that it is exact"
	run deltafsctl verify --base base.safetensors out
	run deltafsctl decode --base base.safetensors out -o back
	python3 - <<-'PY' || fail "$codec: what it decodes to"
		import json, struct
		def load(path):
		    data = open(path, "rb").read()
		    n = struct.unpack("<Q", data[:8])[0]
		    return {k: data[8 + n:][slice(*v["data_offsets"])] for k, v in json.loads(data[8:8 + n]).items()}, data[:8 + n]
		(want, head), (got, shown) = load("tune.safetensors"), load("back")
		assert head == shown, "the header"
		for name in want:
		    assert (got[name] == want[name]) == ("up_proj" not in name), name
	PY
	cp back first
	run deltafsctl encode --yes --threads 1 --codec "$codec" --base base.safetensors tune.safetensors -o again
	cmp out again || fail "$codec: other bytes with one thread"
	for cpu in portable avx2; do
		DELTAFS_CPU=$cpu deltafsctl decode --base base.safetensors out -o back >/dev/null || fail "$codec: decode, $cpu"
		cmp back first || fail "$codec: other bytes with $cpu"
	done
	rm -f out again back
done <<-'END'
	bitdelta 15.6
	bitdelta:scale=scalar 15.6
	bitdelta:scale=column 15.6
	delta-dct 15.0
	delta-dct:levels=minmax 14.4
	delta-dct:p=32 15.4
	ultradelta 125
	ultradelta:s=0.95 75
	ultradelta:s=0.99 340
	ultradelta:mask=stored 49
	ultradelta:mask=stored,s=0.95 31
	ultradelta:mask=stored,s=0.99 120
	delta-come 14.9
END

# A model in two files is planned as one: the matrix of the first is pruned as it would be beside the other's.
run deltafsctl encode --yes --codec ultradelta --base base.safetensors tune-*.safetensors -o parts
for part in tune-0000{1,2}-of-00002.safetensors; do
	run deltafsctl decode --base base.safetensors "parts/$part" -o "$part.back"
done
run deltafsctl encode --yes --codec ultradelta --base base.safetensors tune.safetensors -o out
run deltafsctl decode --base base.safetensors out -o back
python3 - <<'PY' || fail "a model in parts is not pruned as the whole is"
import json, struct
def load(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    return {k: data[8 + n:][slice(*v["data_offsets"])] for k, v in json.loads(data[8:8 + n]).items()}
def changed(got, base):
    return sum(got[i:i + 2] != base[i:i + 2] for i in range(0, len(got), 2))
base, whole, parts = load("base.safetensors"), load("back"), {}
for i in (1, 2):
    parts.update(load("tune-%05d-of-00002.safetensors.back" % i))
for name in whole:
    if "up_proj" in name:
        assert abs(changed(whole[name], base[name]) - changed(parts[name], base[name])) <= 40, name
PY

run deltafsctl estimate --base base.safetensors tune.safetensors
for codec in exact bitdelta delta-dct ultradelta delta-come; do
	deltafsctl estimate --base base.safetensors tune.safetensors | grep -q "^  $codec " || fail "estimate says nothing of $codec"
done
# How long each would take, of the whole file: singular vectors take longest by far.
run deltafsctl estimate --json --base base.safetensors tune.safetensors
cp said est
python3 - <<'PY' || fail "the times of an estimate: $(cat est)"
import json
trials = json.load(open("est"))["files"][0]["trials"]
seconds = {trial["codec"]: trial["seconds"] for trial in trials}
assert set(seconds) == {"exact", "bitdelta", "delta-dct", "ultradelta", "delta-come"}, seconds
assert all(0 < s < 600 for s in seconds.values()), seconds
assert seconds["delta-come"] > 2 * seconds["bitdelta"], seconds
PY
