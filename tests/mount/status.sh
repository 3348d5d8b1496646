#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# status: what deltafsctl status tells: never looked at, refused, could not be read, also after a restart
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"	# run, size, member

says() { run deltafsctl status mnt; grep -Eq -- "$1" said; }
expect() { says "$1" || fail "status does not say '$1': $(cat said)"; }
never() { run deltafsctl status mnt; if grep -Eq -- "$1" said; then fail "status says '$1': $(cat said)"; fi; }
# tells EXPRESSION: of status --json.
tells() { run deltafsctl status --json mnt; cp said told; member told "$1"; }

make_store --params 300000 --hidden 256 --seed 7
tune=orig/tune/model.safetensors
mkdir store/old
cp "$tune" store/old/a.safetensors
cp "$tune" store/old/b.safetensors
cp "$tune" store/old/c.safetensors.part
echo text >store/old/readme

# --- never looked at: what encode -r would take, and no more
start_daemon store mnt -o rw,quiet=1
expect "^never looked at: 2 model files, .*; deltafsctl encode -r .*/mnt$"
[ "$(tells '[o["survey"]["unseen_files"], o["survey"]["unseen_bytes"], o["survey"]["complete"], o["errors"]]')" = \
	"[2, $((2 * $(size "$tune"))), True, []]" ] || fail "survey: $(cat told)"
[ "$(told reason_word mnt/old/a.safetensors)" = existing ] || fail "word: $(told reason_word mnt/old/a.safetensors)"
[ -z "$(told reason_word mnt/tune/model.safetensors)" ] || fail "word of a container: $(told reason_word mnt/tune/model.safetensors)"
[ "$(told reason_word mnt/base/model.safetensors)" = base ] || fail "word of a base: $(told reason_word mnt/base/model.safetensors)"
run deltafsctl encode -r mnt
never 'never looked at'
cp "$tune" behind; mv behind store/old/behind.safetensors	# behind the mount
expect '^never looked at: 1 model file, '
rm mnt/old/behind.safetensors
never 'never looked at'

# --- refused: by name, the models first, and the others in numbers; also after a restart
for i in $(seq 12); do echo "$i" >"mnt/note$i.txt"; done
ln mnt/old/readme mnt/old/same
run deltafsctl decode mnt/old/a.safetensors
run deltafsctl wait --timeout 30 mnt
for round in 1 2; do
	expect '^left as they are:$'
	expect '^  old/a.safetensors: decoded by hand; deltafsctl encode FILE'
	expect '^  note[0-9]+.txt: not safetensors: '
	expect '^  5 more: not safetensors'
	never 'old/c.safetensors.part: never|old/readme'
	[ "$(tells '[o["survey"]["refused"]["by-hand"], o["survey"]["refused"]["not-safetensors"], len(o["survey"]["refused_files"])]')" = \
		"[1, 12, 9]" ] || fail "survey: $(cat told)"
	stop_daemon mnt
	start_daemon store mnt -o rw,quiet=1
done
mkdir mnt/many
for i in $(seq 1500); do echo "$i" >"mnt/many/$i.txt"; done
run deltafsctl wait --timeout 120 mnt
stop_daemon mnt
start_daemon store mnt -o rw,quiet=1
# A walk of two seconds sees all of them, but on a machine that has much else to do: then it says so.
case $(tells '[o["survey"]["complete"], o["survey"]["refused"]["not-safetensors"]]') in
"[True, 1512]") ;;
"[False, "*) expect '^  at least [0-9]+ more: not safetensors' ;;
*) fail "survey of many: $(cat told)" ;;
esac
[ -n "$DFS_SAN" ] || [ "$(awk '/VmRSS/ { print $2 }' "/proc/$(daemon_pid)/status")" -lt 200000 ] || fail "memory: $(grep VmRSS "/proc/$(daemon_pid)/status")"
rm -r mnt/note*.txt mnt/many
never 'note|not safetensors'
run deltafsctl encode mnt/old/a.safetensors
never 'left as they are'

# --- what could not be read: which, why, how often, until it is another file
coded=store/tune/model.safetensors
flip "$coded" $(($(size "$coded") / 2))
cp mnt/tune/model.safetensors got 2>/dev/null && fail "a damaged container was read"
expect '^could not be read:$'
expect '^  tune/model.safetensors: .* \([0-9]+ times?\)$'
[ "$(tells '[(e["path"], e["count"] > 0) for e in o["errors"]]')" = "[('tune/model.safetensors', True)]" ] || fail "errors: $(cat told)"
mv mnt/tune mnt/tuned
never 'could not be read'
dd if=mnt/tuned/model.safetensors of=/dev/null bs=1M status=none 2>/dev/null && fail "renamed, and read"
expect '^  tuned/model.safetensors: '
cp "$tune" mnt/tuned/model.safetensors 2>/dev/null || { rm mnt/tuned/model.safetensors; cp "$tune" mnt/tuned/model.safetensors; }
never 'could not be read'
stop_daemon mnt

# --- read-only: nothing is refused, errors are told
coded=store/old/b.safetensors
flip "$coded" $(($(size "$coded") / 2))
start_daemon store mnt
cat mnt/old/b.safetensors >/dev/null 2>&1 && fail "a damaged container was read"
expect '^  old/b.safetensors: '
never 'left as they are|never looked at'
stop_daemon mnt

# --- watched: one screen a second
start_daemon store mnt -o rw,quiet=600
cp "$tune" mnt/new.safetensors
deltafsctl status --watch mnt >watched 2>&1 &
watch=$!
two_screens() { [ "$(grep -c 'shows .*read-write' watched)" -ge 2 ]; }
retry 30 two_screens || fail "watch: $(cat watched)"
kill $watch && wait $watch 2>/dev/null
grep -q 'new.safetensors' watched || fail "watch without what waits: $(cat watched)"
stop_daemon mnt
