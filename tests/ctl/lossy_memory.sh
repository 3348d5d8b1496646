#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_memory: coding what gives up bits holds what it works on and not the model; delta-come, which works on whole matrices, those; the bytes are the same whatever the threads
# test: serial nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"

# Differences in F32 are four bytes a parameter: 8 and 96 MiB.
for millions in 2 24; do
	make_pair --params ${millions}000000 --hidden 256 --vocab 0 $millions
done
# lossy MILLIONS CODEC: the peak is in $mib.
lossy() {
	mib=$(peak deltafsctl encode --yes --threads 1 --codec "$2" --base "$1/base/model.safetensors" \
		"$1/tune/model.safetensors" -o "$1.$2") || fail "$2: $(cat said)"
}
# Those of delta-dct, a sixteenth of the model, are held: 3 MiB.
for codec in bitdelta delta-dct ultradelta; do
	lossy 2 $codec
	few=$mib
	lossy 24 $codec
	echo "$codec: $few MiB for 2 million parameters, $mib for 24"
	[ $((mib - few)) -lt 12 ] || fail "$codec: $((mib - few)) MiB more for 22 million parameters more"
done

# come MILLIONS THREADS: encodes to MILLIONS.THREADS; the peak is in $mib.
come() {
	mib=$(peak deltafsctl encode --yes --threads "$2" --codec delta-come:rounds=0 --base "$1/base/model.safetensors" \
		"$1/tune/model.safetensors" -o "$1.$2") && return
	! grep -q OpenBLAS said || skip "$(cat said)"
	fail "$(cat said)"
}
come 2 2
few=$mib
come 24 1
one=$mib
come 24 2
echo "2 threads: $few MiB for 2 million parameters, $mib for 24; 1 thread: $one"
[ $((mib - few)) -lt 40 ] || fail "$((mib - few)) MiB more for 22 million parameters more"
same 24.1 24.2

# Tables and what only the encoder needs are a sixteenth of a model, as are the tables in the file; open, three times that: one at a time.
for millions in 8 96; do
	make_pair --params ${millions}000000 --hidden 1024 --vocab 0 $millions
done
come 8 1
few=$mib
come 96 1
echo "1024 wide: $few MiB for 8 million parameters, $mib for 96"
[ $((mib - few)) -lt 36 ] || fail "1024 wide: $((mib - few)) MiB more for 88 million parameters more"
