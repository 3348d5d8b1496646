#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writers_download: what curl, wget and aria2 download into a mount that compresses at once, cut off, killed and resumed, is what the server has
# test: timeout=900 asan nowriteback
. "$(dirname "$0")/writers_common.sh"
need curl wget aria2c python3

given_writable
python3 "$DFS_SRC/tests/clients/writer_server.py" orig port &
server=$!
at_end "kill $server 2>/dev/null"
retry 30 test -s port || fail "no server"
url=http://127.0.0.1:$(cat port)
file=tune/model.safetensors half=$(($(stat -c %s $TUNE) / 2))
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

# An unfinished file at its own name: half of it is there, and nothing compresses that.
is_half() {
	[ "$(stat -c %s "mnt/$1")" = "$half" ] && cmp -n "$half" $TUNE "mnt/$1" || fail "$1: it is $(stat -c %s "mnt/$1") bytes long"
	settle "half of $1"
	[ "$(told state "mnt/$1")" = plain ] || fail "half of $1 was compressed"
}

curl -sf -o mnt/curl "$url/whole/$file" && wrote curl $TUNE || fail curl
expect_fail 18 '' curl -sSf -o mnt/curl-again "$url/cut/$file"
is_half curl-again
curl -sf -C - -o mnt/curl-again "$url/whole/$file" && wrote curl-again $TUNE || fail "curl -C -"
curl -sf --remote-time -N -o mnt/curl "$url/whole/next/model.safetensors" && wrote curl $NEXT || fail "curl over a file"

export HOME=$DFS_TMP
wget -q -O mnt/wget "$url/whole/$file" && wrote wget $TUNE || fail wget
mkdir mnt/w && ! wget -q -t 1 -P mnt/w "$url/cut/$file" || fail "wget did not see that it was cut off"
is_half w/model.safetensors
wget -q -c -P mnt/w "$url/whole/$file" && wrote w/model.safetensors $TUNE || fail "wget -c"
# It goes on by itself.
wget -q -t 3 -w 0 --waitretry=0 -O mnt/wget-retry "$url/cut/$file" && wrote wget-retry $TUNE || fail "wget that retries"

# aria2: every way to make room, whole, and killed halfway and gone on with.
aria() {
	aria2c --no-conf -q --auto-save-interval=1 --disk-cache=0 --summary-interval=0 --allow-overwrite=true \
		--auto-file-renaming=false -x4 -s4 -k1M -d mnt "$@"
}
asked_half() { [ -s "mnt/$1.aria2" ] && [ "$(du -B1 --apparent-size "mnt/$1" | cut -f1)" -ge "$half" ]; }
for mode in none prealloc trunc falloc; do
	aria --file-allocation=$mode -o "aria-$mode" "$url/whole/$file" && wrote "aria-$mode" $TUNE || fail "aria2 $mode"
	aria --file-allocation=$mode -o "killed-$mode" "$url/stall/$file" &
	killed=$!
	retry 30 asked_half "killed-$mode" || fail "aria2 $mode does not begin: $(ls -l mnt)"
	kill -KILL "$(pgrep -P $killed -x aria2c || echo $killed)"
	! wait $killed 2>/dev/null || fail "aria2 $mode was done too soon"
	[ "$(told state "mnt/killed-$mode")" = plain ] && ! cmp -s $TUNE "mnt/killed-$mode" || fail "aria2 $mode: nothing was cut off"
done
for mode in none prealloc trunc falloc; do
	[ "$(told state "mnt/killed-$mode")" = plain ] || fail "aria2 $mode: an unfinished file was compressed"
	aria -c --file-allocation=$mode -o "killed-$mode" "$url/whole/$file" && wrote "killed-$mode" $TUNE || fail "aria2 -c $mode"
	[ ! -e "mnt/killed-$mode.aria2" ] || fail "aria2 -c $mode left its notes"
done
all_stays
