# SPDX-License-Identifier: GPL-2.0-or-later
# common: sourced after lib/test.sh by the scripts of this folder.

make_pair() { "$DFS_BUILD/tests/tools/make_pair" "$@" || fail "make_pair $*"; }

# run COMMAND...: it must succeed; what it says is in ./said.
run() { "$@" >said 2>&1 || fail "exit status $?: $*: $(cat said)"; }

# peak COMMAND...: its resident set at most, in MiB; what it says is in ./said.
peak() {
	python3 - "$@" <<'PY'
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=open("said", "w"), stderr=subprocess.STDOUT).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(status)
PY
}

# same A B: byte for byte.
same() { cmp "$1" "$2" || fail "$1 differs from $2"; }

size() { stat -c %s "$1"; }

# is_container FILE: by its magic.
is_container() { [ "$(head -c 7 "$1" | tr -d '\0')" = "$(head -c 7 "$DFS_TMP/magic" | tr -d '\0')" ]; }

# learn_magic: is_container asks what a container begins with, from one that encode -o made.
learn_magic() {
	head -c 100000 /dev/zero >"$DFS_TMP/x"
	run deltafsctl encode "$DFS_TMP/x" -o "$DFS_TMP/magic"
}

# member FILE EXPRESSION: of a JSON object o, by Python.
member() { python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

# at_most A B: numbers, fractions too.
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

# clean STORE: no temporary is left.
clean() {
	local left
	left=$(find "$1/.deltafs/tmp" -mindepth 1 2>/dev/null)
	[ -z "$left" ] || fail "left behind: $left"
}
