# SPDX-License-Identifier: GPL-2.0-or-later
# honest_common: what scripts about lossy files share, on top of common.sh: what the mount tells of a file, and that it is what it tells.

settle() { deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest: $(tail -3 "$log")"; }
policy() { deltafsctl policy set "$@" >said 2>&1 || fail "policy set $*: $(cat said)"; }

# exact FILE [ORIGINAL]: it is compressed, and every byte of it is there.
exact() {
	[ "$(told state "$1")" = container ] || fail "$1 is $(told state "$1"): $(told reason "$1") $(tail -3 "$log")"
	[ "$(told exact "$1")" = 1 ] || fail "$1 gave up bits: $(tail -3 "$log")"
	cmp "$1" "${2:-$tune}" || fail "$1 is told to be exact, and has other bytes"
}

# plain FILE [ORIGINAL]
plain() {
	[ "$(told state "$1")" = plain ] && [ "$(told exact "$1")" = 1 ] || fail "$1 is $(told state "$1"), exact=$(told exact "$1")"
	cmp "$1" "${2:-$tune}" || fail "$1 is plain, and has other bytes"
}

# lossy FILE [ORIGINAL]: it gave up bits, says so, and is as long as it was.
lossy() {
	[ "$(told exact "$1")" = 0 ] && [ "$(told state "$1")" = container ] ||
		fail "$1: state=$(told state "$1") exact=$(told exact "$1") $(told reason "$1") $(tail -3 "$log")"
	cmp -s "$1" "${2:-$tune}" && fail "$1 is told to be lossy, and is not"
	[ "$(stat -c %s "$1")" = "$(stat -c %s "${2:-$tune}")" ] || fail "$1 has another size"
}

# small_pair: store/base.safetensors, registered; orig/tune.safetensors, of which one matrix can give up bits. Sets tune.
small_pair() {
	mkdir -p orig store mnt
	python3 - <<-'PY' || fail "make the models"
	import lossy_pairs
	lossy_pairs.pair("orig/base.safetensors", "orig/tune.safetensors", [("model.layers.0.mlp.up_proj.weight", [128, 300], "tuned"),
	    ("model.layers.1.mlp.up_proj.weight", [64, 100], "tuned"), ("model.norm.weight", [300], "tuned")])
	PY
	tune=$PWD/orig/tune.safetensors
	cp orig/base.safetensors store/
	deltafsctl base add store store/base.safetensors >said 2>&1 || fail "base add: $(cat said)"
}

# still_alive: as alive of common.sh, for small_pair.
still_alive() {
	kill -0 "$daemon" 2>/dev/null || fail "the daemon died: $(tail -3 "$log")"
	evict mnt/base.safetensors
	timeout 60 cmp mnt/base.safetensors orig/base.safetensors || fail "a plain file suffers"
}
