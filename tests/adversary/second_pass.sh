#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# second_pass: promise 1, bits that were given up once are not given up again: whatever is done to the file with tools and directories that say so, what it shows stays what it shows.
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

small_pair
mkdir -p store2
python3 - <<'PY' || fail "make another base"
import lossy_pairs
tensors = lossy_pairs.load("orig/base.safetensors")[0]
for name, (dtype, shape, data) in tensors.items():
    tensors[name] = dtype, shape, bytes(byte ^ (at % 16 == 0) for at, byte in enumerate(data))
lossy_pairs.save("orig/base2.safetensors", tensors)
PY
start_daemon store mnt -o rw,quiet=0
mkdir mnt/ultra mnt/bit mnt/none
policy mnt/ultra codec=ultradelta
policy mnt/bit codec=bitdelta
cp "$tune" mnt/ultra/f && settle && lossy mnt/ultra/f
cp mnt/ultra/f shown
coded=$(sha256sum <store/ultra/f)

# same FILE [EXACT]: it shows what it showed; and says whether it is more than a guess.
same() {
	settle
	cmp "$1" shown || fail "$2: other bytes"
	[ "$(told exact "$1")" = "${3:-1}" ] || fail "$2: exact=$(told exact "$1"), state=$(told state "$1"), codec=$(told codec "$1")"
}

# As a container: it is the very one.
mv mnt/ultra/f mnt/bit/f && same mnt/bit/f "moved to another codec's directory" 0
touch mnt/bit/f && chmod 600 mnt/bit/f && setfattr -n user.mine -v x mnt/bit/f && exec 5>>mnt/bit/f && exec 5>&-
same mnt/bit/f "touched, opened for writing" 0
expect_fail 1 'lossy already, by ultradelta' deltafsctl encode --yes --codec bitdelta mnt/bit/f
deltafsctl encode -r --yes --codec delta-dct mnt >said 2>&1
grep -q '0 compressed, 2 left' said || fail "encode -r: $(cat said)"
same mnt/bit/f "encoded by name" 0
[ "$(sha256sum <store/bit/f)" = "$coded" ] || fail "its container is another one"
deltafsctl export mnt/bit/f -o f.dfs >said 2>&1 || fail "export: $(cat said)"

# Made plain, by all that does it, and at rest again: exact.
deltafsctl decode mnt/bit/f >said 2>&1 && plain mnt/bit/f shown
deltafsctl encode mnt/bit/f >said 2>&1 || fail "encode: $(cat said)"
same mnt/bit/f "decoded, and encoded as its directory has it"
deltafsctl import f.dfs mnt/none/keep >said 2>&1 || fail "import: $(cat said)"
same mnt/none/keep "imported where nothing is given up"
policy mnt/bit quiet=600
deltafsctl import f.dfs mnt/bit/imported >said 2>&1 || fail "import: $(cat said)"
policy mnt/bit quiet=0
same mnt/bit/imported "imported where something is given up"
fresh() { cp "$tune" "mnt/ultra/$1" && settle && lossy "mnt/ultra/$1" && cmp mnt/ultra/"$1" shown && mv "mnt/ultra/$1" mnt/bit/; }
fresh byte && head -c 1 shown | dd of=mnt/bit/byte conv=notrunc status=none && same mnt/bit/byte "written to"
fresh size && truncate -s +5 mnt/bit/size && truncate -s -5 mnt/bit/size && same mnt/bit/size "made longer and shorter"
fresh linked && ln mnt/bit/linked mnt/bit/link2 && settle && cmp mnt/bit/link2 shown && rm mnt/bit/linked
deltafsctl encode mnt/bit/link2 >said 2>&1 && same mnt/bit/link2 "linked"
fresh mapped && python3 - <<'PY' && same mnt/bit/mapped "written through a mapping"
import mmap, os
fd = os.open("mnt/bit/mapped", os.O_RDWR)
area = mmap.mmap(fd, 0)
area[0:1] = area[0:1]
area.flush()
PY
fresh thawed && head -c 1 shown | dd of=mnt/bit/thawed conv=notrunc status=none && mv mnt/bit/thawed mnt/ultra/ && touch -d 2099-01-01 mnt/ultra/thawed
same mnt/ultra/thawed "thawed, moved and dated anew"
fresh exactly && deltafsctl decode mnt/bit/exactly >said 2>&1 && deltafsctl encode --codec exact mnt/bit/exactly >said 2>&1 || fail "encode --codec exact: $(cat said)"
same mnt/bit/exactly "encode --codec exact"
cp "$tune" mnt/bit/named && deltafsctl encode --codec exact mnt/bit/named >said 2>&1 || fail "encode --codec exact: $(cat said)"

# A new base for all, and the old one gone; then no base at all.
fresh based
deltafsctl base add mnt orig/base2.safetensors >said 2>&1 || fail "base add: $(cat said)"
id_of() { deltafsctl base list --json mnt | python3 -c 'import json, sys
print(next(b["id"] for b in json.load(sys.stdin)["bases"] if any(n.endswith(sys.argv[1]) for n in b["names"])))' "$1"; }
old=$(id_of base.safetensors) new=$(id_of base2.safetensors)
[ -n "$old" ] && [ -n "$new" ] || fail "base list: $(deltafsctl base list mnt)"
deltafsctl base remove --rebase "$new" mnt "$old" >said 2>&1 || fail "base remove --rebase: $(cat said)"
same mnt/bit/based "on another base"
deltafsctl base remove --thaw mnt "$new" >said 2>&1 || fail "base remove --thaw: $(cat said)"
settle
cmp mnt/bit/based shown || fail "without its base: other bytes"
deltafsctl base add mnt mnt/base.safetensors >said 2>&1 || fail "base add: $(cat said)"
deltafsctl encode mnt/bit/based >said 2>&1
same mnt/bit/based "thawed with its base, and on the old one again"
stop_daemon mnt

# Without a daemon, and in another store that has its policy already.
deltafsctl base add store2 orig/base.safetensors >said 2>&1 || fail "base add: $(cat said)"
mkdir store2/bit && deltafsctl policy set store2/bit codec=bitdelta >/dev/null || fail "policy set"
deltafsctl import f.dfs store2/bit/f >said 2>&1 || fail "import: $(cat said)"
cmp store2/bit/f f.dfs || fail "what was imported is another container"
deltafsctl decode store2/bit/f >said 2>&1 && cmp store2/bit/f shown || fail "decode: $(cat said)"
deltafsctl encode store2/bit/f >said 2>&1 || fail "encode: $(cat said)"
deltafsctl decode store2/bit/f -o back >said 2>&1 && cmp back shown || fail "encoded in a store: other bytes"
cp f.dfs store2/bit/put
start_daemon store2 mnt -o rw,quiet=0
head -c 1 shown | dd of=mnt/bit/put conv=notrunc status=none
same mnt/bit/put "put there behind the mount, and written to"
stop_daemon mnt
fsck.deltafs -f store >said 2>&1 || fail "fsck: $(cat said)"
fsck.deltafs -f store2 >said 2>&1 || fail "fsck: $(cat said)"
