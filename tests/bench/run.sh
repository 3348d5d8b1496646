#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh: the benchmarks, side by side in one run: a table on stdout, JSON beside it.
#
#	tests/bench/run.sh [PART...]	parts: size lossy read real load write list (all of them)
#
# lossy is of the codecs that give up bits: their speed alone, reading through a
# mount, and the memory that coding 4 GiB takes, over which delta-come is longest.
# Accuracy is a matter of tests/quality/run.sh.
#
# Runs as root on an otherwise idle machine. Needs some 20 GiB on the disk under
# $DFS_BENCH (default /var/tmp/deltafs-bench), which it empties afterwards but
# for results/ and the truly trained pair. Python, its clients and the real model are
# those of tests/run.sh, fetched if they are not there. $DFS_PAIRS: pairs of
# passes a figure (7). Exit status 1 if a goal was missed.
set -eu

src=$(cd "$(dirname "$0")/../.." && pwd)
work=${DFS_BENCH:-/var/tmp/deltafs-bench}
build=$work/build
results=$work/results
pairs=${DFS_PAIRS:-7}
missed=0

[ "$(id -u)" = 0 ] || { echo "run.sh: page cache, read-ahead and disk limits need root" >&2; exit 2; }
mkdir -p "$build" "$results"

cleanup() {
	local mountpoint
	for mountpoint in $(findmnt -rno TARGET | grep "^$work/" | sort -r); do
		umount "$mountpoint" || umount -l "$mountpoint"
	done
	rm -rf "$work/size" "$work/lossy" "$work/read" "$work/load" "$work/real" "$work/write" "$work/list"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

( cd "$src" && { [ -x configure ] || ./autogen.sh; } ) >"$results/build.log" 2>&1
( cd "$build" && { [ -e Makefile ] || "$src/configure" CFLAGS="-O2 -g"; } &&
	make -j"$(nproc)" all check_PROGRAMS="" && make -j"$(nproc)" tests/bench/codec_bench tests/bench/lossy_bench ) >>"$results/build.log" 2>&1 ||
	{ tail -20 "$results/build.log" >&2; exit 1; }

said=$("$src/tests/clients/setup.sh") || { echo "run.sh: no Python with the clients" >&2; exit 1; }
eval "$said"
python=$PY
# Without what it depends on: that is there, and its torch would be another one.
[ -d "$work/zipnn" ] || "$python" -m pip install -q --no-deps --target "$work/zipnn" zipnn >"$results/zipnn.log" 2>&1 ||
	{ tail -5 "$results/zipnn.log" >&2; exit 1; }
export PYTHONPATH=$work/zipnn

part() {
	echo "== $1"
	shift
	"$@" || missed=1
	cleanup
}

# The truly trained pair, made once: a few minutes of training.
real_pair() {
	local pair=$work/real-pair
	[ -e "$pair/tuned-bf16/model.safetensors" ] ||
		"$python" "$src/examples/train_finetune.py" --base "$MODELS/base/minilm" --steps 600 --out "$pair" >"$results/train.log" 2>&1 ||
		{ tail -5 "$results/train.log" >&2; return 1; }
	real=(--real-base "$pair/base-bf16/model.safetensors" --real-file "$pair/tuned-bf16/model.safetensors")
	real_read=(--base "${real[1]}" --file "${real[3]}")
}

real=() real_read=()
[ $# -gt 0 ] || set -- size lossy read real load write list
for name; do
	case $name in
	size)
		real_pair || missed=1
		part "speed of the exact codecs alone" "$build/tests/bench/codec_bench"
		part "bytes on disk" python3 "$src/tests/bench/size_bench.py" --build "$build" --work "$work/size" \
			"${real[@]}" --json "$results/size.json" ;;
	lossy)
		part "speed of the lossy codecs alone" "$build/tests/bench/lossy_bench"
		part "reading and coding what gives up bits" python3 "$src/tests/bench/lossy_read_bench.py" --build "$build" \
			--work "$work/lossy" --pairs "$pairs" --json "$results/lossy.json" ;;
	read)
		part "reading 1 GiB of bf16 at r = 1e-2" python3 "$src/tests/bench/read_bench.py" --build "$build" \
			--work "$work/read" --pairs "$pairs" --venv "${python%/bin/python}" --json "$results/read.json" ;;
	real)
		real_pair && part "reading the real fine-tune" python3 "$src/tests/bench/read_bench.py" --build "$build" \
			--work "$work/real" --pairs "$pairs" --only memory,ext4,warm,first "${real_read[@]}" \
			--json "$results/real.json" || missed=1 ;;
	load)
		part "loading a 2 GiB model" python3 "$src/tests/bench/load_bench.py" --build "$build" \
			--work "$work/load" --venv "${python%/bin/python}" --pairs "$pairs" --json "$results/load.json" ;;
	write)
		part "writing into a mount" python3 "$src/tests/bench/write_bench.py" --build "$build" \
			--work "$work/write" --pairs "$pairs" --json "$results/write.json" ;;
	list)
		part "listing 10,000 containers" python3 "$src/tests/bench/list_bench.py" --build "$build" \
			--work "$work/list" --pairs "$pairs" --json "$results/list.json" ;;
	*) echo "run.sh: no part \"$name\": size lossy read real load write list" >&2; exit 2 ;;
	esac
done
echo "results: $results/*.json"
exit $missed
