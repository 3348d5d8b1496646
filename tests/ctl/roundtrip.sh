#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# roundtrip: every kind of pair comes back byte for byte, and as small as it must be.
# test: timeout=600
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"

# pair NAME BITS OPTION...: at most BITS per parameter of the fine-tune, all metadata included.
pair() {
	local name=$1 bits=$2 file stored=0 params=0 n
	shift 2
	rm -rf p out back
	make_pair "$@" p
	run deltafsctl encode -r --base p/base p/tune -o out
	run deltafsctl decode -r --base p/base out -o back
	for file in p/tune/*.safetensors; do
		same "$file" "back/${file##*/}"
		run deltafsctl info --json "out/${file##*/}"
		n=$(member said 'o["all"]["params"]')
		params=$((params + n))
		stored=$((stored + $(size "out/${file##*/}")))
		[ "$(member said 'o["stored_bytes"]')" = "$(size "out/${file##*/}")" ] || fail "$name: info tells another size"
	done
	[ "$params" -gt 0 ] || fail "$name: no parameters"
	got=$(awk -v s=$stored -v p=$params 'BEGIN { printf "%.3f", 8 * s / p }')
	echo "$name: $got bits a parameter"
	at_most "$got" "$bits" || fail "$name: $got bits a parameter, at most $bits expected"
}

# The figures for 4 M parameters; those of the real size are the benchmark's.
common="--params 4000000 --hidden 512 --vocab 4096 --seed 11"
pair "bf16 r=1e-3" 1.10 $common --r 0.001
pair "bf16 r=1e-2" 4.10 $common --r 0.01
pair "bf16 r=3e-2" 5.80 $common --r 0.03
pair "identical" 0.032 $common --r 0
pair "1% moved" 0.20 $common --moved 0.01
pair "rows" 0.60 $common --r 0.01 --rows-moved 0.1
pair "f16 r=1e-2" 7.2 $common --dtype f16
pair "f32 r=1e-2" 20.6 $common --dtype f32
pair "f64" 60 --params 500000 --dtype f64
pair "bf16 to f16" 7.2 $common --tune-dtype f16
pair "bf16 to f32" 20.6 $common --tune-dtype f32
pair "f16 to bf16" 4.2 $common --dtype f16 --tune-dtype bf16
pair "bf16 parked in f32" 4.2 $common --tune-dtype f32 --parked bf16
pair "f8e4m3" 4.5 --params 500000 --dtype f8e4m3 --tune-dtype f8e4m3
pair "f8e5m2" 4.5 --params 500000 --dtype f8e5m2 --tune-dtype f8e5m2
pair "grown" 4.20 $common --grow 32
pair "other shards" 4.15 $common --base-shards 2 --shards 5
pair "prefix" 4.10 $common --prefix "base_model.model."

rm -rf p out back
make_pair $common p
run deltafsctl encode p/tune/model.safetensors -o out
run deltafsctl decode out -o back
same p/tune/model.safetensors back
ratio=$(awk -v a="$(size back)" -v b="$(size out)" 'BEGIN { printf "%.3f", a / b }')
echo "alone: ${ratio}x"
at_most 1.49 "$ratio" || fail "alone: ${ratio}x, 1.49x expected"
