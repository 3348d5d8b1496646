#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# headers: each compiles alone, so that any file may include it first.
#	headers.sh [ROOT]
cd "${1:-$(dirname "$0")/../..}" || exit 1
failed=0 seen=0
fuse=$(pkg-config --cflags fuse3 2>/dev/null) || fuse=none

for cc in gcc clang; do
	command -v "$cc" >/dev/null || continue
	for header in src/*/*.h mount-tools/*/*.h tests/*.h; do
		[ -e "$header" ] || continue
		flags=
		if [ "${header#src/fuse/}" != "$header" ]; then
			[ "$fuse" = none ] && continue
			flags=$fuse
		fi
		# shellcheck disable=SC2086
		printf '#include "%s"\n' "$PWD/$header" |
			"$cc" -x c -std=gnu11 -D_GNU_SOURCE -Isrc -Imount-tools $flags -fsyntax-only \
				-Wall -Wextra -Werror - || { echo "$header: not alone ($cc)"; failed=1; }
		seen=1
	done
done
[ "$seen" = 1 ] || { echo "SKIP: no compiler"; exit 77; }
exit "$failed"
