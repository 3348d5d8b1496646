#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mutants: each fault of the table is caught by a test; one that survives, or does not fit the source any more, fails.
# test: full root serial nosan timeout=7200
#
#	mutants.sh			all
#	mutants.sh NAME...		these
#	mutants.sh --sample N [SEED]	N of them, drawn by a seed that is printed
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/mutants/table.sh"
. "$DFS_SRC/tests/mutants/copy.sh"
[ -c /dev/fuse ] || skip "no /dev/fuse"
[ "$(id -u)" = 0 ] || skip "most of the tests need root"

case ${1:-} in
--sample)
	seed=${3:-$RANDOM}
	echo "seed $seed"
	names=$(mutant_names | shuf --random-source=<(seq "$seed" $((seed + 100000))) | head -n "$2")
	;;
"") names=$(mutant_names) ;;
*) names=$* ;;
esac

copy_make

# sound COMMAND: it passes on the source as it is; asked once each.
declare -A sound
sound() {
	if [ -z "${sound[$1]:-}" ]; then
		copy_run "$1"
		sound[$1]=$status
		[ "$status" = 0 ] || echo "$1: exit status $status on the sound source: $(tail -3 said)" >&2
	fi
	[ "${sound[$1]}" = 0 ]
}

# Before the first fault is in, since a test that fails anyhow catches nothing.
for name in $names; do
	while IFS= read -r command; do
		sound "$command" </dev/null
	done < <(mutant_get "$name" see)
done

# caught NAME: by whom, with the fault in place.
caught() {
	local command
	while IFS= read -r command; do
		sound "$command" </dev/null || continue
		copy_run "$command" </dev/null
		[ "$status" = 0 ] || [ "$status" = 77 ] || { by=$command; return 0; }
	done < <(mutant_get "$1" see)
	return 1
}

n=0 bad=""
for name in $names; do
	file=$(mutant_get "$name" in) began=$SECONDS by=
	[ -n "$file" ] || fail "no mutant $name"
	n=$((n + 1))
	if ! mutant_apply "$name" "$DFS_SRC/$file" mutant.c || ! copy_put mutant.c "$file"; then
		bad="$bad $name"
	elif caught "$name"; then
		echo "$name: caught by $by, $((SECONDS - began)) s: $(tail -1 said | cut -c1-150)"
	else
		echo "$name SURVIVES: $(mutant_title "$name")" >&2
		bad="$bad $name"
	fi
	copy_put "$DFS_SRC/$file" "$file" quietly
done
[ -z "$bad" ] || fail "of $n mutants:$bad"
echo "$n mutants, all caught"
