#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: every row of the fault matrix by itself, in its short form or its full one.
#
# Takes the build of $DFS_BUILD or of the current directory, else makes one in
# build-test/. Says of each script how it ended, how long it took, its seed and
# how many faults fired; one that tells of none has failed.

usage() {
	cat <<-END
	usage: tests/faults/run.sh [--full] [--only PATTERN] [--seed N] [--jobs N]
	  --full          every step and every write instead of some: hours
	  --only PATTERN  scripts whose name contains PATTERN
	  --seed N        for all of them (DFS_SEED)
	  --jobs N        at once (one a CPU)
	END
}

FULL= ONLY= AT_ONCE=$(nproc)
while [ $# -gt 0 ]; do
	case $1 in
	--full) FULL=1 ;;
	--only) ONLY=${2?--only needs a pattern}; shift ;;
	--seed) export DFS_SEED=${2?--seed needs a number}; shift ;;
	--jobs) AT_ONCE=${2?--jobs needs a number}; shift ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
umask 022
[ -n "${DFS_BUILD:-}" ] || [ ! -e config.status ] || DFS_BUILD=$PWD
RUN=$(mktemp -d /var/tmp/deltafs-faults.XXXXXX) && chmod 755 "$RUN" && mkdir "$RUN/logs" || exit 1
: >"$RUN/results"
built=${DFS_BUILD:-}
export DFS_SRC=$ROOT DFS_BUILD=${DFS_BUILD:-$ROOT/build-test} DFS_TMP=$RUN DFS_FULL=$FULL DFS_SAN= DFS_ASAN_MORE=
mkdir -p "$DFS_BUILD"
. "$ROOT/tests/lib/test.sh"
. "$ROOT/tests/lib/runner.sh"
. "$ROOT/tests/lib/phases.sh"

at_end 'runner_finish logs-faults'

[ -n "$built" ] || phase_build build-test "" --enable-werror || exit 1
mapfile -t scripts < <(scripts_in faults)
[ ${#scripts[@]} -gt 0 ] || fail "no script is called like that"
began=$SECONDS
runner_all "" "" -- "${scripts[@]}"

# said WORD LOG: the number after it, at the start of a line.
said() { sed -n "s/^$1 \([0-9]*\).*/\1/p" "$2" | tail -1; }

fired=0
declare -A ended=([pass]=0 [fail]=0 [skip]=0)
while read -r status name seconds; do
	log=$RUN/logs/$(tr / . <<<"$name").log
	faults=$(said faults "$log")
	if [ "$status" = pass ] && [ "${faults:-0}" = 0 ]; then
		status=fail
		echo "FAIL $name: it tells of no fault"
	fi
	ended[$status]=$((${ended[$status]} + 1))
	fired=$((fired + ${faults:-0}))
	printf '%s %s: %s s, seed %s, faults %s\n' "$status" "${name##*/}" "$seconds" "$(said seed "$log")" "${faults:-none}"
done < <(sort -k2 "$RUN/results")
echo "logs: ${DFS_BUILD#"$PWD"/}/logs-faults; $((SECONDS - began)) s; faults fired: $fired"
echo "${ended[pass]} passed, ${ended[fail]} failed, ${ended[skip]} skipped"
[ "${ended[fail]}${ended[skip]}" = 00 ]
