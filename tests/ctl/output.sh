#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# output: with -o no file takes the place of another file of the same call, nor of itself.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"

make_pair --params 300000 --hidden 64 --seed 61 a
make_pair --params 300000 --hidden 64 --seed 62 b
mkdir out

# Two models whose files have the same name, as nearly all have.
expect_fail 1 '^deltafsctl: b/tune/model.safetensors: out/m/model.safetensors was made from a/tune/model.safetensors just now' \
	deltafsctl encode a/tune/model.safetensors b/tune/model.safetensors -o out/m
run deltafsctl decode out/m/model.safetensors -o back
same back a/tune/model.safetensors
expect_fail 1 '3 files: 1 decoded, 0 left, 2 failed' \
	deltafsctl decode a/tune/model.safetensors b/tune/model.safetensors a/base/model.safetensors -o out/d
same out/d/model.safetensors a/tune/model.safetensors
expect_fail 1 '4 files: 2 decoded, 0 left, 2 failed' deltafsctl decode -r a b -o out/r
same out/r/tune/model.safetensors a/tune/model.safetensors
# By another name, or in a directory of its own, each is made; a later call replaces what an earlier one made.
cp b/tune/model.safetensors b/second
run deltafsctl decode a/tune/model.safetensors b/second -o out/d
same out/d/second b/second
run deltafsctl decode b/tune/model.safetensors -o out/d
same out/d/model.safetensors b/tune/model.safetensors
# Of several files OUT is a directory, though only one of them is there.
expect_fail 1 '2 files: 1 decoded, 0 left, 1 failed' deltafsctl decode nowhere b/second -o out/several
same out/several/second b/second
# What was not made takes nobody's place.
mkdir c
head -c 1000 a/tune/model.safetensors >c/model.safetensors
chmod 0 c/model.safetensors
if [ "$(id -u)" != 0 ]; then
	expect_fail 1 '2 files: 1 decoded, 0 left, 1 failed' deltafsctl decode c/model.safetensors b/tune/model.safetensors -o out/n
	same out/n/model.safetensors b/tune/model.safetensors
fi

# FILE is left alone: OUT is not FILE under whatever name.
cp a/tune/model.safetensors x
ln x y
ln -s x z
for out in x ./x y z .; do
	expect_fail 1 'is the file itself; without -o it is done in place' deltafsctl encode x -o $out
	same x a/tune/model.safetensors
done
[ -L z ] || fail "the link was replaced"
run deltafsctl encode --base a/base x -o coded
cp coded kept
expect_fail 1 'is the file itself' deltafsctl decode --base a/base coded -o coded
same coded kept

# A container is no stream, and not made twice; export puts it into a directory.
for command in encode export; do
	expect_fail 2 '^deltafsctl: .*-o -: a container is written to a file' deltafsctl $command coded -o -
	[ ! -e ./- ] || fail "$command made a file called -"
done
expect_fail 1 'coded: compressed already; "deltafsctl export" copies it' deltafsctl encode coded -o again
[ ! -e again ] || fail "encode of a container made $(ls -l again)"
mkdir parcels
run deltafsctl export coded -o parcels
same parcels/coded kept

# Who may not give files away keeps mode and times, as cp -p does, and opens nothing: the group is another one.
if [ "$(id -u)" = 0 ]; then
	mkdir -m 755 S
	mkdir -m 777 theirs
	cp -r a/base S/
	run deltafsctl base add S S/base
	as_user() { setpriv --reuid=12345 --regid=12345 --groups=54321 "$@"; }
	for mode in 644 640 4755; do
		cp a/tune/model.safetensors S/x
		run deltafsctl encode S/x
		chown 0:54321 S/x && chmod $mode S/x && touch -d '2001-02-03 04:05:06.123456789' S/x
		run as_user deltafsctl decode S/x -o theirs/plain-$mode
		run as_user deltafsctl export S/x -o theirs/coded-$mode
		same theirs/plain-$mode a/tune/model.safetensors
		same theirs/coded-$mode S/x
		for kind in plain coded; do
			stat -c '%n %a %u %g %y' theirs/$kind-$mode
		done >>theirs.txt
		rm S/x
	done
	sed 's/ 2001-02-03 04:05:06.123456789 .*/ kept/' theirs.txt >got.txt
	diff - got.txt <<-'EOF' || fail "attributes of a copy of somebody else's file"
	theirs/plain-644 644 12345 54321 kept
	theirs/coded-644 644 12345 54321 kept
	theirs/plain-640 640 12345 54321 kept
	theirs/coded-640 640 12345 54321 kept
	theirs/plain-4755 755 12345 54321 kept
	theirs/coded-4755 755 12345 54321 kept
	EOF
	# Not of the file's group: nobody but the reader himself gets to see what not all may.
	cp a/tune/model.safetensors S/x
	run deltafsctl encode S/x
	chown 12345:54321 S/x && chmod 660 S/x
	run setpriv --reuid=12345 --regid=12345 --clear-groups deltafsctl decode S/x -o theirs/closed
	[ "$(stat -c '%a %g' theirs/closed)" = '600 12345' ] || fail "opened to another group: $(stat -c '%a %g' theirs/closed)"
fi
