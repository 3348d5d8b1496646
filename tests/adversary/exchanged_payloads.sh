#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exchanged_payloads: promise 2: payloads of two chunks trade places, their own hashes left or made to fit.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
forge exchange store/tune/model.safetensors store/fitted fit
cp orig/tune/model.safetensors opaque && head -c 1000000 opaque >random
forge wrap random wrapped
forge exchange wrapped store/as-is
start_daemon store mnt
pages mnt/fitted orig/tune/model.safetensors
[ "$wrong" = 0 ] && [ "$refused" -gt 0 ] && [ "$right" -gt 0 ] || fail "fitted: right $right refused $refused wrong $wrong"
pages mnt/as-is random
[ "$wrong" = 0 ] && [ "$refused" -gt 0 ] && [ "$right" -gt 0 ] || fail "as is: right $right refused $refused wrong $wrong"
grep -Eq 'fitted: .*(chunk|tensor)' "$log" || fail "the log names no chunk: $(cat "$log")"
alive
stop_daemon mnt
