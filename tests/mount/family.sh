#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# family: the first of its family is coded alone; when a second comes, the first becomes its base, and nobody sees it
# test: timeout=600
. "$(dirname "$0")/common.sh"

# Three fine-tunes of one model that is not there: little of each has moved.
for i in 1 2 3; do
	"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --seed 5 --moved 0.0$i orig$i >/dev/null || fail "make_pair"
done
tune() { echo "orig$1/tune/model.safetensors"; }
is() { [ "$(told state "mnt/$1/model.safetensors")" = "$2" ]; }
stamp() { stat -c '%i %s %Y %Z %h %a %u %g' "mnt/$1/model.safetensors"; }
put() {
	mkdir -p "mnt/$2" && cp "$(tune "$1")" "mnt/$2/part" && mv "mnt/$2/part" "mnt/$2/model.safetensors" || fail "put $2"
	size=$(stat -c %s "$(tune "$1")")
}
compressed() { retry 120 is "$1" container || fail "$1 is not compressed: $(cat "$log")"; }
right() { cmp "$(tune "$1")" "mnt/$2/model.safetensors" || fail "bytes of $2"; }

mkdir store mnt
start_daemon store mnt -o rw,quiet=0
put 1 a
before=$(stamp a)
compressed a
[ -z "$(told base mnt/a/model.safetensors)" ] || fail "the first has a base"
alone=$(told stored_bytes mnt/a/model.safetensors)
[ "$alone" -lt $((size * 9 / 10)) ] || fail "alone it takes $alone of $size"
[ "$(stamp a)" = "$before" ] || fail "compressed: $before became $(stamp a)"

# Somebody has the first open, and mapped, while it becomes a base.
exec 3<mnt/a/model.safetensors
head -c 100000 <&3 | cmp - <(head -c 100000 "$(tune 1)") || fail "the open first"
put 2 b
before_b=$(stamp b)
compressed b
[ "$(told base mnt/b/model.safetensors)" = a/model.safetensors ] || fail "base of b: $(told base mnt/b/model.safetensors)"
stored=$(told stored_bytes mnt/b/model.safetensors)
[ "$stored" -lt $((size / 4)) ] || fail "the second takes $stored of $size"
is a plain || fail "the first is $(told state mnt/a/model.safetensors)"
[ "$(stamp a)" = "$before" ] || fail "as a base: $before became $(stamp a)"
[ "$(stamp b)" = "$before_b" ] || fail "the second: $before_b became $(stamp b)"
cmp <(tail -c +100001 "$(tune 1)") <(cat <&3) || fail "the open first, after it became a base"
exec 3<&-
right 1 a; right 2 b
deltafsctl base list store | grep -q a/model.safetensors || fail "base list: $(deltafsctl base list store)"
grep -q 'a/model.safetensors: is plain now: a base of its family' "$log" || fail "the log says nothing of it: $(cat "$log")"

put 3 c
compressed c
[ "$(told base mnt/c/model.safetensors)" = a/model.safetensors ] || fail "base of c"
right 3 c
is a plain || fail "the base is compressed"

# A base stays what it was for those who depend on it.
cp "$(tune 3)" mnt/a/model.safetensors
right 2 b; right 3 c; right 3 a
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
right 2 b; right 3 c; right 3 a
stop_daemon mnt

# After a remount the first is found by looking into the store.
rm -rf store && mkdir store
start_daemon store mnt -o rw,quiet=0
put 1 a; compressed a
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
mv mnt/a mnt/d
put 2 b; compressed b
[ "$(told base mnt/b/model.safetensors)" = d/model.safetensors ] || fail "base of b: $(told base mnt/b/model.safetensors): $(cat "$log")"
right 1 d; right 2 b

# Renamed since it was compressed.
stop_daemon mnt
rm -rf store && mkdir store
start_daemon store mnt -o rw,quiet=0
put 1 a; compressed a
mkdir mnt/deep; mv mnt/a mnt/deep/a
put 2 b; compressed b
[ "$(told base mnt/b/model.safetensors)" = deep/a/model.safetensors ] || fail "base of b: $(told base mnt/b/model.safetensors): $(cat "$log")"
right 1 deep/a; right 2 b

# While somebody may write to it, a first is no base.
stop_daemon mnt
rm -rf store && mkdir store
start_daemon store mnt -o rw,quiet=0
put 1 a; compressed a
exec 3<>mnt/a/model.safetensors
put 2 b; compressed b
is a container || fail "it became plain under a writer"
[ -z "$(told base mnt/b/model.safetensors)" ] || fail "the second has a base"
exec 3<&-

# Once it is free, the third finds both, and those that were alone are coded anew.
put 3 c; compressed c
retry 120 is b container
base_of_c=$(told base mnt/c/model.safetensors)
[ -n "$base_of_c" ] || fail "the third has no base: $(cat "$log")"
both_but_one() { [ "$(for x in a b; do told base mnt/$x/model.safetensors; done)" = "$base_of_c" ]; }
retry 120 both_but_one || fail "a: $(told base mnt/a/model.safetensors), b: $(told base mnt/b/model.safetensors): $(cat "$log")"
right 1 a; right 2 b; right 3 c
stop_daemon mnt
