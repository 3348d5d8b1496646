# SPDX-License-Identifier: GPL-2.0-or-later
# table: reading and applying tests/mutants/table.txt.
#
# A mutant is a paragraph:
#	[NAME] what is wrong with it
#	in FILE			of the source
#	after TEXT		optional: the line is the first of its kind behind one with this text
#	- LINE			a whole line of FILE, without its indentation
#	+ LINE			what stands there instead
#	see COMMAND		a test that fails then, as called from tests/; unit/DIR/NAME is a
#				program of `make check`; tried in order until one fails

mutants_table=$DFS_SRC/tests/mutants/table.txt

# mutant_names: all of them, in order.
mutant_names() {
	sed -n 's/^\[\([a-z-]*\)\].*/\1/p' "$mutants_table"
}

# mutant_get NAME KEY: the lines of its paragraph that begin with KEY, without it.
mutant_get() {
	awk -v name="[$1]" -v key="$2 " '
		/^\[/ { on = $1 == name }
		on && index($0, key) == 1 { print substr($0, length(key) + 1) }
	' "$mutants_table"
}

# mutant_title NAME: its sentence.
mutant_title() {
	sed -n "s/^\[$1\] //p" "$mutants_table"
}

# mutant_apply NAME FROM TO: TO becomes the file FROM with the fault. Fails with
# a sentence unless the line is there, and only once.
mutant_apply() {
	local said
	said=$(OLD=$(mutant_get "$1" -) NEW=$(mutant_get "$1" +) AFTER=$(mutant_get "$1" after) awk '
		BEGIN { seen = ENVIRON["AFTER"] == "" }
		{
			line = $0
			sub(/^[ \t]+/, "", line)
			indent = substr($0, 1, length($0) - length(line))
			if (seen && line == ENVIRON["OLD"] && !(n && ENVIRON["AFTER"] != "")) {
				n++
				$0 = indent ENVIRON["NEW"]
			}
			if (!seen && index($0, ENVIRON["AFTER"]))
				seen = 1
			print > to
		}
		END { if (n != 1) print n + 0 }
	' to="$3" "$2") || return 1
	[ -z "$said" ] && return 0
	echo "$1: $(mutant_get "$1" in) has its line $said times, not once: change tests/mutants/table.txt with the source" >&2
	return 1
}
