#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_deltafs7: the commands that deltafs(7) shows do what it says, in its order.
. "$(dirname "$0")/../lib/test.sh"
need getfattr rsync tar fusermount3
[ -c /dev/fuse ] || skip "no /dev/fuse"

mkdir -p srv/models srv/other mnt/models mnt/restored backup/models data tmp
"$DFS_BUILD/tests/tools/make_pair" --params 2000000 --r 1e-2 made >make.log || fail "make_pair: $(cat make.log)"
mv made/tune made/tuned
cp -a made/. srv/models/
cp -a made srv/plain

# What the page's hidden lines use: every model file is what it was.
sum() { (cd "$1" && find . -name '*.safetensors' -not -path './.deltafs/*' -print0 | sort -z | xargs -0 sha256sum); }
same() { [ -s "$DFS_TMP/srv/sums" ] && diff "$DFS_TMP/srv/sums" <(sum "$1") || fail "$1 is not what it was"; }

# Commands and hidden lines, with each directory of the page below this test's.
sed -nE 's/^\.\\" test: //p; s/^\$ //p' "$DFS_SRC/man/deltafs.7" |
	sed -E "s#(^|[ ])/(srv|mnt|backup|data|tmp)\b#\1$DFS_TMP/\2#g; s/\\\\-/-/g" >commands
[ "$(grep -c . commands)" -ge 30 ] || fail "found only $(wc -l <commands) commands in the page"

while IFS= read -r command <&3; do
	echo "\$ $command"
	eval "$command" || fail "deltafs(7): $command"
done 3<commands
[ "$(sum data/models | wc -l)" -ge 2 ] || fail "no models left to compare"
