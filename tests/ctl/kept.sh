#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kept: originals without a mount: encode keeps them by policy, accept and revert decide; what a crash left is tidied, a copied store knows its own
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/common.sh"

make_pair --params 400000 --hidden 256 --vocab 512 --seed 3 orig >/dev/null
mkdir -p store/m
cp -r orig/base store/
run deltafsctl base add store store/base
tune=orig/tune/model.safetensors
originals() { find "${1:-store}/.deltafs/kept" -type f -not -name '*.record' | wc -l; }
lossy() { run deltafsctl encode --yes --codec bitdelta "$@" </dev/null; }
refused() { "$@" >said 2>&1 && fail "it was done: $*"; [ $? != 2 ] || fail "usage: $(cat said)"; }
look() { stat -c '%a %u %g %s %.9Y' "$1"; }

# By the policy in force, and not without.
cp "$tune" store/m/a && cp "$tune" store/m/b
touch -d '2021-02-03 04:05:06.7' store/m/a && chmod 444 store/m/a
before=$(look store/m/a)
run deltafsctl policy set store/m keep=7d
lossy store/m/a store/m/b
[ "$(originals)" = 2 ] || fail "kept: $(ls store/.deltafs/kept)"
cmp -s store/m/a "$tune" && fail "it is no container"
run deltafsctl info --json store/m/a
[ "$(member said 'o["kept"]["bytes"]')" = "$(size "$tune")" ] || fail "info: $(cat said)"
run deltafsctl status --json store
[ "$(member said '[o["kept"][k] for k in ("files", "manual")]')" = "[2, 0]" ] || fail "status: $(cat said)"
run deltafsctl policy unset store/m keep
cp "$tune" store/m/c && lossy store/m/c
[ "$(originals)" = 2 ] || fail "kept without a policy: $(ls store/.deltafs/kept)"

# A copy of the store knows its own, though every inode is another; what was renamed there is not guessed.
cp -a store copied && mkdir moved && cp -a store/. moved/
run deltafsctl revert copied/m/a
cmp copied/m/a "$tune" || fail "reverted in a copied store: other bytes"
[ "$(look copied/m/a)" = "$before" ] || fail "reverted in a copied store: $(look copied/m/a), not $before"
mv moved/m/b moved/m/elsewhere
refused deltafsctl revert moved/m/elsewhere
fsck.deltafs -n moved >said 2>&1
[ $? = 4 ] && grep -q 'the original of m/b, which is not there' said || fail "fsck of it: $(cat said)"
[ "$(originals moved)" = 2 ] || fail "fsck -n removed an original"

# It follows a rename, and no copy.
mv store/m/a store/a && cp -a store/a store/m/a
refused deltafsctl revert store/m/a
grep -q 'nothing is kept of it' said || fail "of a copy: $(cat said)"
run deltafsctl revert store/a
cmp store/a "$tune" || fail "revert: other bytes"
[ "$(look store/a)" = "$before" ] || fail "revert: $(look store/a), not $before"
lossy_before=$(sha256sum <store/m/b)
run deltafsctl accept -r store
grep -q 'm/b: accepted' said || fail "accept -r: $(cat said)"
[ "$(sha256sum <store/m/b)" = "$lossy_before" ] || fail "accept changed the file"
[ -z "$(ls store/.deltafs/kept)" ] || fail "left behind: $(ls store/.deltafs/kept)"
refused deltafsctl accept -r store
grep -q 'nothing is kept' said || fail "accept of nothing: $(cat said)"

# Decoded it has its original still.
run deltafsctl policy set store/m keep=manual
cp "$tune" store/m/d && lossy store/m/d
run deltafsctl decode store/m/d
run deltafsctl encode store/m/d
refused deltafsctl revert store/m/d
grep -q "it was decoded, written to or coded anew since it gave up bits.*--yes" said || fail "revert of what was decoded: $(cat said)"
run deltafsctl revert --yes store/m/d
cmp store/m/d "$tune" || fail "reverted after decode and encode: other bytes"

# An original that is damaged is found before it takes the place of anything; whole again, it does.
cp "$tune" store/m/f && lossy store/m/f
sum=$(sha256sum <store/m/f)
id=$(basename store/.deltafs/kept/*.record .record)
damage() {
	python3 - "store/.deltafs/kept/$id" <<-'PY'
		import os, sys
		st = os.stat(sys.argv[1])
		fd = os.open(sys.argv[1], os.O_RDWR)
		os.pwrite(fd, bytes([os.pread(fd, 1, st.st_size // 2)[0] ^ 1]), st.st_size // 2)
		os.utime(sys.argv[1], ns=(st.st_atime_ns, st.st_mtime_ns))
	PY
}
damage
refused deltafsctl revert store/m/f
grep -q 'its original cannot be given back, and the file stays as it is: its content is not what was kept' said || fail "revert to what is damaged: $(cat said)"
[ "$(sha256sum <store/m/f)" = "$sum" ] && [ -e "store/.deltafs/kept/$id" ] || fail "revert to what is damaged changed something"
fsck.deltafs -n store >said 2>&1 || fail "fsck reads originals without -f: $(cat said)"
fsck.deltafs -n -f store >said 2>&1
[ $? = 4 ] && grep -q "kept/$id: the original of m/f: its content is not what was kept" said || fail "fsck -f: $(cat said)"
fsck.deltafs -y -f store >said 2>&1
[ $? = 4 ] && [ -e "store/.deltafs/kept/$id" ] || fail "fsck -y -f: $(cat said)"
truncate -s -1 "store/.deltafs/kept/$id"
fsck.deltafs -n store >said 2>&1
[ $? = 4 ] && grep -q "the original of m/f: it has .* bytes, not $(size "$tune")" said || fail "fsck of one that was cut: $(cat said)"
refused deltafsctl revert store/m/f
tail -c 1 "$tune" >>"store/.deltafs/kept/$id" && damage
fsck.deltafs -n -f store >said 2>&1 || fail "fsck -f of what is whole: $(cat said)"
run deltafsctl revert store/m/f
cmp store/m/f "$tune" || fail "reverted after damage was mended: other bytes"

# What a crash leaves is known, told, and goes; what makes no sense is left.
cp "$tune" store/m/e && lossy store/m/e
id=$(basename store/.deltafs/kept/*.record .record)
cp store/.deltafs/kept/"$id".record record
run deltafsctl accept store/m/e
cp record store/.deltafs/kept/"$id".record
fsck.deltafs -n store >said 2>&1
[ $? = 4 ] && grep -q 'left by a crash' said || fail "fsck of a record alone: $(cat said)"
fsck.deltafs -p store >said 2>&1
[ $? = 1 ] || fail "fsck -p of a record alone: $(cat said)"
fsck.deltafs -n store >said 2>&1 || fail "fsck after it: $(cat said)"
echo nonsense >store/.deltafs/kept/"$id".record && echo original >store/.deltafs/kept/"$id"
fsck.deltafs -p store >said 2>&1
[ $? = 4 ] && grep -q 'makes no sense' said && [ -e store/.deltafs/kept/"$id" ] || fail "fsck of nonsense: $(cat said)"
rm store/.deltafs/kept/"$id".record
fsck.deltafs -p store >said 2>&1
[ -e store/.deltafs/kept/"$id" ] || fail "fsck -p removed an original without a record"
fsck.deltafs -y store >said 2>&1
[ $? = 1 ] && [ ! -e store/.deltafs/kept/"$id" ] || fail "fsck -y: $(cat said)"
