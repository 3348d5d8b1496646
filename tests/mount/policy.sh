#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# policy: what the owner of a directory says of it holds below it: at once, after a remount, where it is moved to
. "$(dirname "$0")/common.sh"
need getfattr setfattr

make() { local to=$1; shift; "$DFS_BUILD/tests/tools/make_pair" "$@" "$to" >/dev/null || fail "make_pair $*"; }
is() { [ "$(told state "mnt/$1")" = "$2" ]; }
compressed() { retry 200 is "$1" container || fail "$1 is $(told state "mnt/$1"): $(told reason "mnt/$1"): $(cat "$log")"; }
has_reason() { told reason "mnt/$1" | grep -Eq -- "$2"; }
stays() {
	retry 200 has_reason "$1" "$2" || fail "$1 is $(told state "mnt/$1"), its reason '$(told reason "mnt/$1")', not '$2'"
	is "$1" plain || fail "$1 is compressed"
}
set_policy() { deltafsctl policy set "$@" >set.out 2>&1 || fail "policy set $*: $(cat set.out)"; }
put() { cp "pair/tune/model.safetensors" "mnt/$1"; }

make pair --params 300000 --seed 5 --moved 0.01
make far --params 300000 --seed 5 --moved 0.3
mkdir store mnt
setfattr -n user.word -v x store 2>/dev/null || is_root || skip "no extended attributes here"
mkdir -p store/bases store/old/new
cp pair/base/model.safetensors store/bases/near.safetensors
cp far/tune/model.safetensors store/bases/far.safetensors
deltafsctl base add store store/bases/near.safetensors store/bases/far.safetensors >/dev/null || fail "base add"
cp pair/tune/model.safetensors store/old/a.safetensors
cp pair/tune/model.safetensors store/old/new/b.safetensors
# more than are queued at once
for i in {1..40}; do echo "$i" >"store/old/new/$i.txt"; done
touch -d '1 hour ago' store/old/*.safetensors store/old/new/*

# Words: what is known, what is near, what is wrong.
expect_fail 2 'no key "colour": codec, base, quiet, ingest, existing, keep and exclude are known' deltafsctl policy set store colour=blue
expect_fail 2 'did you mean "ingest"' deltafsctl policy set store ingets=off
expect_fail 2 '"on" or "off"' deltafsctl policy set store ingest=maybe
expect_fail 2 'number of seconds' deltafsctl policy set store quiet=soon
expect_fail 2 '"quiet" has no value' deltafsctl policy set store quiet
expect_fail 2 'cannot be asked for by itself' deltafsctl policy set store codec=diff
expect_fail 2 'codec=: codec bitdelta has no option "mask" .see deltafs-codecs.7..' deltafsctl policy set store codec=bitdelta:mask=stored
expect_fail 2 'codec: codec bitdelta has no option "mask" .see deltafs-codecs.7..' deltafsctl encode --codec bitdelta:mask=stored store
expect_fail 1 'no base of' deltafsctl policy set store base=pair/tune/model.safetensors
expect_fail 1 'bytes: 2048 are the most' deltafsctl policy set store "exclude=$(head -c 3000 /dev/zero | tr '\0' x)"
deltafsctl policy show store | grep -q 'no policy' || fail "something was set"

# In a store that is not mounted; a line of another version is kept and passed over.
set_policy store/old/new existing=on
[ "$(deltafsctl policy show store/old/new)" = existing=on ] || fail "show: $(deltafsctl policy show store/old/new)"

# As long as the mount's own, none would be compressed while the test lasts.
start_daemon store mnt -o "rw,quiet=600$(is_root && echo ,allow_other)"
compressed old/new/b.safetensors
looked_at() { [ "$(grep -c 'old/new/[0-9]*.txt: stays as it is: not safetensors' "$log")" = 40 ]; }
retry 200 looked_at || fail "of 40 files that were there: $(cat "$log")"
stays old/a.safetensors 'was there before the mount'
mkdir -p mnt/fast/slow mnt/plain
put plain/waits.safetensors
put fast/waits.safetensors
set_policy mnt/fast quiet=0
compressed fast/waits.safetensors
set_policy mnt/fast/slow quiet=600
put fast/slow/a.safetensors; put fast/b.safetensors
compressed fast/b.safetensors
is fast/slow/a.safetensors plain || fail "quiet=600 of the nearest directory"
set_policy mnt/fast/slow quiet=1
compressed fast/slow/a.safetensors
is plain/waits.safetensors plain || fail "a quiet period of elsewhere"
deltafsctl policy show mnt/fast/slow | grep -qx 'quiet=1' || fail "show"
deltafsctl policy unset mnt/fast/slow quiet >/dev/null || fail unset
deltafsctl policy show --json mnt/fast/slow | python3 -c '
import json, sys
(p,) = json.load(sys.stdin)["policy"]
assert (p["key"], p["value"], p["own"], p["from"][-5:]) == ("quiet", "0", False, "/fast"), p' || fail "show --json"

# By its path in the store it is as good.
mkdir -p mnt/off/on
set_policy store/off quiet=0 ingest=off
set_policy mnt/off/on ingest=on
put off/a.safetensors; put off/again.safetensors; put off/on/b.safetensors
compressed off/on/b.safetensors
stays off/a.safetensors '^ingest is off here: policy of /off; deltafsctl policy set DIR ingest=on'
stays off/again.safetensors 'ingest is off here'
set_policy mnt/off ingest=on
stays off/a.safetensors 'by a policy that was changed since'
deltafsctl encode mnt/off/a.safetensors >/dev/null || fail "encode"
is off/a.safetensors container || fail "encoded by hand: $(told reason mnt/off/a.safetensors)"
put off/again.safetensors
compressed off/again.safetensors
set_policy mnt/off ingest=off
is off/again.safetensors container || fail "what is compressed stays so"

# Where it is moved to; what lay elsewhere finds the policy there.
mkdir mnt/to; mv mnt/off mnt/to/there
put to/there/c.safetensors
stays to/there/c.safetensors 'ingest is off here: policy of /to/there'

mkdir -p mnt/globs/sub/deep mnt/globs/skipped
set_policy mnt/globs quiet=0 'exclude=*.skip.safetensors' exclude=skipped 'exclude=sub/d*/x[0-4].safetensors'
set_policy mnt/globs/sub 'exclude=z*'
for f in a.skip skipped/b sub/deep/x1 sub/deep/zz sub/deep/x5 zz; do put "globs/$f.safetensors"; done
for f in sub/deep/x5 zz; do compressed "globs/$f.safetensors"; done
stays globs/a.skip.safetensors 'excluded by the policy of its directory: \*\.skip\.safetensors; '
stays globs/skipped/b.safetensors 'excluded by .*: skipped;'
stays globs/sub/deep/x1.safetensors 'excluded by .*: sub/d\*/x\[0-4\]\.safetensors;'
stays globs/sub/deep/zz.safetensors 'excluded by .*: z\*;'

