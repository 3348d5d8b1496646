# SPDX-License-Identifier: GPL-2.0-or-later
# session: what the example sessions begin with. In a directory of their own,
# which is gone afterwards, with whatever is mounted in it; deltafs is the
# installed one, else that of build/.
set -eu

examples=$(cd "$(dirname "$0")" && pwd)
command -v deltafs >/dev/null || PATH=$examples/../build/mount-tools:$PATH
command -v deltafs >/dev/null || { echo "deltafs is neither installed nor in build/" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/var/tmp}/deltafs-example.XXXXXX")

cleanup() {
	status=$?
	trap - EXIT
	cd /
	if mountpoint -q "$work/mnt" 2>/dev/null; then
		fusermount3 -u "$work/mnt" 2>/dev/null || fusermount3 -uz "$work/mnt" 2>/dev/null || umount -l "$work/mnt"
	fi
	# A daemon that was at work goes on for a moment.
	for _ in 1 2 3 4 5 6 7 8 9; do
		rm -rf "$work" 2>/dev/null && exit "$status"
		sleep 1
	done
	rm -rf "$work"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

say() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*" && "$@"; }

cd "$work"
mkdir store mnt
