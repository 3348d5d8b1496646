# SPDX-License-Identifier: GPL-2.0-or-later
# test: what every test script sources first; works by hand and under run.sh.
#
#	#!/bin/bash
#	# SPDX-License-Identifier: GPL-2.0-or-later
#	# x: the claim this script shows
#	# test: serial timeout=600		(only if needed, see below)
#	. "$(dirname "$0")/../lib/test.sh"
#
# A test is an executable tests/*/*.sh: exit 0 passed, 77 skipped, else failed.
# Words on its "# test:" line:
#	serial		runs with nothing beside it (it measures)
#	timeout=S	seconds, default 300
#	root		makes no sense as an ordinary user (mount/ and clients/ run twice)
#	full		only with run.sh --full
#	nosan		not under sanitizers (memory or time is what it looks at)
#	tsan		also under TSan
#	asan		under ASan, though not of mount/
#	nowriteback	once more with DFS_MOUNT_OPTIONS=nowriteback (with --full
#			every clients/writers_*.sh is)
#
# Given by run.sh, or found here when run by hand:
#	DFS_SRC		source tree
#	DFS_BUILD	build tree; its mount-tools is first in PATH
#	DFS_TMP		a directory of this test alone, world-searchable, the current
#			directory. Whatever is mounted below it is unmounted and
#			the directory removed when the test ends, however it ends.
#	DFS_PYTHON	interpreter with the clients of tests/clients/setup.sh, or empty
#	DFS_PYTHON07	the same with safetensors 0.7, or empty
#	DFS_MODELS	the models that setup.sh made, or empty
#	DFS_AS_USER	1 when run as an ordinary user
#	DFS_FULL	1 with run.sh --full
#	DFS_SAN		address, thread or empty
#	DFS_MOUNT_OPTIONS	more for start_daemon to mount with, or empty

set -u
# The directory changes below, and a script finds its neighbours by its name.
BASH_ARGV0=$(realpath "$0")

DFS_SRC=${DFS_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
if [ -z "${DFS_BUILD:-}" ]; then
	for DFS_BUILD in "$PWD" "$DFS_SRC/build-test"; do
		[ -e "$DFS_BUILD/config.status" ] && break
	done
fi
DFS_BUILD=$(realpath -m "$DFS_BUILD")
PATH=$DFS_BUILD/mount-tools:$PATH:/usr/sbin:/sbin
DFS_PYTHON=${DFS_PYTHON:-}
DFS_PYTHON07=${DFS_PYTHON07:-}
DFS_MODELS=${DFS_MODELS:-}
DFS_AS_USER=${DFS_AS_USER:-}
DFS_FULL=${DFS_FULL:-}
DFS_SAN=${DFS_SAN:-}
DFS_MOUNT_OPTIONS=${DFS_MOUNT_OPTIONS:-}
export DFS_SRC DFS_BUILD DFS_PYTHON DFS_PYTHON07 DFS_MODELS DFS_AS_USER DFS_FULL DFS_SAN DFS_MOUNT_OPTIONS PATH
export LC_ALL=C.UTF-8
# Nothing is written into the sources, beside other tests that copy them.
export PYTHONDONTWRITEBYTECODE=1

# fail WORDS: this test failed. skip WORDS: it cannot run here.
fail() { echo "FAIL: $*" >&2; exit 1; }
skip() { echo "SKIP: $*" >&2; exit 77; }

# need COMMAND...: without them the test is skipped.
need() {
	local command
	for command; do
		command -v "$command" >/dev/null || skip "$command is not installed"
	done
}

# expect_fail STATUS PATTERN COMMAND...: it exits with STATUS (any but 0 if
# "any") and says something that matches PATTERN (extended, one line).
expect_fail() {
	local want=$1 pattern=$2 status=0 said
	shift 2
	said=$("$@" 2>&1) || status=$?
	[ "$status" != 0 ] || fail "succeeded, though it must not: $*"
	[ "$want" = any ] || [ "$status" = "$want" ] || fail "exit status $status, not $want: $*: $said"
	grep -Eq -- "$pattern" <<<"$said" || fail "said '$said', nothing like '$pattern': $*"
}

# retry SECONDS COMMAND...: until it succeeds; polls, since a test never sleeps
# for a time that some machine finds too short.
retry() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# mount_image IMAGE DIR [OPTION...]: by a loop device. Tests that look for a free
# one in the same moment may be given the same, so it is tried again.
mount_image() {
	local image=$1 dir=$2 try
	shift 2
	for try in 1 2 3 4 5; do
		mount -o loop "$@" "$image" "$dir" && return
		sleep 0.2
	done
	return 1
}

# mounts_below DIR: mountpoints in it, the innermost first.
mounts_below() {
	awk -v dir="$1/" '{ gsub(/\\040/, " ", $5) } index($5 "/", dir) == 1 { print $5 }' \
		/proc/self/mountinfo | tac
}

# unmount_below DIR: at any price, so that nothing of a test stays behind.
unmount_below() {
	mounts_below "$1" | while IFS= read -r point; do
		umount "$point" 2>/dev/null || fusermount3 -u "$point" 2>/dev/null ||
			umount -l "$point" 2>/dev/null || fusermount3 -uz "$point" 2>/dev/null
	done
	local loop
	for loop in $(losetup -nO NAME,BACK-FILE 2>/dev/null | awk -v dir="$1/" 'index($2, dir) == 1 { print $1 }'); do
		losetup -d "$loop" 2>/dev/null
	done
}

# at_end COMMAND: run when the test ends, the last one first.
test_at_end=()
at_end() { test_at_end=("$*" "${test_at_end[@]}"); }

test_end() {
	local status=$? command
	trap - EXIT
	for command in "${test_at_end[@]}"; do
		eval "$command"
	done
	cd /
	if [ -n "${test_own_tmp:-}" ]; then
		unmount_below "$DFS_TMP"
		rm -rf "$DFS_TMP"
	fi
	exit "$status"
}
trap test_end EXIT
trap 'exit 130' INT TERM HUP

# By hand there is no run.sh to make the directory.
if [ -z "${DFS_TMP:-}" ]; then
	DFS_TMP=$(mktemp -d /tmp/deltafs-test.XXXXXX) && chmod 755 "$DFS_TMP" || exit 1
	test_own_tmp=1
fi
export DFS_TMP
cd "$DFS_TMP" || exit 1
