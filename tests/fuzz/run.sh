#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: fuzz targets for longer than a run of all tests has time for.
#
# Takes the build of $DFS_BUILD or of the current directory if it is one with
# --enable-fuzz, else makes one in build-test-fuzz/. Says of each target how long
# it ran and how it ended. A target ends with its first finding; what it found
# stays in found/ of the build, and so do new inputs, from which the next run goes
# on ("fuzz_x -merge=1 tests/fuzz/corpus/fuzz_x found/fuzz_x/new" takes the best of
# them over). Exit status 1 if there is a finding.

usage() {
	cat <<-END
	usage: tests/fuzz/run.sh [--seconds N] [--jobs N] [TARGET...]
	  --seconds N  for each target (3600)
	  --jobs N     at once (one a CPU)
	  TARGET       such as fuzz_header or decode_zstd; all of them if none is named
	END
}

EACH=3600 JOBS=$(nproc)
names=()
while [ $# -gt 0 ]; do
	case $1 in
	--seconds) EACH=${2?--seconds needs a number}; shift ;;
	--jobs) JOBS=${2?--jobs needs a number}; shift ;;
	-h | --help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) names+=("fuzz_${1#fuzz_}") ;;
	esac
	shift
done
for number in "$EACH" "$JOBS"; do
	[[ $number =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }
done

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
AT_ONCE=$JOBS
umask 022
built=
for dir in "${DFS_BUILD:-}" "$PWD"; do
	[[ $("$dir/config.status" --config 2>/dev/null) != *--enable-fuzz* ]] || { built=$(realpath "$dir"); break; }
done
RUN=$(mktemp -d /var/tmp/deltafs-fuzz.XXXXXX) && mkdir "$RUN/logs" || exit 1
: >"$RUN/results"
: >"$RUN/reasons"
export DFS_SRC=$ROOT DFS_BUILD=${built:-$ROOT/build-test-fuzz} DFS_TMP=$RUN DFS_SAN= DFS_ASAN_MORE=
mkdir -p "$DFS_BUILD"
. "$ROOT/tests/lib/test.sh"
. "$ROOT/tests/lib/runner.sh"
. "$ROOT/tests/lib/phases.sh"
FOUND=$DFS_BUILD/found
test_own_tmp=
at_end 'runner_finish logs-fuzz'

[ -n "$built" ] || fuzz_build || exit 1
programs=()
for program in $(fuzz_programs "$DFS_BUILD"); do
	[ ${#names[@]} = 0 ] || [[ " ${names[*]} " == *" ${program##*/} "* ]] || continue
	programs+=("$program")
done
for name in "${names[@]}"; do
	[ -x "$DFS_BUILD/tests/fuzz/$name" ] || fail "there is no target $name"
done
[ ${#programs[@]} -gt 0 ] || fail "no target was built"

count() { find "$1" -type f 2>/dev/null | wc -l; }

# said WORD LOG: what libFuzzer counted under it.
said() { sed -n "s/^stat::$1: *//p" "$2" | tail -1; }

# long_one PROGRAM: in a line, and in $RUN/results "STATUS NAME CPU EXECUTIONS FINDINGS".
long_one() {
	local name=${1##*/} dir log before status=pass user system real cpu executions findings
	dir=$FOUND/$name log=$RUN/logs/$name.log
	mkdir -p "$dir"
	before=$(count "$dir/new")
	TIMEFORMAT='%U %S %R'
	{ time fuzz_target "$1" "$EACH" "$dir/new" "$dir/" >"$log" 2>&1; } 2>"$RUN/$name.time" || status=fail
	read -r user system real <"$RUN/$name.time"
	cpu=$(awk "BEGIN { printf \"%.0f\", $user + $system }")
	executions=$(said number_of_executed_units "$log")
	findings=$(grep -c 'Test unit written to' "$log")
	printf '%s %s: %.0f s, %s CPU s, %s executions, %s crashes, %s new inputs\n' "$status" "$name" "$real" "$cpu" \
		"${executions:-unknown}" "$findings" $(($(count "$dir/new") - before))
	[ "$status" = pass ] || { grep -E 'ERROR: |SUMMARY: |Test unit written to' "$log" || tail -n 5 "$log"; } | sed 's/^/    | /'
	echo "$status $name $cpu ${executions:-0} $findings" >>"$RUN/results"
}

for program in "${programs[@]}"; do
	runner_room
	long_one "$program" &
done
wait

awk '{ cpu += $3; n += $4; found += $5 }
	END { printf "%d targets, %d CPU s, %d executions, %d crashes\n", NR, cpu, n, found }' "$RUN/results"
echo "found: $FOUND; logs: $DFS_BUILD/logs-fuzz"
! grep -q '^fail ' "$RUN/results" && [ "$(wc -l <"$RUN/results")" = ${#programs[@]} ]
