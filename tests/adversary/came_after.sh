#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# came_after: promise 1, a policy that gives up bits holds for files that come after it and for no others: not for what is being written or waits, what is moved in, thawed, decoded, emptied, linked or dated anew, whatever is written into its record by hand, and however often the daemon starts.
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

# By name, at once, and as the policy says.
encode() { deltafsctl encode "$@" >said 2>&1 || fail "encode $*: $(cat said)"; }

small_pair
start_daemon store mnt -o rw,quiet=0
mkdir mnt/d mnt/other

# Before: compressed, plain by policy, being written, waiting.
cp "$tune" mnt/d/compressed && cp "$tune" mnt/d/decoded && cp "$tune" mnt/d/written
settle
policy mnt/d ingest=off
cp "$tune" mnt/d/plain && cp "$tune" mnt/d/dated && cp "$tune" mnt/d/emptied && cp "$tune" mnt/other/moved && cp "$tune" mnt/d/copied
settle
plain mnt/d/plain
policy mnt/d ingest=on quiet=600
exec 5>mnt/d/open && head -c 50000 "$tune" >&5
cp "$tune" mnt/d/waits
policy mnt/d codec=bitdelta quiet=0
tail -c +50001 "$tune" >&5
exec 5>&-
touch -d 2099-01-01 mnt/d/dated
: >mnt/d/emptied && cat "$tune" >mnt/d/emptied
mv mnt/other/moved mnt/d/moved
deltafsctl decode mnt/d/decoded >said 2>&1 || fail "decode: $(cat said)"
last=$(($(stat -c %s "$tune") - 1))
for name in decoded written; do tail -c 1 "$tune" | dd of=mnt/d/$name bs=1 seek=$last conv=notrunc status=none; done
encode mnt/d/plain mnt/d/dated mnt/d/moved mnt/d/copied mnt/d/decoded
settle
for name in compressed decoded written plain dated emptied moved open waits copied; do
	exact mnt/d/$name
done

# What comes now: by a copy, by a rename over an older name, by a copy of an older file.
cp "$tune" mnt/d/new && cp "$tune" mnt/d/.tmp && mv mnt/d/.tmp mnt/d/plain && cp mnt/d/compressed mnt/d/copied.new
settle
for name in new plain copied.new; do lossy mnt/d/$name; done
shown=$(sha256sum <mnt/d/new)

# In flight when the policy changes: neither the one nor the other gives up bits.
for change in "codec=exact" "codec=ultradelta" "codec=bitdelta:scale=column"; do
	policy mnt/d codec=bitdelta quiet=600
	cp "$tune" mnt/d/between
	policy mnt/d "$change" quiet=0
	settle
	exact mnt/d/between
	rm mnt/d/between
done
policy mnt/d codec=bitdelta quiet=600
cp "$tune" mnt/d/between
deltafsctl policy unset mnt/d codec quiet >/dev/null || fail "policy unset"
settle
exact mnt/d/between
rm mnt/d/between

# A word that changes nothing takes nothing back: it waits, and gives up bits. So it does if the daemon dies meanwhile.
policy mnt/d codec=bitdelta quiet=600
cp "$tune" mnt/d/again && cp "$tune" mnt/d/died && sync mnt/d/died mnt/d
policy mnt/d codec=bitdelta
kill -9 "$daemon"; wait "$daemon" 2>/dev/null; umount -l mnt
start_daemon store mnt -o rw,quiet=0
policy mnt/d quiet=0
settle
lossy mnt/d/again && lossy mnt/d/died
# As the option of a mount: for what came since.
policy mnt/d codec=exact quiet=3600
cp "$tune" mnt/other/plain
settle
policy mnt/other ingest=off && cp "$tune" mnt/other/before && settle && policy mnt/other ingest=on existing=on
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0,codec=bitdelta
encode mnt/other/before
exact mnt/other/before && exact mnt/other/plain
cp "$tune" mnt/other/since && settle && lossy mnt/other/since
cp "$tune" mnt/d/named && policy mnt/d quiet=0 && settle && exact mnt/d/named

# A record that somebody wrote by hand is no word of his where it is nonsense; and never for what was there.
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
policy mnt/other ingest=off
n=0
for record in 'codec=bitdelta' 'codec=bitdelta\nsince=' 'codec=bitdelta\nsince=-1' 'codec=bitdelta\nsince=99999999999999999999' \
	'codec=bitdelta\nsince=0x0' 'since=0' 'codec=exact\nsince=0' 'codec=bitdelta:scale=banana\nsince=0\nexisting=on' \
	'codec=nonsense' 'codec=' 'codec=bitdelta\x01\nsince=0' ' codec=bitdelta\nsince=0' 'CODEC=bitdelta\nsince=0'; do
	mkdir mnt/by_hand$n && cp "$tune" mnt/other/there || fail "cp"
	# shellcheck disable=SC2059  # it has escapes
	printf "$record\nexisting=on\n" >record
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.deltafs.policy", open("record", "rb").read())' store/by_hand$n || fail "setxattr"
	mv mnt/other/there mnt/by_hand$n/there
	deltafsctl policy show mnt/by_hand$n >said 2>&1 || [ $? = 1 ] || fail "policy show of '$record': $(cat said)"
	n=$((n + 1))
done
encode mnt/by_hand*/there
for ((i = 0; i < n; i++)); do exact mnt/by_hand$i/there; done
[ $n = 13 ] || fail "only $n records were tried"
[ "$(sha256sum <mnt/d/new)" = "$shown" ] || fail "a lossy file became another one"
still_alive
stop_daemon mnt
