#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# control_all: encode -r on a mounted store: all is queued at once, each by who may, and the daemon ends it though its client or itself was killed
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
state() { told state "mnt/$1"; }
names=$(echo {a..p})

# fill: models that were there before the mount, what is none, and what no name tells to be finished.
fill() {
	mkdir -p store/dir/deep
	for name in $names; do cp orig/tune/model.safetensors store/dir/deep/$name.safetensors; done
	head -c 100000 /dev/urandom >store/dir/noise.safetensors
	echo text >store/dir/readme.txt
	cp orig/tune/model.safetensors store/dir/x.safetensors.part
}
# begun FILE: the first result is told there.
begun() { grep -q ' -> ' "$1"; }

make_store --params 1000000 --hidden 256 --seed 81
fill
chmod 755 . store
is_root && allow=,allow_other || allow=
start_daemon store mnt -o rw,quiet=1$allow

# --- by its path in the store, which is said; what stays is counted, and said where it was named
run deltafsctl encode -r store/dir
grep -q 'is mounted: its daemon compresses it, as .*/mnt/dir' said || fail "no note of the mount: $(cat said)"
[ "$(grep -c ' -> .*x), base' said)" = 16 ] || fail "encode -r of the store: $(cat said)"
grep -q '^19 files: 16 compressed, 3 left, 0 failed' said || fail "totals: $(cat said)"
for name in $names; do [ "$(state dir/deep/$name.safetensors)" = container ] || fail "$name is plain"; done
[ "$(state dir/x.safetensors.part)" = plain ] || fail "an unfinished file was compressed"
run deltafsctl encode -r --json mnt/dir
cp said told
[ "$(member told 'sorted((f["result"], f["reason"]) for f in o["files"])[0], o["total"]["left"], o["total"]["failed"]')" = \
	"(('left', 'compressed already'), 19, 0)" ] || fail "once more: $(cat told)"
run deltafsctl encode mnt/dir/noise.safetensors mnt/dir/readme.txt
[ "$(grep -c 'left as it is' said)" = 2 ] || fail "by name: $(cat said)"

# --- a client that is interrupted has asked for all
run deltafsctl decode -r mnt/dir
deltafsctl encode -r store/dir >interrupted 2>&1 &
client=$!
retry 20 begun interrupted || fail "nothing is compressed: $(cat interrupted)"
kill -INT $client
wait $client && fail "an interrupted client ends well: $(cat interrupted)"
run deltafsctl wait --timeout 240 mnt
for name in $names; do [ "$(state dir/deep/$name.safetensors)" = container ] || fail "$name is plain after the client was interrupted: $(cat interrupted)"; done

# --- as somebody else: his own, and not the others'
if is_root; then
	run deltafsctl decode -r mnt/dir
	chown 65534 store/dir/deep/b.safetensors mnt/dir/deep/b.safetensors
	chmod 755 store/dir store/dir/deep
	as 65534 deltafsctl encode -r mnt/dir >said 2>&1 && fail "a stranger's encode -r succeeded: $(cat said)"
	[ "$(grep -c 'not yours to change' said)" = 15 ] || fail "files of others: $(cat said)"
	[ "$(state dir/deep/a.safetensors) $(state dir/deep/b.safetensors)" = "plain container" ] || fail "by a stranger: $(cat said)"
fi

# --- the daemon is killed: its client says so, the store is sound, and the next daemon goes on
run deltafsctl decode -r mnt/dir
deltafsctl encode -r mnt/dir >killed 2>&1 &
client=$!
retry 20 begun killed || fail "nothing is compressed: $(cat killed)"
kill -9 "$(daemon_pid)"
wait $client && fail "encode succeeded without a daemon: $(cat killed)"
wait "$daemon" 2>/dev/null
umount -l mnt 2>/dev/null || fusermount3 -u -z mnt
run deltafsctl verify -r store
start_daemon store mnt -o rw,quiet=1
run deltafsctl wait --timeout 240 mnt
run deltafsctl encode -r mnt/dir
for name in $names; do
	[ "$(state dir/deep/$name.safetensors)" = container ] || fail "$name is plain in the end"
	same mnt/dir/deep/$name.safetensors orig/tune/model.safetensors
done
stop_daemon mnt
run deltafsctl verify -r store
clean store
