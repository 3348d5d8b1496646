#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# style: what a machine can see of it: length of files and functions, the
# licence line, words that mean unfinished or unsafe, blanks at line ends.
#	style.sh [ROOT]
cd "${1:-$(dirname "$0")/../..}" || exit 1

# Files of ours: those git knows, or in a tarball all of these.
files() {
	git ls-files -co --exclude-standard 2>/dev/null | grep . ||
		find src mount-tools tests man examples .ci ./*.ac ./*.am ./*.sh ./*.md -type f
}

files | sed 's#^\./##' | grep -vE '^(COPYING|tests/corpus/(good|bad|unsupported)-|tests/fuzz/corpus/)' |
grep -E '\.(c|h|sh|py|mk|am|ac|md|txt|supp|[1-8])$|^\.ci/|^\.' |
while IFS= read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done |
xargs -d '\n' awk '
function bad(text) { print text; failed = 1 }
function end_file() {
	if (name ~ /\.(c|h|sh|py)$/ && lines > 400) bad(name ": " lines " lines, 400 are the limit")
	if (name !~ /(\.md|\.txt|\.gitignore)$/ && !licensed) bad(name ": no licence line at the top")
}
FNR == 1 { if (name) end_file(); name = FILENAME; licensed = start = 0 }
{ lines = FNR }
FNR <= 2 && /SPDX-License-Identifier: GPL-2.0-or-later/ { licensed = 1 }
FNR == 3 && name ~ /^tests\/adversary\/.*\.sh$/ && name !~ /common\.sh$/ && !/: promises? [0-9]/ { bad(name ": names no promise") }
/[ \t]$/ { bad(name ":" FNR ": blanks at the end") }
name ~ /^tests\/lint\// { next }
/(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)($|[^A-Za-z0-9_])/ { bad(name ":" FNR ": " $0) }
name ~ /\.[ch]$/ && /(^|[^A-Za-z0-9_])(sprintf|vsprintf|strcpy|strcat|gets|tmpnam|mktemp|alloca)\(/ { bad(name ":" FNR ": " $0) }
name ~ /\.c$/ && /^\{/ { start = FNR }
name ~ /\.c$/ && /^\}/ && start {
	if (FNR - start - 1 > 60) bad(name ":" start ": a function of " FNR - start - 1 " lines, 60 are the limit")
	start = 0
}
END { if (name) end_file(); exit failed }' || exit 1

# A test is what is executable: without that it is never run, and nobody misses it.
idle=$(files | sed 's#^\./##' | grep -E '^tests/[a-z]+/[^/]*\.sh$' | while IFS= read -r file; do
	[ ! -f "$file" ] || [ -x "$file" ] || [ "$(head -c 2 "$file")" != '#!' ] || echo "$file: begins as a program, and is not executable"
done)
[ -z "$idle" ] || { echo "$idle"; exit 1; }
