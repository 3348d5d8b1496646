#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# control_import: import into a mounted store: the same container, if its base is there; else nothing
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
left() { find mnt store -path store/.deltafs -prune -o -type f -newer mark -print | sort -u; }

make_store --params 1000000 --hidden 256 --seed 97
make_pair --params 1000000 --hidden 256 --seed 98 --shards 2 far
tune=orig/tune/model.safetensors
mkdir there && cp -r far/base far/tune there/
run deltafsctl base add there there/base
run deltafsctl encode -r there
for i in 1 2; do run deltafsctl export there/tune/model-0000$i-of-00002.safetensors -o far-$i.dfs; done
run deltafsctl export store/tune/model.safetensors -o one.dfs
deltafsctl encode "$tune" -o alone.dfs >said 2>&1 || fail "encode -o: $(cat said)"
chmod 755 . store far far/base
is_root && allow=,allow_other || allow=
start_daemon store mnt -o rw,quiet=1$allow

# --- its base is there: the same container, wherever DEST is named
mkdir mnt/in
run deltafsctl import one.dfs mnt/in/one.safetensors
grep -q 'which is here' said || fail "import said $(cat said)"
[ "$(told state mnt/in/one.safetensors)" = container ] || fail "imported, and plain: $(cat said)"
same mnt/in/one.safetensors "$tune"
same store/in/one.safetensors one.dfs
run deltafsctl import --json one.dfs alone.dfs store/in
cp said told
[ "$(member told '[(f["path"], [b["present"] for b in f["bases"]]) for f in o["files"]]')" = "[('one.dfs', [True]), ('alone.dfs', [])]" ] ||
	fail "import --json: $(cat told)"
same store/in/one.dfs one.dfs
same mnt/in/alone.dfs "$tune"
expect_fail 1 'exists already' deltafsctl import one.dfs mnt/in
expect_fail 2 'no directory' deltafsctl import one.dfs alone.dfs mnt/none

# --- it is not, or the container is no sound one: nothing is left
touch mark
sleep 0.1
expect_fail 1 'MISSING here|until its base is there' deltafsctl import far-1.dfs mnt/in
cp one.dfs bad.dfs
printf X | dd of=bad.dfs bs=1 seek=5000 conv=notrunc status=none
expect_fail 1 'damaged' deltafsctl import bad.dfs mnt/in
expect_fail 1 'plain' deltafsctl import "$tune" mnt/in
expect_fail 1 'No such file' deltafsctl import one.dfs mnt/nowhere/one
[ -z "$(left)" ] || fail "left behind: $(left)"
run deltafsctl base add mnt far/base
run deltafsctl import far-1.dfs far-2.dfs mnt/in
for i in 1 2; do
	same mnt/in/far-$i.dfs far/tune/model-0000$i-of-00002.safetensors
	same store/in/far-$i.dfs far-$i.dfs
done

# --- as somebody else, where he may write; a base that he may not read is none for him
if is_root; then
	chmod 700 store/.deltafs && mkdir mnt/his && chown 65534 mnt/his && chmod 755 mnt/his store/base
	chmod 644 store/base/model.safetensors one.dfs far-1.dfs
	as 65534 deltafsctl import one.dfs mnt/his >said 2>&1 || fail "import by a user: $(cat said)"
	[ "$(told state mnt/his/one.dfs) $(stat -c %u mnt/his/one.dfs)" = "container 65534" ] || fail "by a user: $(cat said)"
	touch mark
	sleep 0.1
	expect_fail 1 'until its base is there|is another one' as 65534 deltafsctl import far-1.dfs mnt/his
	expect_fail 1 'denied' as 65534 deltafsctl import one.dfs mnt/in/denied
	[ -z "$(left)" ] || fail "left behind: $(left)"
fi
stop_daemon mnt

# --- killed in the middle: the file is there, whole, or not at all
caught=0
for seconds in 0.02 0.06 0.12 0.2; do
	start_daemon store mnt -o rw,quiet=1
	deltafsctl import one.dfs "mnt/killed-$seconds" >client 2>&1 &
	client=$!
	sleep $seconds
	kill -9 "$(daemon_pid)"
	wait $client || caught=$((caught + 1))
	{ wait "$daemon"; } 2>/dev/null
	! is_mounted mnt || umount -l mnt 2>/dev/null || fusermount3 -u -z mnt
	run deltafsctl verify -r store
	[ ! -e "store/killed-$seconds" ] || { rm -f back && run deltafsctl decode "store/killed-$seconds" -o back && same back "$tune"; }
done
[ $caught -gt 0 ] || fail "no import was cut short: this proves nothing"
rm -f store/.killed-*

# --- a daemon that compresses nothing
start_daemon store mnt -o rw,noingest
run deltafsctl import one.dfs mnt/plain.safetensors
grep -q 'noingest.*stays plain' said || fail "import with noingest: $(cat said)"
same mnt/plain.safetensors "$tune"
stop_daemon mnt
run deltafsctl verify -r store
clean store
