#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# inplace: a file compressed in place stays the file it was in all but its bytes on disk, and back.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
learn_magic

make_pair --params 2000000 --seed 31 p
mkdir S
cp -r p/base p/tune S/
file=S/tune/model.safetensors

expect_fail 1 'in no store.*base add' deltafsctl encode $file
run deltafsctl base add S S/base
[ "$(stat -c %h S/base/model.safetensors)" = 2 ] || fail "the base is not pinned by a hard link"

chmod 4640 $file
touch -d '2001-02-03 04:05:06.123456789' $file
command -v setfattr >/dev/null && setfattr -n user.note -v 'a note' $file 2>/dev/null
command -v setfacl >/dev/null && setfacl -m u:nobody:r $file 2>/dev/null
[ "$(id -u)" != 0 ] || chown 12345:54321 $file
attributes() {
	stat -c '%a %u %g %y %h' "$1"
	getfattr -d "$1" 2>/dev/null | grep -v '^# file'
	getfacl -n "$1" 2>/dev/null | grep -v '^# file'
}
attributes $file >before

run deltafsctl encode $file
is_container $file || fail "not compressed"
at_most "$(size $file)" $(($(size p/tune/model.safetensors) / 3)) || fail "hardly smaller"
attributes $file >after
diff before after || fail "attributes changed"
clean S
run deltafsctl verify $file
run deltafsctl encode $file
grep -q 'compressed already' said || fail "again: $(cat said)"

run deltafsctl decode $file
same $file p/tune/model.safetensors
attributes $file >after
diff before after || fail "attributes changed on the way back"
clean S
run deltafsctl decode $file
grep -q 'plain already' said || fail "again: $(cat said)"

# What stays as it is, and says why.
run deltafsctl encode S/base/model.safetensors
grep -q 'a base' said || fail "base: $(cat said)"
same S/base/model.safetensors p/base/model.safetensors
cp p/tune/model.safetensors S/one
ln S/one S/two
run deltafsctl encode S/one
grep -q '2 names' said || fail "hard links: $(cat said)"
same S/two p/tune/model.safetensors
head -c 300000 /dev/urandom >S/noise
cp S/noise noise
run deltafsctl encode S/noise
grep -q 'does not shrink' said || fail "noise: $(cat said)"
same S/noise noise
# Nor is it made larger elsewhere: OUT is the file, and every command takes it for that.
run deltafsctl encode noise -o noise.out
grep -q '^noise: copied as it is: it does not shrink$' said || fail "-o of noise: $(cat said)"
same noise.out noise
run deltafsctl encode --json noise -o noise.out
cp said json
[ "$(member json "o['files'][0]['result'], o['files'][0]['stored_bytes'], o['total']['left']")" = "('copied', 300000, 1)" ] || fail "-o of noise: $(cat said)"
run deltafsctl decode noise.out -o noise.back
same noise.back noise

# -r goes on after a failure, sums up, and says so by its exit status.
cp p/tune/model.safetensors S/third.safetensors
mkdir S/locked
cp p/tune/model.safetensors S/locked/x.safetensors
python3 - S/broken.safetensors <<'PY'
import sys
magic = open("magic", "rb").read(16)
open(sys.argv[1], "wb").write(magic + bytes(4096))
PY
expect_fail 1 '1 failed' deltafsctl encode -r S
is_container S/third.safetensors || fail "-r stopped at the failure"
is_container S/locked/x.safetensors || fail "-r stopped at the failure"
rm S/broken.safetensors

# A link is followed to its blob, which is taken once.
mkdir -p S/models--o--n/blobs S/models--o--n/snapshots/c
cp p/tune/model.safetensors S/models--o--n/blobs/0a1b2c
ln -s ../../blobs/0a1b2c S/models--o--n/snapshots/c/model.safetensors
run deltafsctl encode S/models--o--n/snapshots/c/model.safetensors
is_container S/models--o--n/blobs/0a1b2c || fail "the blob is not compressed"
[ -L S/models--o--n/snapshots/c/model.safetensors ] || fail "the link is gone"
run deltafsctl decode -r S/models--o--n
grep -q '^S/models--o--n/snapshots/c/model.safetensors: decoded' said || fail "the blob's name: $(cat said)"
[ "$(grep -c '^S.*: decoded, ' said)" = 1 ] || fail "not once: $(cat said)"
same S/models--o--n/blobs/0a1b2c p/tune/model.safetensors

# Leaving: all is plain again.
run deltafsctl decode -r S
same S/third.safetensors p/tune/model.safetensors
run deltafsctl verify -r S
grep -q ' 0 right' said || fail "something is still compressed: $(cat said)"
