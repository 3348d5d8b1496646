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

files | grep -vE '^(COPYING|tests/corpus/(good|bad|unsupported)-|tests/fuzz/corpus/)' |
grep -E '\.(c|h|sh|py|mk|am|ac|md|txt|supp|[1-8])$|^\.ci/|^\.' | while IFS= read -r file; do
	[ -f "$file" ] || continue
	lines=$(wc -l <"$file")
	case $file in
	*.c | *.h | *.sh | *.py) [ "$lines" -le 400 ] || echo "$file: $lines lines, 400 are the limit" ;;
	esac
	case $file in
	*.md | *.txt | .gitignore) ;;
	*) head -2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' ||
		echo "$file: no licence line at the top" ;;
	esac
	grep -nE '[[:blank:]]$' "$file" | sed "s|^\([0-9]*\):.*|$file:\1: blanks at the end|"
	[ "${file#tests/lint/}" = "$file" ] || continue
	grep -nwE 'TODO|FIXME|XXX|HACK' "$file" | sed "s|^|$file:|"
	case $file in
	*.c | *.h) grep -nE '\b(sprintf|vsprintf|strcpy|strcat|gets|tmpnam|mktemp|alloca)[[:blank:]]*\(' "$file" |
		sed "s|^|$file:|" ;;
	esac
	case $file in
	*.c) awk -v file="$file" '
		/^\{/ { start = NR }
		/^\}/ && start { if (NR - start - 1 > 60) print file ":" start ": a function of " NR - start - 1 " lines, 60 are the limit"; start = 0 }' "$file" ;;
	esac
done | { ! grep . ; }
