# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_common: what the scripts about codecs that give up bits share: pairs of
# a few small matrices (lossy_pair.py), and what a file of a mount has become.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export PYTHONPATH=$ADVERSARY:$PYTHONPATH

pair() { python3 -c 'import sys, lossy_pair; lossy_pair.pair(*sys.argv[1:3], **eval("dict(" + sys.argv[3] + ")"))' "$1" "$2" "${3:-}" || fail "make $1, $2"; }

encode() { deltafsctl encode --yes "$@" >said 2>&1 || fail "encode $*: $(cat said)"; }
decode() { deltafsctl decode "$@" >said 2>&1 || fail "decode $*: $(cat said)"; }
verify() { deltafsctl verify "$@" >said 2>&1 || fail "verify $*: $(cat said)"; }
policy() { deltafsctl policy "$@" >said 2>&1 || fail "policy $*: $(cat said)"; }

# of_json EXPRESSION: of the object o on standard input, by Python.
of_json() { python3 -c 'import json, sys; o = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

settle() { deltafsctl wait --timeout 240 "${1:-mnt}" >said 2>&1 || fail "it did not come to rest: $(cat said) $(tail -3 "$log")"; }
describe() { echo "$1: state $(told state "$1"), exact $(told exact "$1"), reason $(told reason "$1"); $(grep -- "${1##*/}" "$log" | tail -1)"; }
# is_lossy FILE, is_exact FILE ORIGINAL: at rest in a mount, and what it says of itself is so.
is_lossy() { [ "$(told state "$1")" = container ] && [ "$(told exact "$1")" = 0 ] && [ "$(deltafsctl info --json "$1" | of_json "o['exact']")" = False ]; }
is_exact() { [ "$(told exact "$1")" = 1 ] && cmp -s "$1" "$2"; }

# store_of BASE: a store whose one base that file is.
store_of() {
	mkdir -p store/base mnt && cp "$1" store/base/model.safetensors
	deltafsctl base add store store/base >said 2>&1 || fail "base add: $(cat said)"
}
