#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# faults: every script of tests/faults names its row, and says in the end how many faults fired.
#	faults.sh [ROOT]
cd "${1:-$(dirname "$0")/../..}" || exit 1

failed=0
for script in tests/faults/*.sh; do
	[ -x "$script" ] && [ "${script##*/}" != run.sh ] || continue
	grep -Eq '^# [A-F][0-9]+(, [A-F][0-9]+)*[:,] ' "$script" || { echo "$script: names no row of the fault matrix"; failed=1; }
	tail -n 3 "$script" | grep -q '^faults_fired ' || { echo "$script: does not end by telling how many faults fired"; failed=1; }
done
exit $failed
