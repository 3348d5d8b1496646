#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E1: readers of a name that is replaced again and again, and compressed between: each sees the old or the new file, whole.
# test: timeout=1200
. "$(dirname "$0")/common.sh"

make_base --params 40000 --hidden 64 --vocab 128 --seed 221
"$DFS_BUILD/tests/tools/make_pair" --params 40000 --hidden 64 --vocab 128 --seed 221 --r 0.011 other >/dev/null
versions=("$original" "$PWD/other/tune/model.safetensors")
sha256sum "${versions[@]}" | cut -d' ' -f1 | sort >allowed
[ "$(sort -u allowed | wc -l)" = 2 ] || fail "the versions are the same"

start_rw
cp "$original" mnt/f
rounds=$(full 1000 60)
reader() {
	while [ ! -e stop ]; do
		sha256sum <mnt/f >>"sums.$1" || { echo "$1" >>failed; return; }
	done
}
readers=()
for ((i = 0; i < 8; i++)); do
	reader $i &
	readers+=($!)
done
at_end "touch $DFS_TMP/stop"
for ((i = 1; i <= rounds; i++)); do
	cp "${versions[i % 2]}" mnt/.t && mv mnt/.t mnt/f || fail "round $i"
	[ $((RANDOM % 4)) != 0 ] || retry 5 is_coded f # now and then it is compressed before it goes
done
touch stop
wait "${readers[@]}"
[ ! -e failed ] || fail "readers failed: $(wc -l <failed)"
cut -d' ' -f1 sums.* | sort | uniq -c | awk '{ print $2, $1 }' >seen
cut -d' ' -f1 seen | comm -23 - allowed | grep . && fail "neither the old nor the new file"
[ "$(wc -l <seen)" = 2 ] || fail "only one version was ever read: $(cat seen)"
published=$(grep -c 'compressed to' "$log")
cmp mnt/f "${versions[rounds % 2]}" || fail "not the last"
becomes_coded f
cmp mnt/f "${versions[rounds % 2]}" || fail "not the last, once compressed"
stop_daemon mnt
is_tidy "in the end"
every_container_verifies "in the end"
echo "replaced $rounds, reads: $(cut -d' ' -f2 seen | tr '\n' ' ')"
faults_fired "$published" $((rounds / 10))
