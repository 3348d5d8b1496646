#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: every test there is, on a machine that has nothing yet.
#
# Installs what is missing, builds in build-test/ (and once per sanitizer beside
# it), runs unit tests and scripts, mount and client tests as root and again as
# an ordinary user, the fuzz targets briefly. tests/lib/test.sh says what a test
# script is. Ends with "N passed, N failed, N skipped"; exit status 1 if any
# failed, or if a test of the mount or of a client was skipped.

usage() {
	cat <<-END
	usage: tests/run.sh [--full] [--only PATTERN] [--no-install] [--no-san] [--jobs N]
	  --full          also the long ones
	  --only PATTERN  tests whose name contains PATTERN; with asan:, tsan: or
	                  fuzz: in front, those of that build
	  --no-install    use what is there
	  --no-san        without sanitizer builds and fuzz targets
	  --jobs N        at once (one a CPU, and one more of tests, which wait a lot)
	END
}

FULL= ONLY= INSTALL=1 SAN=1 JOBS=$(nproc)
AT_ONCE=$((JOBS + 1))
while [ $# -gt 0 ]; do
	case $1 in
	--full) FULL=1 ;;
	--only) ONLY=${2?--only needs a pattern}; shift ;;
	--no-install) INSTALL= ;;
	--no-san) SAN= ;;
	--jobs) JOBS=${2?--jobs needs a number} AT_ONCE=$2; shift ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

ROOT=$(cd "$(dirname "$0")/.." && pwd)
umask 022
RUN=$(mktemp -d /var/tmp/deltafs-run.XXXXXX) && chmod 755 "$RUN" || exit 1
mkdir "$RUN/logs"
: >"$RUN/results"
: >"$RUN/reasons"

# test.sh would take the directory of this run for that of one test.
export DFS_SRC=$ROOT DFS_BUILD=$ROOT/build-test DFS_TMP=$RUN DFS_FULL=$FULL DFS_SAN= DFS_ASAN_MORE=
mkdir -p "$DFS_BUILD"
. "$ROOT/tests/lib/test.sh"
. "$ROOT/tests/lib/install.sh"
. "$ROOT/tests/lib/runner.sh"
. "$ROOT/tests/lib/phases.sh"

test_own_tmp=
at_end 'runner_finish logs'

if [ -n "$INSTALL" ]; then
	install_packages "$ROOT/tests/lib/packages.txt" || exit 1
	install_clients "$ROOT/tests/clients/setup.sh"
fi

if phase_build build-test "" --enable-werror; then
	phase_unit ""
	phase_scripts
	phase_nowriteback
	phase_user
	if [ -n "$SAN" ]; then
		phase_sanitizer asan address address,undefined
		phase_sanitizer tsan thread thread
		phase_fuzz
	fi
fi

passed=$(grep -c '^pass ' "$RUN/results")
failed=$(grep -c '^fail ' "$RUN/results")
skipped=$(grep -c '^skip ' "$RUN/results")
bad=$(grep -cE '^skip .*tests/(mount|clients)/' "$RUN/results")
# Once more, with the reason: who sees the end only sees why.
sed -n 's/^skip /skipped: /p; s/^fail /failed: /p' "$RUN/reasons"
[ "$bad" = 0 ] || echo "skipped, though nothing of the mount or its clients may be: $bad"
# All code has portable kernels; vector kernels are compared with them only where the CPU has them.
echo "decode kernels that were compared: $("$DFS_BUILD/mount-tools/deltafsctl" --version 2>/dev/null | sed -n 's/^kernels: //p')"
echo "logs: ${DFS_BUILD#"$PWD"/}/logs"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$bad" = 0 ] && [ "$passed" -gt 0 ]
