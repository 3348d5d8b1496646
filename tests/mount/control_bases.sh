#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# control_bases: base add, base remove and encode --base on a mounted store: at once, unseen, under open handles, and without harm to what depends on a base
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"

# kept FILE: what is to stay, whatever deltafs does.
kept() { stat -c '%i %s %y %z %h %a %u' "$1"; }
base_of() { told base_id "mnt/$1"; }
state() { told state "mnt/$1"; }
# near FILE TO: the same but for a byte: as good a base, and another.
near() {
	cp "$1" "$2"
	flip "$2" $(($(size "$2") - 9)) 3
}
# id_of NAME: of the base of that name in the store, or a file's outside.
id_of() {
	deltafsctl base list --json store >list || fail "base list: $(cat list)"
	member list "[b['id'] for b in o['bases'] if any(n == '$1' or n.endswith('/$1') and n.count('/') > 1 and '$1' != 'base' for n in b['names'])][0]"
}

make_store --params 1000000 --hidden 256 --seed 91
tune=orig/tune/model.safetensors
make_pair --params 800000 --hidden 128 --seed 92 other
near orig/base/model.safetensors near.safetensors
cp other/base/model.safetensors store/behind.safetensors
start_daemon store mnt -o rw,quiet=1

# --- added: what was just copied in, and the next copy is coded against it
cp other/base/model.safetensors mnt/first.safetensors
shown=$(kept mnt/first.safetensors)
run deltafsctl base add mnt mnt/first.safetensors
grep -Eq '^mnt/first.safetensors: base [0-9a-f]{8}, ' said || fail "base add said $(cat said)"
[ "$(kept mnt/first.safetensors)" = "$shown" ] || fail "base add shows: $shown, $(kept mnt/first.safetensors)"
first=$(id_of first.safetensors)
cp other/tune/model.safetensors mnt/second.safetensors
run deltafsctl wait --timeout 240 mnt/second.safetensors
[ "$(base_of second.safetensors)" = "$first" ] || fail "a copy was coded against $(base_of second.safetensors), not $first"
told reason mnt/first.safetensors | grep -q '^a base' || fail "reason of a base: $(told reason mnt/first.safetensors)"
run deltafsctl base add --json store other/base
cp said added
[ "$(member added '[(b["id"], b["known"], b["files"]) for b in o["bases_added"]]')" = "[('$first', True, 1)]" ] || fail "known: $(cat added)"
expect_fail 1 'No such file' deltafsctl base add mnt mnt/nothing
expect_fail 1 'not a safetensors file' deltafsctl base add mnt "$0"
expect_fail 1 'one too many|No such file|no model' deltafsctl base add mnt mnt/tune/nothing near.safetensors
id_of near.safetensors >/dev/null || fail "what follows a failure was not added"

# --- a base is plain: what was compressed is decoded first, under an open handle
cp other/tune/model.safetensors mnt/third.safetensors
run deltafsctl wait --timeout 240 mnt/third.safetensors
[ "$(state third.safetensors)" = container ] || fail "third is $(state third.safetensors)"
exec 5<mnt/third.safetensors
run deltafsctl base add mnt store/third.safetensors
grep -q 'third.safetensors: decoded, since a base is plain' said || fail "base add of a container: $(cat said)"
told reason mnt/third.safetensors | grep -q "^a base" || fail "reason of a base that was decoded for it: $(told reason mnt/third.safetensors)"
same /dev/fd/5 other/tune/model.safetensors
exec 5<&-
third=$(id_of third.safetensors)

# --- one that is open for writing is none, and is left as it was; one that becomes a base is kept before it is written to
cp other/base/model.safetensors mnt/open.safetensors
printf Y | dd of=mnt/open.safetensors bs=1 seek=$(($(size mnt/open.safetensors) - 5)) conv=notrunc status=none
exec 6<>mnt/open.safetensors
expect_fail 1 'open for writing' deltafsctl base add mnt mnt/open.safetensors
[ "$(stat -c %h store/open.safetensors)" = 1 ] || fail "what is open for writing was pinned"
exec 6>&-
exec 5<mnt/open.safetensors
run deltafsctl base add mnt mnt/open.safetensors
cp mnt/open.safetensors was
cp mnt/second.safetensors mnt/fourth.safetensors
run deltafsctl encode --base mnt/open.safetensors mnt/fourth.safetensors
open=$(id_of open.safetensors)
[ "$(base_of fourth.safetensors)" = "$open" ] || fail "encode --base: $(cat said)"
printf Z | dd of=mnt/open.safetensors bs=1 seek=$(($(size was) - 5)) conv=notrunc status=none
same mnt/fourth.safetensors other/tune/model.safetensors
exec 5<&-
run deltafsctl verify store/fourth.safetensors

