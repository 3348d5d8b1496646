#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_moved: promises 2 and 3, files that gave up bits, and their base, under other names, in another store, after a copy of all, exchanged, over a base that lost a bit: the same bytes or an error.
# test: timeout=300
. "$(dirname "$0")/lossy_common.sh"

pair base tune layers=5
pair base2 tune2 seed=2,layers=5
CODECS="bitdelta:scale=column delta-dct ultradelta ultradelta:mask=stored delta-come"
store_of base
mkdir store/base2 && cp base2 store/base2/model.safetensors
deltafsctl base add store store/base2 >said 2>&1 || fail "base add: $(cat said)"
n=0
for codec in $CODECS; do
	for which in "" 2; do
		mkdir -p "store/$n$which" && cp "tune$which" "store/$n$which/model.safetensors"
		(cd store && encode --codec "$codec" "$n$which/model.safetensors") || exit 1
		decode "store/$n$which/model.safetensors" -o "want.$n$which"
		! cmp -s "want.$n$which" "tune$which" || fail "$codec gave up nothing"
	done
	n=$((n + 1))
done
check() { cmp "$1" "$2" || fail "$3: $1 is another"; }

# In the mount and behind it: names exchanged, directories moved, bases renamed and removed by name.
start_daemon store mnt -o rw,quiet=0
mkdir mnt/far
for i in 0 1 2 3 4; do
	mv mnt/$i/model.safetensors mnt/far/x && mv mnt/${i}2/model.safetensors mnt/$i/model.safetensors && mv mnt/far/x mnt/${i}2/model.safetensors
	mv mnt/$i mnt/far/dir$i
done
mv mnt/base mnt/elsewhere && mv mnt/elsewhere/model.safetensors mnt/elsewhere/other.bin
rm mnt/base2/model.safetensors
for i in 0 1 2 3 4; do
	check mnt/far/dir$i/model.safetensors want.${i}2 "exchanged"
	check mnt/${i}2/model.safetensors want.$i "exchanged"
done
stop_daemon mnt
deltafsctl verify -r store >said 2>&1 || fail "verify: $(tail -3 said)"

# Another path of all of it, with and without the marks that a copy may lose.
cp -a store copy && cp -r store bare
for all in copy bare; do
	for i in 0 1 2 3 4; do
		rm -f out
		decode $all/far/dir$i/model.safetensors -o out
		check out want.${i}2 "$all"
	done
done

# In a store of their own, with bases that are called otherwise, in the order of the other; one that is not pinned.
mkdir other && cp base2 first.bin && cp base second.bin
mkdir other/models && cp first.bin other/models/a.safetensors && cp second.bin other/models/b.safetensors
deltafsctl base add other other/models/a.safetensors >said 2>&1 || fail "base add: $(cat said)"
deltafsctl base add --by-reference other other/models/b.safetensors >said 2>&1 || fail "base add: $(cat said)"
for i in 0 1 2 3 4; do
	deltafsctl import store/far/dir$i/model.safetensors other/$i >said 2>&1 || fail "import: $(cat said)"
	deltafsctl import store/${i}2/model.safetensors other/${i}2 >said 2>&1 || fail "import: $(cat said)"
	rm -f out && cp store/${i}2/model.safetensors loose && decode --base second.bin loose -o out
	check out want.$i "alone, over a base that is called otherwise"
done
start_daemon other mnt
for i in 0 1 2 3 4; do
	check mnt/$i want.${i}2 "in another store"
	check mnt/${i}2 want.$i "in another store"
done
stop_daemon mnt

# A base that is another by one bit: all that a chunk is made from is asked for, so it is refused or right.
some=0
for at in 4000 100000 222222 368000; do
	cp base other/models/b.safetensors && flip other/models/b.safetensors $at 6
	start_daemon other mnt
	for i in 0 1 2 3 4; do
		pages mnt/${i}2 want.$i
		[ "$wrong" = 0 ] || fail "codec $i, byte $at of the base: $wrong pages are wrong ($right right, $refused refused)"
		some=$((some + refused))
	done
	stop_daemon mnt
done
[ $some -gt 0 ] || fail "a base that is another was not noticed"
