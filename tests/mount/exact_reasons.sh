#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exact_reasons: a file that is exact though bits were to be given up says why, across renames and restarts; status counts those that gave some up
# test: timeout=300
. "$(dirname "$0")/common.sh"

make_store --params 1000000 --hidden 256 --vocab 512 --seed 7
tune=$PWD/orig/tune/model.safetensors
start_daemon store mnt -o rw,quiet=0

settle() { deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest: $(cat "$log")"; }
is_exact() { [ "$(told exact "$1")" = 1 ] && [ "$(told state "$1")" = container ]; }
# because FILE WHY: it is exact, and all that tells of it says why.
because() {
	is_exact "$1" || fail "$1: exact=$(told exact "$1") state=$(told state "$1") $(told reason "$1"): $(tail -3 "$log")"
	[[ $(told reason "$1") = "coded exactly, $2"* ]] || fail "$1: its reason is '$(told reason "$1")', not '$2'"
	deltafsctl info "$1" | grep -q "^exact  *coded exactly, $2" || fail "info of $1: $(deltafsctl info "$1")"
	deltafsctl info --json "$1" | python3 -c '
import json, sys
assert json.load(sys.stdin)["reason"].startswith("coded exactly, " + sys.argv[1])' "$2" || fail "info --json of $1: $(deltafsctl info --json "$1")"
}
no_reason() { [ -z "$(told reason "$1")" ] || fail "$1 has a reason: $(told reason "$1")"; }
hash_name=$(sha256sum <"$tune" | cut -d' ' -f1)

# The fine-tune with a NaN in each matrix; with names that no linear layer has; and what has no base.
mkdir made
python3 - "$tune" made <<'PY' || fail "make files"
import json, random, struct, sys
data = open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", data[:8])[0]
header, data = json.loads(data[8:8 + n]), data[8 + n:]
def save(name, header, data):
    text = json.dumps(header).encode()
    open(sys.argv[2] + "/" + name, "wb").write(struct.pack("<Q", len(text)) + text + data)
matrices = [name for name, t in header.items() if len(t.get("shape", [])) > 1]
declined = bytearray(data)
for name in matrices:
    at = header[name]["data_offsets"][0]
    assert header[name]["dtype"] == "BF16", name
    declined[at:at + 2] = b"\xc0\x7f"
save("declined", header, declined)
save("tensors", {f"norm.{name}" if name in matrices else name: t for name, t in header.items()}, data)
random.seed(9)
save("nobase", {"elsewhere.mlp.up_proj.weight": {"dtype": "BF16", "shape": [256, 256], "data_offsets": [0, 131072]}},
     bytes(random.choice((0, 1, 2)) for _ in range(131072)))
PY

mkdir mnt/given mnt/plain mnt/asked
cp "$tune" mnt/given/before
cp "$tune" mnt/plain/a
cp "$tune" mnt/plain/b
settle
no_reason mnt/given/before
deltafsctl policy set mnt/given codec=bitdelta >/dev/null || fail "policy set"
cp "$tune" mnt/given/new
cp "$tune" "mnt/given/$hash_name"
cp made/* mnt/given/
settle
[ "$(told exact mnt/given/new)" = 0 ] || fail "what came after the policy is exact"
no_reason mnt/given/new
no_reason mnt/plain/a
because mnt/given/before 'since it was there before the policy; deltafsctl encode --codec SPEC FILE'
because "mnt/given/$hash_name" 'since its name is the hash of its content; '
because mnt/given/declined 'since its codec declines its tensors; '
because mnt/given/tensors 'since its codec takes none of its tensors; '
because mnt/given/nobase 'since it has no base, and bits are given up of differences; '
grep -q "given/declined: compressed to .*; coded exactly, since its codec declines its tensors$" "$log" || fail "the log: $(cat "$log")"
grep -q "given/new: compressed to .*; bits were given up$" "$log" || fail "the log: $(cat "$log")"

# Lossy ones are counted, with what they save.
deltafsctl status mnt >said || fail status
grep -q '^lossy of these: 1 file, .* saved$' said || fail "status: $(cat said)"
deltafsctl status --json mnt | python3 -c '
import json, os, sys
q = json.load(sys.stdin)["queue"]
size, stored = os.stat(sys.argv[1]).st_size, os.stat(sys.argv[2]).st_size
assert [q[k] for k in ("lossy_files", "lossy_original_bytes", "lossy_stored_bytes")] == [1, size, stored], q
assert q["compressed_files"] == 8 and q["stored_bytes"] > stored, q' "$tune" store/given/new || fail "status --json: $(deltafsctl status --json mnt)"

# Somebody asks by name.
cp "$tune" "mnt/asked/$hash_name"
settle
no_reason "mnt/asked/$hash_name"
deltafsctl decode "mnt/asked/$hash_name" >/dev/null || fail decode
deltafsctl encode --yes --codec bitdelta "mnt/asked/$hash_name" </dev/null >said 2>&1 || fail "encode by its hash: $(cat said)"
grep -q 'coded exactly, since its name is the hash' said || fail "encode by its hash: $(cat said)"
because "mnt/asked/$hash_name" 'since its name is the hash of its content; '

cp "$tune" mnt/given/exactly
settle
deltafsctl decode mnt/given/exactly >/dev/null || fail decode
deltafsctl encode --codec exact mnt/given/exactly >said 2>&1 || fail "encode --codec exact: $(cat said)"
grep -q ': coded exactly, since somebody asked for that by name; ' said || fail "encode --codec exact: $(cat said)"
because mnt/given/exactly 'since somebody asked for that by name; '
deltafsctl decode mnt/plain/a >/dev/null && deltafsctl encode --codec exact mnt/plain/a >said 2>&1 || fail "encode --codec exact: $(cat said)"
! grep -q 'coded exactly' said || fail "encode --codec exact where all is exact: $(cat said)"
no_reason mnt/plain/a
rm mnt/given/exactly

# Written to, and at rest again.
printf x | dd of=mnt/given/new bs=1 seek=$(($(stat -c %s "$tune") - 1)) conv=notrunc status=none
settle
because mnt/given/new 'since it was compressed before; '

# It goes with the file, and with another mount too; a file that is another has none of it.
mv mnt/given/declined mnt/plain/moved && touch -d '2021-02-03 04:05:06' mnt/plain/moved
because mnt/plain/moved 'since its codec declines its tensors; '
stop_daemon mnt
deltafsctl encode store/given/before >/dev/null || fail "encode"
start_daemon store mnt -o rw,quiet=0
because mnt/plain/moved 'since its codec declines its tensors; '
because mnt/given/before 'since it was there before the policy; '
because "mnt/given/$hash_name" 'since its name is the hash of its content; '
rm mnt/plain/moved && cp "$tune" mnt/plain/moved
settle
no_reason mnt/plain/moved

# Made behind this mount and after the policy: nobody knows, and that is said. The mount's own codec counts as well.
stop_daemon mnt
cp "$tune" store/given/elsewhere
deltafsctl encode store/given/elsewhere >/dev/null || fail "encode"
start_daemon store mnt -o rw,quiet=0,codec=delta-dct
because mnt/given/elsewhere 'and not by this mount under this policy; '
because mnt/plain/a 'since it was compressed before; '
because mnt/plain/b 'since it was there before the policy; '
no_reason store/given/new
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
no_reason mnt/plain/a
stop_daemon mnt
