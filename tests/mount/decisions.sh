#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# decisions: what stays plain says why, and what can be had later is; shards; bases of others
# test: root timeout=600
. "$(dirname "$0")/common.sh"

make() { local to=$1; shift; "$DFS_BUILD/tests/tools/make_pair" "$@" "$to" >/dev/null || fail "make_pair $*"; }
is() { [ "$(told state "mnt/$1")" = "$2" ]; }
has_base() { [ "$(told base "mnt/$1")" = "$2" ]; }
coded() { retry 120 is "$1" container && retry 120 has_base "$1" "$2" || fail "$1 over '$2': $(told base "mnt/$1"): $(cat "$log")"; }
said() { grep -Eq -- "$1" "$log"; }
says() { retry 120 said "$1" || fail "no line like '$1': $(cat "$log")"; }
# noise PATH NAME: a model of one tensor, bytes that nothing can shrink.
noise() {
	python3 -c '
import json, os, struct, sys
n = 1 << 20
header = json.dumps({sys.argv[2]: {"dtype": "U8", "shape": [n], "data_offsets": [0, n]}}).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(header)) + header + os.urandom(n))' "$1" "$2"
}

mkdir store mnt
start_daemon store mnt -o rw,quiet=0
echo text >mnt/notes.txt
says 'notes.txt: stays as it is: not safetensors'
noise mnt/noise.safetensors w
says 'noise.safetensors: stays as it is: no base with these names'
make pair --params 300000 --moved 0.01
exec 5<>mnt/linked.safetensors	# which is written to until it has both names
cp pair/tune/model.safetensors mnt/linked.safetensors; ln mnt/linked.safetensors mnt/other.safetensors
exec 5>&-
says 'linked.safetensors: stays as it is: several names \(hard links\): 2|other.safetensors: stays as it is: several names \(hard links\): 2'
rm mnt/*
stop_daemon mnt

# A base of these names that is of no help.
noise store/base.safetensors w
deltafsctl base add store store/base.safetensors >/dev/null || fail "base add"
start_daemon store mnt -o rw,quiet=0
noise mnt/other.safetensors w
says 'other.safetensors: stays as it is: would not shrink: 100 %'
stop_daemon mnt

# Two models in shards, and cut otherwise: one base of all its shards.
rm -rf store && mkdir store
make sharded1 --params 1000000 --seed 5 --moved 0.01 --shards 3
make sharded2 --params 1000000 --seed 5 --moved 0.02 --shards 3
make sharded3 --params 1000000 --seed 5 --moved 0.03 --shards 2
start_daemon store mnt -o rw,quiet=0
shards() { (cd "mnt/$1" && ls ./*.safetensors | sed "s,^\.,$1,"); }
all_coded() { for f in $(shards "$1"); do is "$f" container || return 1; done; }
over_one() { for f in $(shards "$1"); do told base "mnt/$f" | grep -q one/ || return 1; done; }
right() { for f in $(shards "$1"); do cmp "mnt/$f" "$2/tune/${f##*/}" || fail "bytes of $f"; done; }
cp -r sharded1/tune mnt/one; retry 120 all_coded one || fail "one: $(cat "$log")"
cp -r sharded2/tune mnt/two
retry 120 all_coded two && retry 120 over_one two || fail "two is not coded over one: $(cat "$log")"
cp -r sharded3/tune mnt/three
retry 120 all_coded three && retry 120 over_one three || fail "three is not coded over one: $(cat "$log")"
right one sharded1; right two sharded2; right three sharded3
[ "$(deltafsctl base list --json store | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["bases"]))')" = 1 ] ||
	fail "more than one base: $(deltafsctl base list store)"
three=$(du -s -B1 --apparent-size store/three | cut -f1)
[ "$three" -lt $(($(du -s -B1 --apparent-size sharded3/tune | cut -f1) / 4)) ] || fail "cut otherwise, three takes $three"
stop_daemon mnt

# What its owner may not read is no base for a file, as container or plain.
if is_root; then
	rm -rf store && mkdir store
	for i in 1 2 3; do make own$i --params 300000 --seed 5 --moved 0.0$i; done
	start_daemon store mnt -o rw,quiet=0,allow_other
	cp own1/tune/model.safetensors mnt/a.safetensors && chmod 600 mnt/a.safetensors
	coded a.safetensors ""
	# Nobody looks at it before it has its owner.
	install -m 644 -o 1234 own2/tune/model.safetensors mnt/b.part && mv mnt/b.part mnt/b.safetensors
	coded b.safetensors ""
	is a.safetensors container || fail "a was made plain for somebody who may not read it"
	install -m 644 own3/tune/model.safetensors mnt/c.safetensors
	retry 120 is c.safetensors container
	told base mnt/c.safetensors | grep -q . || fail "root may read both: $(cat "$log")"
	stop_daemon mnt
fi

# Without room it waits, and says for how much.
if is_root; then
	rm -rf store && mkdir store && mount -t tmpfs -o size=20M tmpfs store || skip "no tmpfs: the rest was right"
	start_daemon store mnt -o rw,quiet=1
	make large --params 4000000 --moved 0.01
	cp large/tune/model.safetensors mnt/a.safetensors
	head -c "$(($(stat -f -c '%a * %S' store) - 2000000))" /dev/zero >mnt/ballast
	says 'a.safetensors: later: waiting for room: needs [0-9.]+ MB'
	rm mnt/ballast
	coded a.safetensors ""
	cmp large/tune/model.safetensors mnt/a.safetensors || fail "bytes"
	stop_daemon mnt
fi
