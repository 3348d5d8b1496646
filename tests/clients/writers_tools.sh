#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writers_tools: what cp, mv, rsync and tar write into a mount that compresses at once stays what they wrote, and they read it back
# test: timeout=900
. "$(dirname "$0")/writers_common.sh"
need rsync tar setfattr

PARAMS=600000 given_writable
mkdir mnt/cp mnt/rsync mnt/tar out

# out_is ORIGINAL FILE HOW: what left the mount.
out_is() { cmp "$1" "$2" || fail "$3 took other bytes out"; }

# cp: in, within, over what may be in work by now, and out.
cp $TUNE mnt/cp/plain && wrote cp/plain $TUNE || fail cp
cp -a $TUNE mnt/cp/all && wrote cp/all $TUNE || fail "cp -a"
same $TUNE mnt/cp/all '%a %u %g %s %y'
cp --sparse=always $TUNE mnt/cp/sparse && wrote cp/sparse $TUNE || fail "cp --sparse"
cp --reflink=never $TUNE mnt/cp/over || fail "cp"
cp $NEXT mnt/cp/over && wrote cp/over $NEXT || fail "cp over a file"
all_right "after cp"
all_small "cp"
cp mnt/cp/plain mnt/cp/within && wrote cp/within $TUNE || fail "cp within the mount"
cp -a --sparse=always mnt/cp/over mnt/cp/within-sparse && wrote cp/within-sparse $NEXT || fail "cp -a --sparse within the mount"
cp $NEXT mnt/cp/plain && wrote cp/plain $NEXT || fail "cp over a container"
cp --remove-destination $NEXT mnt/cp/all && wrote cp/all $NEXT || fail "cp --remove-destination"
cp -a mnt/cp/sparse out/sparse && out_is $TUNE out/sparse "cp -a"
cp -r --sparse=always mnt/cp out/ && out_is $NEXT out/cp/over "cp -r --sparse=always"

# mv: into the mount and out of it is copying and removing.
cp -a $TUNE moving && mv moving mnt/moved && wrote moved $TUNE || fail "mv in"
same $TUNE mnt/moved '%a %u %g %s %y'
mv mnt/moved mnt/cp/moved && gone moved && wrote cp/moved $TUNE || fail "mv within"
cp $NEXT mnt/leaves && settle "before mv" && is_small leaves || fail "what is to be moved out is plain"
mv mnt/leaves out/left && out_is $NEXT out/left "mv"
[ ! -e mnt/leaves ] && [ ! -e store/leaves ] || fail "mv out leaves it behind"
all_right "after mv"

# rsync, as it makes files and as it changes those that are there.
mkdir -p from/dir && cp -a $TUNE from/dir/one && cp -a $NEXT from/dir/two && ln from/dir/two from/dir/two-again
setfattr -n user.note -v kept from/dir/one 2>/dev/null || skip "no extended attributes here"
rsync -aHX from/dir mnt/rsync/ && wrote rsync/dir/one $TUNE || fail "rsync -aHX"
keeps rsync/dir/two $NEXT; keeps rsync/dir/two-again $NEXT
[ mnt/rsync/dir/two -ef mnt/rsync/dir/two-again ] || fail "rsync -H made two files"
settle "rsync"
[ -z "$(rsync -aHXni from/ mnt/rsync/ | grep -v '/$')" ] || fail "rsync -n after compression: $(rsync -aHXni from/ mnt/rsync/)"
# Each kind makes a new file, and goes over it once it is a container.
kinds=(--inplace -S --preallocate "--inplace --no-whole-file" "-S --preallocate" --whole-file)
name_of() { echo "rsync/$(echo "$1" | tr -d ' -')"; }
for how in "${kinds[@]}"; do
	# shellcheck disable=SC2086  # words
	rsync -a $how $TUNE "mnt/$(name_of "$how")" && wrote "$(name_of "$how")" $TUNE || fail "rsync $how"
done
all_small "rsync"
for how in "${kinds[@]}"; do
	# shellcheck disable=SC2086
	rsync -a --ignore-times $how $NEXT "mnt/$(name_of "$how")" && wrote "$(name_of "$how")" $NEXT || fail "rsync $how over a container"
done
all_right "rsync over containers"
half=$(($(stat -c %s $TUNE) / 2))
head -c $half $TUNE >mnt/rsync/append
rsync -a --append-verify $TUNE mnt/rsync/append && wrote rsync/append $TUNE || fail "rsync --append-verify"
# Killed halfway, what it has is at the name; another goes on from there.
rsync -a --partial --no-whole-file --bwlimit=500 $TUNE mnt/rsync/partial 2>/dev/null & killed=$!
retry 30 compgen -G 'mnt/rsync/.partial.??????' >/dev/null && retry 30 test -s mnt/rsync/.partial.?????? || fail "rsync --partial does not begin"
kill -TERM $killed
! wait $killed 2>/dev/null || fail "rsync --partial was done too soon"
rsync -a --partial --no-whole-file --ignore-times $TUNE mnt/rsync/partial && wrote rsync/partial $TUNE || fail "rsync --partial, again"
rsync -aHX mnt/rsync/dir out/ && out_is $TUNE out/dir/one rsync && out_is $NEXT out/dir/two-again rsync
[ "$(getfattr --only-values -n user.note out/dir/one)" = kept ] || fail "rsync -X lost an attribute"
rsync -aS --inplace mnt/rsync/append out/append && out_is $TUNE out/append "rsync -S"

# tar, with attributes, in its tiny pieces.
tar -C from --xattrs --xattrs-include='*' -cf - dir | tar -C mnt/tar --xattrs --xattrs-include='*' -xf - || fail tar
wrote tar/dir/one $TUNE; keeps tar/dir/two $NEXT; keeps tar/dir/two-again $NEXT
tar -C from -cSf - dir/one | tar -b 1 -C mnt/tar --transform s/one/sparse/ -xf - && wrote tar/dir/sparse $TUNE || fail "tar -S"
all_small tar
[ "$(getfattr --only-values -n user.note mnt/tar/dir/one)" = kept ] || fail "tar --xattrs lost an attribute"
mkdir out/tar && tar -C mnt/tar --xattrs --xattrs-include='*' -cSf - dir | tar -C out/tar --xattrs --xattrs-include='*' -xf - || fail "tar out"
diff -r from/dir out/tar/dir --exclude=sparse || fail "tar took other bytes out"
out_is $TUNE out/tar/dir/sparse tar
[ "$(getfattr --only-values -n user.note out/tar/dir/one)" = kept ] || fail "tar --xattrs took no attribute out"
all_stays
