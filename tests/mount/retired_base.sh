#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# retired_base: what nobody needs any more is freed, and no pin holds more than its dependants save
# test: timeout=600
. "$(dirname "$0")/common.sh"

for i in 1 2 3; do
	"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --seed 5 --moved 0.0$i orig$i >/dev/null || fail "make_pair"
done
tune() { echo "orig$1/tune/model.safetensors"; }
is() { [ "$(told state "mnt/$1")" = "$2" ]; }
put() { cp "$(tune "$1")" "mnt/$2" || fail "put $2"; }
has_base() { [ "$(told base "mnt/$1")" = "$2" ]; }
coded() { retry 120 is "$1" container && retry 120 has_base "$1" "$2" || fail "$1 over '$2': $(told base "mnt/$1"): $(cat "$log")"; }
right() { cmp "$(tune "$1")" "mnt/$2" || fail "bytes of $2"; }
pins() { find store/.deltafs/pins -type f | wc -l; }
n_pins() { [ "$(pins)" = "$1" ]; }

family() {
	put 1 a.safetensors; coded a.safetensors ""
	put 2 b.safetensors; coded b.safetensors a.safetensors
	put 3 c.safetensors; coded c.safetensors a.safetensors
}
mkdir store mnt
start_daemon store mnt -o rw,quiet=0
family

# Two dependants are worth a base that is gone; what was open reads on.
rm mnt/a.safetensors
right 2 b.safetensors; right 3 c.safetensors
sleep 8
n_pins 1 || fail "$(pins) pins for two dependants"
has_base b.safetensors a.safetensors || fail "b was coded anew"

# One is not: it is coded alone, and the pin goes.
exec 3<mnt/c.safetensors
rm mnt/c.safetensors
stamp=$(stat -c '%i %s %Y %Z' mnt/b.safetensors)
sleep 14
n_pins 1 || fail "the pin went from under an open file"
evict /dev/fd/3
cmp "$(tune 3)" /dev/fd/3 || fail "the removed file that is open"
exec 3<&-
coded b.safetensors ""
right 2 b.safetensors
[ "$(stat -c '%i %s %Y %Z' mnt/b.safetensors)" = "$stamp" ] || fail "b: $stamp became $(stat -c '%i %s %Y %Z' mnt/b.safetensors)"
retry 120 n_pins 0 || fail "the pin of nobody stays: $(cat "$log")"
deltafsctl base list store | grep -q a.safetensors && fail "it is a base still"
right 2 b.safetensors

# All gone, all free; also for what was gone while nobody looked.
rm mnt/b.safetensors
family
rm mnt/b.safetensors mnt/c.safetensors
sleep 7
n_pins 1 || fail "a base that is there lost its pin"
rm mnt/a.safetensors
retry 120 n_pins 0 || fail "nothing is left, but pins: $(cat "$log")"
family
stop_daemon mnt
rm store/*.safetensors
start_daemon store mnt -o rw,quiet=0
retry 120 n_pins 0 || fail "after a remount: $(cat "$log")"
[ -z "$(find store/.deltafs/tmp store/.deltafs/bases -type f)" ] || fail "left over: $(find store/.deltafs -type f)"

# A base that somebody added is his.
mkdir mnt/d && cp "$(tune 1)" mnt/d/model.safetensors
stop_daemon mnt
deltafsctl decode store/d/model.safetensors >/dev/null 2>&1
deltafsctl base add store store/d/model.safetensors >/dev/null || fail "base add"
start_daemon store mnt -o rw,quiet=0
rm -r mnt/d
sleep 7
n_pins 1 || fail "a base that was added by hand is gone: $(cat "$log")"
stop_daemon mnt
