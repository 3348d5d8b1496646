#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# accounted: promise 8, ratios are of real bytes, what info says of each tensor against the container's own records, read by another reader: parts add up to the byte, linear is what was given up and nothing else, lines and JSON agree, and so do ls, du, status, stat and the attributes.
# test: timeout=300
. "$(dirname "$0")/common.sh"

mkdir -p orig store mnt
python3 - <<'PY' || fail "make the models"
import lossy_pairs
UP = "model.layers.%d.mlp.up_proj.weight"
lossy_pairs.pair("orig/base.safetensors", "orig/tune.safetensors",
    [(UP % 0, [256, 512], "tuned"), (UP % 1, [128, 300], "tuned"), (UP % 2, [256, 512], "same"), (UP % 3, [256, 300], "nan"),
     (UP % 4, [256, 300], "none"), ("model.layers.0.mlp.experts.up_proj", [2, 128, 256], "tuned"),
     ("model.embed_tokens.weight", [256, 256], "tuned"), ("model.norm.weight", [256], "tuned"),
     ("model.layers.0.self_attn.q_proj.bias", [256], "same")] +
    [("model.layers.%d.self_attn.q_proj.weight" % i, [128, 256], "tuned") for i in range(8)])
PY
tune=$PWD/orig/tune.safetensors
cp orig/base.safetensors store/
deltafsctl base add store store/base.safetensors >said 2>&1 || fail "base add: $(cat said)"
start_daemon store mnt -o rw,quiet=0
settle() { deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest: $(tail -3 "$log")"; }

cat >account.py <<'PY'
import json, os, subprocess, sys
import lossy_pairs, read_container
stored_path, shown, tune = sys.argv[1:]
lossy = ("bitdelta", "delta-dct", "ultradelta", "delta-come")
def run(*words):
    return subprocess.run(["deltafsctl", *words], capture_output=True, text=True, check=True).stdout
data = open(stored_path, "rb").read()
sb = read_container.find_superblock(data)
meta = read_container.parse_metadata(sb, data[sb["meta_off"]:sb["meta_off"] + sb["meta_len"]])
meta = meta if isinstance(meta, dict) else vars(meta)
info = json.loads(run("info", "--json", "--tensors", shown))
assert info["stored_bytes"] == info["all"]["stored_bytes"] == len(data) == os.path.getsize(stored_path), "the container's size"
assert info["original_bytes"] == info["all"]["original_bytes"] == os.path.getsize(tune) == sb["size"], "the file's size"

def takes(seg):
    chunks = meta["chunks"][seg.first_chunk:seg.first_chunk + seg.n_chunks]
    tables = meta["tables"][seg.first_table:seg.first_table + seg.n_tables]
    return sum(c.len for c in chunks) + 32 * len(chunks) + 72 + 24 * seg.n_pieces + sum(12 + t.len for t in tables) + seg.params_len
tensors, head = lossy_pairs.load(tune)
want, off = {}, len(head)
for name, (_, _, data_of) in tensors.items():
    parts = [s for s in meta["segments"] if s.off <= off < s.off + s.len]
    for seg in meta["segments"]:
        share = min(seg.off + seg.len, off + len(data_of)) - max(seg.off, off)
        if share > 0 and seg.off <= off and seg.off + seg.len >= off + len(data_of) and seg.len == share:
            want[name] = takes(seg)
    off += len(data_of)
of = {t["name"]: t for t in info["tensors"]}
for name, bytes in want.items():
    assert abs(of[name]["stored_bytes"] - bytes) < 1, (name, of[name]["stored_bytes"], bytes)
assert len(want) >= 12, want
# All segments, and what no tensor has: the header's segment, two superblocks, sections, bases and their names.
whole = sum(takes(s) for s in meta["segments"])
header = sum(takes(s) for s in meta["segments"] if s.off < len(head))
assert abs(sum(t["stored_bytes"] for t in of.values()) - (whole - header)) < 1, "tensors do not add up to their segments"
rest = len(data) - whole - 2 * 256 - 16 - 16 * 7 - 64 * len(meta["bases"]) - len(meta["strings"])
assert 0 <= rest < 64, f"{rest} bytes are nobody's"

subprocess.run(["deltafsctl", "decode", "--base", "orig/base.safetensors", stored_path, "-o", "back"], check=True, capture_output=True)
given = lossy_pairs.changed(tune, "back")
linear = {t["name"] for t in info["tensors"] if not t["exact"]} if given else {t["name"] for t in info["tensors"] if t["linear"]}
assert info["exact"] == (not given), (info["exact"], given)
if given:
    assert linear == given, f"not exact is {linear}, given up is {given}"
    assert given == {t["name"] for t in info["tensors"] if t["codec"] in lossy}, "codecs of the tensors"
    assert len(given) == 11, given
sums = info["given_up" if given else "linear"]
assert sums["original_bytes"] == lossy_pairs.size_of(tune, linear), "bytes of linear"
assert abs(sums["stored_bytes"] - sum(of[n]["stored_bytes"] for n in linear)) <= 1, "stored bytes of linear"
assert sums["params"] == sum(of[n]["original_bytes"] // 2 for n in linear), "params of linear"
for part in (sums, info["all"]):
    assert abs(part["ratio"] - part["original_bytes"] / part["stored_bytes"]) < 1e-6, part
    assert abs(part["bits_per_param"] - 8 * part["stored_bytes"] / part["params"]) < 1e-6, part
assert sum(c["original_bytes"] for c in info["codecs"].values()) == info["original_bytes"], "codecs do not cover the file"
assert sum(c["stored_bytes"] for c in info["codecs"].values()) == sum(c.len for c in meta["chunks"]), "payloads"
assert sum(c["table_bytes"] for c in info["codecs"].values()) == sum(t.len for t in meta["tables"]), "tables"
text = dict((line.split()[0], line) for line in run("info", shown).splitlines())
assert text["state"].endswith("exact" if info["exact"] else "lossy"), text["state"]
for key in ("linear", "all"):
    assert "(%.2fx)" % info[key]["ratio"] in text[key] and "%.3f bits" % info[key]["bits_per_param"] in text[key], text[key]
PY
n=0
for codec in exact bitdelta bitdelta:k=2 delta-dct delta-dct:p=32 ultradelta ultradelta:mask=stored,s=0.99 delta-come; do
	mkdir mnt/$n && deltafsctl policy set mnt/$n codec=$codec >/dev/null || fail "policy set codec=$codec"
	cp "$tune" mnt/$n/model.safetensors && settle
	python3 account.py store/$n/model.safetensors mnt/$n/model.safetensors "$tune" || fail "$codec: $(deltafsctl info --tensors mnt/$n/model.safetensors)"

	# All that names the file says the same of it.
	size=$(stat -c %s store/$n/model.safetensors)
	[ "$(told stored_bytes mnt/$n/model.safetensors)" = "$size" ] || fail "$codec: user.deltafs.stored_bytes"
	[ "$(told ratio mnt/$n/model.safetensors)" = "$(awk -v a="$(stat -c %s "$tune")" -v b="$size" 'BEGIN { printf "%.3f", a / b }')" ] || fail "$codec: user.deltafs.ratio"
	[ "$(stat -c %b mnt/$n/model.safetensors)" = "$(stat -c %b store/$n/model.safetensors)" ] || fail "$codec: st_blocks"
	blocks=$(($(stat -c %b store/$n/model.safetensors) * 512)) state=lossy exact=0
	[ $codec != exact ] || state=compressed exact=1
	[ "$(told exact mnt/$n/model.safetensors)" = $exact ] || fail "$codec: user.deltafs.exact: $(told exact mnt/$n/model.safetensors)"
	for where in mnt store; do
		deltafsctl ls --json $where/$n | python3 -c 'import json, sys
[f] = json.load(sys.stdin)["files"]
assert (f["state"], f["stored_bytes"], f["original_bytes"]) == (sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), f' \
			$state "$blocks" "$(stat -c %s "$tune")" || fail "$codec: ls of $where"
		deltafsctl du --json $where/$n | python3 -c 'import json, sys
d = json.load(sys.stdin)["directories"][-1]
assert (d["stored_bytes"], d["original_bytes"]) == (int(sys.argv[1]), int(sys.argv[2])), d' "$blocks" "$(stat -c %s "$tune")" || fail "$codec: du of $where"
	done
	n=$((n + 1))
done

# The whole: what status has counted since the mount is what the store took.
stored=0
for file in store/[0-9]/model.safetensors; do stored=$((stored + $(stat -c %s $file))); done
told status mnt | python3 -c 'import json, sys
q = json.load(sys.stdin)["queue"]
assert (q["compressed_files"], q["stored_bytes"], q["original_bytes"]) == (int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[1]) * int(sys.argv[3])), q' \
	$n $stored "$(stat -c %s "$tune")" || fail "status"

# Originals that are kept belong to no file, and take room.
mkdir mnt/kept && deltafsctl policy set mnt/kept codec=bitdelta keep=manual >/dev/null || fail "policy set keep"
cp "$tune" mnt/kept/a && cp "$tune" mnt/kept/b && settle
originals=$(find store/.deltafs/kept -type f -not -name '*.record' -printf '%b\n' | awk '{ n += 512 * $1 } END { print n }')
files=$(find store -path store/.deltafs -prune -o -type f -printf '%b\n' | awk '{ n += 512 * $1 } END { print n }')
[ "$originals" -ge $((2 * $(stat -c %s "$tune"))) ] || fail "there are no originals: $originals"
for where in mnt store; do
	deltafsctl du --json $where | python3 -c 'import json, sys
d = json.load(sys.stdin)["directories"]
[kept] = [x["stored_bytes"] for x in d if x["path"].startswith("(originals")]
assert (kept, d[-1]["stored_bytes"]) == (int(sys.argv[1]), int(sys.argv[2])), d' "$originals" $((files + originals)) || fail "du of $where: $(deltafsctl du $where)"
done
[ "$(stat -f -c '%b %S' mnt)" = "$(stat -f -c '%b %S' store)" ] || fail "statfs: $(stat -f mnt)"
stop_daemon mnt
