#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# benches: every benchmark of tests/bench is in a part of run.sh: what nobody runs measures nothing.
#	benches.sh [ROOT]
cd "${1:-$(dirname "$0")/../..}" || exit 1

failed=0
for bench in tests/bench/*_bench.{c,py}; do
	[ -e "$bench" ] || continue
	name=${bench##*/}
	grep -q "part .*tests/bench/${name%.c}\"" <(sed ':a; /\\$/ { N; s/\\\n//; ba }' tests/bench/run.sh) ||
		{ echo "$bench: is in no part of run.sh"; failed=1; }
done
exit $failed
