#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# progress: a bar with rate and time left, on a terminal only, never wider than it, and gone before anything else is said.
# test: nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need strace

make_pair --params 4000000 --seed 62 p
mkdir S && cp -r p/base p/tune S/
run deltafsctl base add S S/base

# see NAME [progress.py's OPTION]... -- ARGUMENT...: starts deltafsctl on a
# terminal of its own, with a pause at each piece that it reads; what a user
# saw is in NAME.seen after `wait`. They mostly sleep, so they run side by side.
see() {
	local name=$1 options=()
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	python3 "$DFS_SRC/tests/ctl/progress.py" "${options[@]}" strace -f -qq -o "$name.trace" -e trace=pread64 \
		-e inject=pread64:delay_enter=20000 deltafsctl "$@" >"$name.seen" &
}

# claim NAME WORDS EXPRESSION: of what was seen, in Python.
claim() {
	python3 - "$1.seen" "$3" <<'PY' || fail "$2: $(cat "$1.seen")"
import json, re, sys
o = json.load(open(sys.argv[1]))
bars, screen, piped = o["bars"], o["screen"], o["piped"]
bar = re.compile(r"^(encoding|verifying|decoding) \S+ +(\d+)% \[(#*) *\] \d+(\.\d)? (bytes|[KMG]iB)/s, (\d+:\d\d|\?) left$")
percents = [(b.group(1), int(b.group(2))) for b in map(bar.match, bars) if b]
sys.exit(not eval(sys.argv[2]))
PY
}

evil=$'evil\033[2J\r.safetensors' long=ääääääääääääääääää.safetensors
cp p/tune/model.safetensors "$evil"
cp p/tune/model.safetensors "$long"
encode=(encode --threads 1 --base p/base)
file=p/tune/model.safetensors
see wide --columns 110 -- "${encode[@]}" $file -o wide.dfs
see inplace -- encode --threads 1 S/tune/model.safetensors
see stderr --pipe stderr -- "${encode[@]}" $file -o stderr.dfs
see json --pipe stdout -- "${encode[@]}" --json $file -o json.dfs
see narrow --columns 12 --pipe stdout -- "${encode[@]}" $file -o narrow.dfs
see one --columns 1 --pipe stdout -- "${encode[@]}" $file -o one.dfs
see shrinks --columns 120,30 --pipe stdout -- "${encode[@]}" $file -o shrinks.dfs
see stopped --key '3:\x03' -- "${encode[@]}" $file -o never
see evil --columns 110 -- "${encode[@]}" "$evil" -o evil.dfs
see long --columns 110 -- "${encode[@]}" "$long" -o long.dfs
wait

claim wide "status" 'o["status"] == 0'
claim wide "bars are drawn" 'len(bars) >= 5'
claim wide "each is a bar with rate and time left" 'all(bar.match(b) for b in bars)'
claim wide "it grows" 'all(a[1] <= b[1] for a, b in zip(percents, percents[1:]) if a[0] == b[0]) and percents[0][1] < percents[-1][1]'
claim wide "it fills with its share" 'all(abs(len(bar.match(b).group(3)) - int(bar.match(b).group(2)) * 40 / 100) <= 1 for b in bars)'
claim wide "nothing but the result stays" 'len(screen) == 1 and "model.safetensors: " in screen[0] and "%" not in screen[0]'
claim wide "not wider than the window" 'not o["wrapped"]'
claim inplace "encoding and verifying are told apart" 'o["status"] == 0 and len(screen) == 1 and {p[0] for p in percents} == {"encoding", "verifying"}'

# A pipe gets neither a bar nor a byte that steers a terminal. With the result
# in a pipe the bar stays on the terminal, and leaves it clean.
claim stderr "a pipe gets no bar" 'o["status"] == 0 and piped == "" and not bars and len(screen) == 1'
claim json "JSON in a pipe" 'len(bars) > 2 and screen == [] and json.loads(piped)["total"]["compressed"] == 1'

# Narrow windows, and one that is made narrower meanwhile.
claim narrow "12 columns" 'o["status"] == 0 and len(bars) > 2 and not o["wrapped"] and screen == [] and piped.count("\n") == 1'
claim one "one column" 'o["status"] == 0 and not o["wrapped"] and screen == []'
claim shrinks "a smaller window" 'o["status"] == 0 and len(bars[0]) > 60 and len(bars) > 5 and all(len(b) < 30 for b in bars[4:]) and screen == []'

# Wiped before a sentence.
claim stopped "Ctrl-C" 'o["status"] != 0 and len(bars) >= 3 and any(re.search(r"deltafsctl: .*interrupted$", row) for row in screen) and not any("%" in row for row in screen)'
[ ! -e never ] || fail "Ctrl-C left a file"

# A name that would steer the terminal, and one of two bytes a letter.
claim evil "a name with an escape" 'len(bars) > 2 and all(r"evil\x1b[2J" in b for b in bars)'
claim long "a long name is cut between letters" 'len(bars) > 2 and all(re.match("(encoding|verifying) ä{12} ", b) for b in bars)'
