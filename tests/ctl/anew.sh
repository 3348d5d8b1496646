#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# anew: a codec that gives up bits takes what is compressed exactly, refuses what is lossy already, and says how long there is a way back
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/common.sh"
need python3

make_pair --params 400000 --hidden 256 --vocab 512 --seed 3 orig >/dev/null
mkdir -p store/m store/kept
cp -r orig/base store/
run deltafsctl base add store store/base
tune=orig/tune/model.safetensors
info() { deltafsctl info --json "$1" | python3 -c 'import json, sys; print(eval(sys.argv[1], {"d": json.load(sys.stdin)}))' "$2"; }
is() { [ "$(info "$1" '(d["state"], d.get("exact"))')" = "('compressed', $2)" ] || fail "$1: $(deltafsctl info "$1")"; }
plain_sum() { deltafsctl decode "$1" -o out >/dev/null && sha256sum <out; }
# answer TEXT COMMAND...: at a terminal, once it asks; what it says is in said, its status is returned.
answer() {
	python3 - "$@" <<-'PY'
		import os, pty, sys
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp(sys.argv[2], sys.argv[2:])
		said = b""
		asked = False
		try:
		    while block := os.read(fd, 4096):
		        said += block
		        if not asked and b"[y/N] " in said:  # before that, the terminal's echo would fall into the question
		            asked = True
		            os.write(fd, sys.argv[1].encode() + b"\n")
		except OSError:
		    pass
		open("said", "wb").write(said.replace(b"\r", b""))
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PY
}

# From an exact container: what comes of the plain file comes of it.
cp "$tune" store/m/plain && cp "$tune" store/m/a
run deltafsctl encode store/m/a
is store/m/a True
run deltafsctl encode --yes --codec ultradelta store/m/plain store/m/a
is store/m/a False
[ "$(plain_sum store/m/a)" = "$(plain_sum store/m/plain)" ] || fail "other bytes than from the plain file"
[ "$(plain_sum store/m/a)" != "$(sha256sum <"$tune")" ] || fail "no bit was given up"

# Lossy already: refused, and nothing happens; -r passes over it.
before=$(sha256sum <store/m/a)
expect_fail 1 'lossy already, by ultradelta, and a second pass would be over weights that have lost bits; its original is not kept; --again does it all the same' \
	deltafsctl encode --yes --codec bitdelta store/m/a
run deltafsctl encode -r --yes --codec bitdelta store/m
[ "$(sha256sum <store/m/a)" = "$before" ] || fail "a refused file was changed"
run deltafsctl encode --codec exact store/m/a
grep -q 'compressed already' said || fail "exact, of a lossy one: $(cat said)"
[ "$(sha256sum <store/m/a)" = "$before" ] || fail "exact, of a lossy one, changed it"
shown=$(plain_sum store/m/a)
# Exactly it takes half a bit a value: whoever asks for one bit gets that, and keeps what is left.
run deltafsctl encode --yes --again --codec bitdelta store/m/a
[ "$(info store/m/a '"bitdelta" in d["codecs"] or "ultradelta" in d["codecs"]')" = False ] || fail "--again: $(deltafsctl info store/m/a)"
[ "$(plain_sum store/m/a)" = "$shown" ] || fail "--again gave up bits for nothing"
rm store/m/a && cp "$tune" store/m/a && run deltafsctl encode --yes --codec ultradelta store/m/a
run deltafsctl encode --yes --again --codec ultradelta:s=0.99 store/m/a
is store/m/a False
[ "$(plain_sum store/m/a)" != "$shown" ] || fail "--again changed nothing"

