#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mounted_again: promise 5: a daemon that was unmounted lazily and lives on for an open file leaves the next one's mount alone when it ends.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
detach() { umount -l mnt 2>/dev/null || fusermount3 -uz mnt; }
for signal in TERM HUP; do
	start_daemon store mnt
	old=$daemon
	exec 3<mnt/tune/model.safetensors
	detach || fail "umount -l"
	kill -0 "$old" || fail "it does not live on: this proves nothing"
	start_daemon store mnt
	kill -$signal "$old"
	wait "$old" || fail "SIG$signal: status $?"
	exec 3<&-
	is_mounted mnt || fail "the old daemon unmounted what the new one had mounted"
	alive
	cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "wrong bytes"
	stop_daemon mnt
done

# Nothing else is mounted there: it ends as ever.
start_daemon store mnt
exec 3<mnt/tune/model.safetensors
detach || fail "umount -l"
kill -TERM "$daemon"
wait "$daemon" || fail "status $?"
exec 3<&-
is_mounted mnt && fail "something is mounted"
exit 0
