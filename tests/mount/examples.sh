#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# examples: the sessions in examples/ run, show what they say, and leave nothing, beside the sources and away from them
# test: nosan
. "$(dirname "$0")/common.sh"

mkdir room
export TMPDIR=$DFS_TMP/room PYTHON=${DFS_PYTHON:-python3}
left_nothing() {
	[ -z "$(ls -A room)" ] && [ -z "$(mounts_below "$DFS_TMP")" ] ||
		fail "$1 left: $(ls -A room; mounts_below "$DFS_TMP")"
}
# example LINE...: the command in $session; it shows each LINE (extended, one line).
example() {
	local line
	"${session[@]}" >shown 2>&1 || fail "${session[*]}: status $?: $(cat shown)"
	for line; do
		grep -Eq -- "$line" shown || fail "${session[*]} shows no '$line': $(cat shown)"
	done
	left_nothing "${session[*]}"
}
# times COUNT LINE: how often it was shown.
times() { [ "$(grep -Ec -- "$2" shown)" = "$1" ] || fail "not $1 times '$2': $(cat shown)"; }

session=("$DFS_SRC/examples/cp_to_compress.sh")
example 'compressed since then: 1 file' 'the same bytes' '^772[[:space:]]' 'decoded by hand'
times 2 '^mnt/tuned.safetensors: 768 KiB -> [0-9]+ KiB \([3-9]\.[0-9]+x\), base'

session=("$DFS_SRC/examples/hub_cache.sh")
example '^plain +768 KiB .*models--example--base/snapshots' \
	'^compressed +768 KiB .*models--example--tuned1/' '^compressed +768 KiB .*models--example--tuned2/'
times 4 '^the same bytes'
if "$PYTHON" -c 'import huggingface_hub' 2>/dev/null; then
	grep -q '^3 repositories, .* 0 warnings' shown || fail "huggingface_hub: $(cat shown)"
fi

# The base is fetched, and so are transformers where Python has none: minutes, which no test is to take.
if "$PYTHON" -c 'import torch, transformers' 2>/dev/null; then
	session=("$DFS_SRC/examples/tiny_model.sh" "a large animal with a trunk and tusks" "a device for measuring temperature")
	example '^ +noun.animal [5-9][0-9]%' '^ +noun.artifact [5-9][0-9]%' '^state +compressed, lossy' '^44M[[:space:]]mnt/wordnet'
	awk '/^[0-9]+K\tmnt\/wordnet$/ { found = $1 + 0 < 1000 } END { exit !found }' shown || fail "not below 1 MB: $(cat shown)"
fi

session=(python3 "$DFS_SRC/examples/training_loop.py" --checkpoints 5)
# One of the two may be the base, where the loop outran the background.
example '^step 200: .* checkpoints 160, 200$' 'what is there is what was saved' 'queue: empty' \
	'^compressed .*/checkpoint-(160|200)/model.safetensors'

# Into a mount of somebody's own.
mkdir store mnt
start_daemon store mnt -o rw,quiet=0
python3 "$DFS_SRC/examples/training_loop.py" --checkpoints 3 mnt >shown 2>&1 || fail "into a mount: $(cat shown)"
[ "$(cd mnt && echo *)" = "checkpoint-120 checkpoint-80" ] || fail "kept: $(ls mnt)"
stop_daemon mnt

# With files of one's own, by relative names; a wrong call.
"$DFS_BUILD/tests/tools/make_pair" --params 300000 pair >/dev/null || fail "make_pair"
session=("$DFS_SRC/examples/cp_to_compress.sh" pair/base/model.safetensors pair/tune/model.safetensors)
example 'the same bytes'
expect_fail 2 'usage: examples/cp_to_compress.sh' "$DFS_SRC/examples/cp_to_compress.sh" one
left_nothing "a wrong call"

# Stopped in the midst as by ^C, with what it runs: as soon as it is mounted, and while it encodes.
"$DFS_BUILD/tests/tools/make_pair" --params 20000000 big >/dev/null || fail "make_pair"
in_work() { [ -n "$(find room/*/store/.deltafs/tmp -type f -size +100k 2>/dev/null)" ]; }
# stopped_at MOMENT: false if it was through before it could be stopped.
stopped_at() {
	: >shown
	setsid "$DFS_SRC/examples/cp_to_compress.sh" big/base/model.safetensors big/tune/model.safetensors >shown 2>&1 & stopped=$!
	retry 30 $1 || fail "no '$1': $(cat shown)"
	kill -- -"$stopped" 2>/dev/null
	! wait "$stopped"
}
for moment in "grep -q is.shown.at shown" in_work; do
	for try in 1 2 3 4 5; do
		stopped_at "$moment" && break
		[ $try != 5 ] || fail "it ran to its end, five times"
	done
	left_nothing "one that was stopped"
done
python3 "$DFS_SRC/examples/training_loop.py" --checkpoints 1000 >shown 2>&1 & stopped=$!
retry 30 grep -q '^step 80' shown || fail "the loop did not begin: $(cat shown)"
kill "$stopped"
wait "$stopped" && fail "the loop ran to its end"
left_nothing "a loop that was stopped"

# Installed, away from the sources. A build tree need not hold what "make install" needs: see tests/build/install.sh.
mkdir bin && cp "$DFS_BUILD/mount-tools/deltafs" "$DFS_BUILD/mount-tools/deltafsctl" bin/ || fail "cp"
cp -r "$DFS_SRC/examples" copied
PATH=$DFS_TMP/bin:/usr/bin:/bin:/usr/sbin:/sbin
for copy in copied/cp_to_compress.sh copied/training_loop.py; do
	session=("$copy")
	example 'queue: empty'
done