# It asks, and says what there is to ask: bytes, for good, or how long the way back is open.
cp "$tune" store/m/b && run deltafsctl encode store/m/b
before=$(sha256sum <store/m/b)
expect_fail 2 'gives up bits, of .* in 1 file; --yes says' deltafsctl encode --codec bitdelta store/m/b store/m/a </dev/null
answer n deltafsctl encode --codec bitdelta store/m/b && fail "no is no failure"
grep -q 'in 1 file will be other bytes than now, for good\.$' said && grep -q 'nothing was changed' said || fail "for good: $(cat said)"
[ "$(sha256sum <store/m/b)" = "$before" ] || fail "no, and it was changed"
run deltafsctl policy set store/kept keep=7d
cp "$tune" store/kept/a && cp "$tune" store/kept/b && run deltafsctl encode store/kept/a
answer n deltafsctl encode --codec bitdelta store/kept/a store/kept/b
grep -q 'in 2 files will be other bytes than now\.$' said && ! grep -q 'for good' said || fail "kept: $(cat said)"
grep -q '^The originals are kept for 7d, unless the files are removed or replaced; until then deltafsctl revert brings them back\.$' said || fail "kept: $(cat said)"
answer n deltafsctl encode --codec bitdelta store/kept/a store/m/b
grep -q 'than now, for good but for 1\.$' said && grep -q '^The original is kept for 7d, unless the file is removed or replaced; until then deltafsctl revert brings it back\.$' said ||
	fail "one of two is kept: $(cat said)"
answer n deltafsctl encode --codec bitdelta store/kept/b -o out.delta
grep -q 'than now, in OUT, for good\.$' said || fail "into OUT: $(cat said)"
run deltafsctl policy set store/kept keep=manual
answer y deltafsctl encode --codec bitdelta store/kept/a || fail "yes: $(cat said)"
grep -q '^The original is kept until deltafsctl accept, unless the file is removed or replaced; until then deltafsctl revert brings it back\.$' said || fail "kept: $(cat said)"
is store/kept/a False

# What was kept is what comes back, also after a second pass.
expect_fail 1 'lossy already, by bitdelta, .*; deltafsctl revert brings the original back, which is kept until you say; --again' \
	deltafsctl encode --yes --codec delta-dct store/kept/a
run deltafsctl encode --yes --again --codec delta-dct store/kept/a
[ "$(info store/kept/a '"delta-dct" in d["codecs"]')" = True ] || fail "--again: $(deltafsctl info store/kept/a)"
expect_fail 1 "coded anew since it gave up bits.*--yes" deltafsctl revert store/kept/a
run deltafsctl revert --yes store/kept/a
cmp store/kept/a "$tune" || fail "reverted after a second pass: other bytes"

# Never under the hash of its content, whichever link it is called by.
hash_name=$(sha256sum <"$tune" | cut -d' ' -f1)
cp "$tune" "store/m/$hash_name" && ln -s "$hash_name" store/m/link
run deltafsctl encode --yes --codec bitdelta store/m/link
grep -q 'coded exactly, since its name is the hash of its content' said || fail "by a link: $(cat said)"
is "store/m/$hash_name" True
run deltafsctl encode --yes --codec bitdelta store/m/link
grep -q 'coded exactly, since its name is the hash of its content' said || fail "by a link, once more: $(cat said)"
is "store/m/$hash_name" True
[ "$(plain_sum "store/m/$hash_name")" = "$(sha256sum <"$tune")" ] || fail "a blob lost bits"

# A model of several files, some of them compressed: as from the plain ones.
"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --hidden 128 --seed 5 --shards 3 many >/dev/null || fail make_pair
mkdir store/first store/second
cp -r many/base store/many && run deltafsctl base add store store/many
cp many/tune/*-of-00003.safetensors store/first/ && cp many/tune/*-of-00003.safetensors store/second/
run deltafsctl encode store/second/*-00001-* store/second/*-00003-*
run deltafsctl encode --yes --codec ultradelta store/first/*
run deltafsctl encode --yes --codec ultradelta store/second/*
for i in 1 2 3; do
	part=model-0000$i-of-00003.safetensors
	is "store/second/$part" False
	[ "$(plain_sum "store/second/$part")" = "$(plain_sum "store/first/$part")" ] || fail "part $i: other bytes than from plain files"
done
fsck.deltafs -n store >said 2>&1 || fail "fsck: $(cat said)"
