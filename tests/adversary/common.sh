# SPDX-License-Identifier: GPL-2.0-or-later
# common: what the adversary's scripts share. Each takes one promise of the
# design, named in its head, and tries to have it broken.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/share.sh"
DFS_WRAP=$PWD/own_share

ADVERSARY=$DFS_SRC/tests/adversary
export PYTHONPATH=$ADVERSARY:$DFS_SRC/tests/corpus:$DFS_SRC/tests/ref

# Small, but of several chunks and shards of tensors.
given_pair() { make_store --params 400000 --hidden 256 --vocab 512 --seed "${1:-1}"; }

forge() { python3 "$ADVERSARY/forge.py" "$@" || fail "forge $*"; }

# hammer SECONDS FILE VERSION...: eight readers, each whole pass must equal one
# VERSION or be refused. Sets right, refused, wrong; "wrong" is a byte nobody wrote.
hammer() {
	read -r right refused wrong < <(python3 "$ADVERSARY/hammer.py" "$@")
	[ -n "${wrong:-}" ] || fail "hammer $*"
	[ "$wrong" = 0 ] || fail "$wrong reads gave bytes that nobody wrote (right $right, refused $refused)"
}

# hammer_start, hammer_end: the same, while the script does something else.
hammer_start() {
	python3 "$ADVERSARY/hammer.py" "$@" >hammered 3<&- &
	hammer_pid=$!
}

hammer_end() {
	wait "$hammer_pid" || fail "the readers died"
	read -r right refused wrong <hammered
	[ "$wrong" = 0 ] || fail "$wrong reads gave bytes that nobody wrote (right $right, refused $refused)"
	echo "readers: $right right, $refused refused, none wrong"
}

# alive: the daemon is there, answers, and another file reads right.
alive() {
	kill -0 "$daemon" 2>/dev/null || fail "the daemon died: $(tail -3 "$log")"
	evict mnt/base/model.safetensors
	timeout 60 cmp mnt/base/model.safetensors orig/base/model.safetensors || fail "a plain file suffers"
}

# resident: KiB that the daemon holds; peak: the most it ever held.
resident() { awk '/VmRSS/ { print $2 }' "/proc/$(daemon_pid)/status"; }
peak() { awk '/VmHWM/ { print $2 }' "/proc/$(daemon_pid)/status"; }
# Without the pipes that libfuse keeps for each of its workers.
descriptors() { find "/proc/$(daemon_pid)/fd" -mindepth 1 -not -lname 'pipe:*' 2>/dev/null | wc -l; }