# --- encode --base: by path in the mount and the store, from outside, by ID; -r; what is none
near near.safetensors outside.safetensors
flip outside.safetensors $(($(size outside.safetensors) - 17)) 2
for base in mnt/base store/base/model.safetensors near.safetensors outside.safetensors "$(id_of near.safetensors | cut -c 1-8)"; do
	cp "$tune" mnt/by-base.safetensors
	run deltafsctl encode --base "$base" mnt/by-base.safetensors
	case $base in
	mnt/* | store/*) want=$(id_of base) ;;
	outside*) want=$(id_of outside.safetensors) ;;
	*) want=$(id_of near.safetensors) ;;
	esac
	[ "$(base_of by-base.safetensors)" = "$want" ] || fail "--base $base: coded against $(base_of by-base.safetensors), not $want: $(cat said)"
	same mnt/by-base.safetensors "$tune"
	rm mnt/by-base.safetensors
done
mkdir mnt/dir
run deltafsctl policy set mnt/dir quiet=600	# compressed when it is asked for, and not before
cp "$tune" mnt/dir/a.safetensors
cp "$tune" mnt/dir/b.safetensors
near=$(id_of near.safetensors)
run deltafsctl encode -r --base near.safetensors store/dir
[ "$(base_of dir/a.safetensors) $(base_of dir/b.safetensors)" = "$near $near" ] || fail "-r --base: $(cat said)"
cp "$tune" mnt/none.safetensors
expect_fail 1 'no base of' deltafsctl encode --base 0123456789 mnt/none.safetensors
expect_fail 1 'not a safetensors file' deltafsctl encode --base "$0" mnt/none.safetensors
run deltafsctl encode --base mnt/base mnt/base/model.safetensors
grep -q 'left as it is: a base' said || fail "a base over itself: $(cat said)"

# --- removed: not while something depends on it, or is open that does
expect_fail 1 "base ${near:0:8} stays .*2 files .* depend" deltafsctl base remove mnt "${near:0:10}"
exec 5<mnt/dir/a.safetensors
run deltafsctl base remove --rebase mnt/base store "$near"
[ "$(base_of dir/a.safetensors) $(base_of dir/b.safetensors)" = "$(id_of base) $(id_of base)" ] || fail "--rebase: $(cat said)"
same /dev/fd/5 "$tune"
exec 5<&-
run deltafsctl encode --base outside.safetensors mnt/none.safetensors
outside=$(id_of outside.safetensors)
if [ "$(state none.safetensors)" = plain ] || [ "$(base_of none.safetensors)" != "$outside" ]; then
	run deltafsctl decode mnt/none.safetensors
	run deltafsctl encode --base outside.safetensors mnt/none.safetensors
fi
exec 5<mnt/none.safetensors
rm mnt/none.safetensors
expect_fail 1 'open that depends on it and has no name' deltafsctl base remove mnt "$outside"
same /dev/fd/5 "$tune"
exec 5<&-
removed() { deltafsctl base remove --json mnt "$outside" >removed 2>&1; }
retry 10 removed || fail "base remove: $(cat removed)"
[ "$(member removed '(o["removed"]["id"], o["removed"]["bytes_freed"])')" = "('$outside', 0)" ] || fail "removed: $(cat removed)"
run deltafsctl base remove --thaw mnt "$first"
grep -q 'second.safetensors: plain' said || fail "--thaw: $(cat said)"
[ "$(state second.safetensors)" = plain ] || fail "--thaw left second"
run deltafsctl base remove store mnt/third.safetensors
expect_fail 1 'no base of' deltafsctl base remove mnt "$third"
run deltafsctl verify -r store
stop_daemon mnt
run deltafsctl verify -r store
clean store

# --- a mount over the store itself, and one that compresses nothing
start_daemon store store -o rw,quiet=1
run deltafsctl base add store store/behind.safetensors
run deltafsctl encode --base store/behind.safetensors store/second.safetensors
run deltafsctl decode store/second.safetensors
run deltafsctl base remove store "$first"
stop_daemon store
start_daemon store mnt -o rw,noingest
cp near.safetensors mnt/near.safetensors
run deltafsctl base add mnt mnt/near.safetensors
expect_fail 1 noingest deltafsctl encode --base mnt/near.safetensors mnt/second.safetensors
run deltafsctl base remove mnt "$near"
stop_daemon mnt
run deltafsctl verify -r store