# The base that is named, though another is nearer; none where it does not fit.
mkdir -p mnt/based/auto mnt/based/other
set_policy mnt/based quiet=0 base=mnt/bases/far.safetensors codec=exact
set_policy mnt/based/auto base=auto
put based/a.safetensors; put based/auto/b.safetensors
compressed based/a.safetensors; compressed based/auto/b.safetensors
[ "$(told base mnt/based/a.safetensors)" = bases/far.safetensors ] || fail "base: $(told base mnt/based/a.safetensors)"
[ "$(told base mnt/based/auto/b.safetensors)" = bases/near.safetensors ] || fail "base: $(told base mnt/based/auto/b.safetensors)"
cmp pair/tune/model.safetensors mnt/based/a.safetensors || fail "bytes"
setfattr -n user.deltafs.policy -v "base=0123456789abcdef
of=later
quiet" mnt/based/other || fail "setfattr"
put based/other/c.safetensors
stays based/other/c.safetensors 'the base that its policy names is none for it: no base of this store is so called: 0123456789abcdef; '
deltafsctl policy show mnt/based/other 2>&1 | grep -q 'passed over: no key "of"' || fail "a line that makes no sense"
set_policy mnt/based/other base=auto
getfattr --only-values -n user.deltafs.policy mnt/based/other | grep -qx of=later || fail "a line of another version is lost"
if is_root; then
	! setpriv --reuid 1234 --clear-groups deltafsctl policy set mnt/based quiet=1 2>refused || fail "of somebody else"
	grep -q 'not yours: its owner and root' refused || fail "said $(cat refused)"
	mkdir -m 777 mnt/everybodys
	! setpriv --reuid 1234 --clear-groups setfattr -n user.deltafs.policy -v ingest=off mnt/everybodys 2>/dev/null ||
		fail "who may write to a directory may set its policy"
	install -d -o 1234 mnt/own
	setpriv --reuid 1234 --clear-groups deltafsctl policy set mnt/own ingest=off >own.out 2>&1 || fail "one's own: $(cat own.out)"
	if ! setpriv --reuid 1234 --clear-groups test -r store/.deltafs/bases; then
		setpriv --reuid 1234 --clear-groups deltafsctl policy set mnt/own base=mnt/bases/far.safetensors | grep -qx base=bases/far.safetensors ||
			fail "a base by its path"
	fi
fi
longest=exclude=$(head -c 2040 /dev/zero | tr '\0' x)
setfattr -n user.deltafs.policy -v "$longest" mnt/plain && [ "$(getfattr --only-values -n user.deltafs.policy mnt/plain)" = "$longest" ] ||
	fail "the longest there is"
! setfattr -n user.deltafs.policy -v "x$longest" mnt/plain 2>/dev/null || fail "a longer one"
! setfattr -n user.deltafs.policy -v ingest=off mnt/based/a.safetensors 2>/dev/null || fail "the policy of a file"
! setfattr -n user.deltafs.state -v x mnt/based 2>/dev/null || fail "another attribute of ours"
! getfattr -R -d -m - mnt/based mnt/off mnt/globs 2>/dev/null | grep -q deltafs || fail "a policy is listed"

# What lay there, without a remount.
set_policy mnt/old existing=on quiet=0
compressed old/a.safetensors
stop_daemon mnt

start_daemon store mnt -o rw,quiet=600
put to/there/d.safetensors; put fast/slow/d.safetensors; put globs/e.skip.safetensors
compressed fast/slow/d.safetensors
stays globs/e.skip.safetensors excluded
stays to/there/d.safetensors 'ingest is off here'
stop_daemon mnt
deltafsctl policy unset store/to/there | grep -q 'no policy' || fail "unset of all"
start_daemon store mnt
[ "$(deltafsctl policy show mnt/fast)" = quiet=0 ] || fail "show in a read-only mount"
expect_fail 1 'this works on the store: use .*/store/fast' deltafsctl policy set mnt/fast quiet=1
stop_daemon mnt

# What stays as it is does not become the base of others either.
rm -rf store && mkdir -p store/kept
make second --params 300000 --seed 5 --moved 0.02
start_daemon store mnt -o rw,quiet=0
put kept/a.safetensors
compressed kept/a.safetensors
set_policy mnt/kept ingest=off
cp second/tune/model.safetensors mnt/b.safetensors
compressed b.safetensors
is kept/a.safetensors container && [ -z "$(told base mnt/b.safetensors)" ] || fail "a is $(told state mnt/kept/a.safetensors): $(cat "$log")"
stop_daemon mnt
