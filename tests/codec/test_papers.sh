#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_papers: lossy codecs decode to what the papers' formulas give in doubles, within roundings that are counted
# test: timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need python3

python=
for one in "$DFS_PYTHON" python3 /usr/bin/python3; do
	if [ -n "$one" ] && "$one" -c 'import numpy' 2>/dev/null; then
		python=$one
		break
	fi
done
[ -n "$python" ] || skip "no Python with numpy"
# Several tests run side by side.
export OPENBLAS_NUM_THREADS=1

mkdir tunes shards
"$python" "$DFS_SRC/tests/codec/papers_model.py" base.safetensors tunes/tune.safetensors shards/tune 2 || fail "no model"

# Each line is a codec with its options; of those marked, wrong references are tried too.
SPECS='+ bitdelta
+ bitdelta:scale=scalar
bitdelta:scale=column
bitdelta:scale=row,k=2
bitdelta:scale=column,k=4
+ delta-dct
delta-dct:p=8
delta-dct:p=32,levels=minmax
delta-dct:p=64
+ delta-dct:levels=minmax,codes=16
delta-dct:p=8,bits=2:0.34/1:0.33/0:0.33
delta-dct:p=32,bits=2:0.34/1:0.33/0:0.33,codes=16
delta-dct:bits=2:0.34/1:0.33/0:0.33,levels=minmax
delta-dct:bits=4:0.25/0:0.75
delta-dct:p=64,bits=4:0.5/0:0.5,levels=minmax,codes=16
delta-dct:p=8,bits=8:0.1/3:0.2/0:0.7
+ ultradelta
ultradelta:s=0.9
+ ultradelta:s=0.9,rescale=layer
+ ultradelta:s=0.9,mask=stored
ultradelta:s=0.5,step=0.1,qbits=8,mask=stored,rescale=layer
ultradelta:s=0.9,levels=codebook,qbits=2
+ ultradelta:s=0.9,levels=codebook,mask=stored
ultradelta:s=0.9,gamma=0.5
ultradelta:s=0.9,mask=stored,gamma=auto,nref=50
ultradelta:s=0.9,gamma=auto,nref=16
ultradelta:s=0.9,gamma=auto,trace=exact
ultradelta:gamma=auto,trace=exact,nref=20
+ delta-come
delta-come:ratio=8'

# encode_run RUN SPEC DIR: all fine-tunes of a directory, as one model.
encode_run() {
	local run=$1 spec=$2 dir=$3 name one=
	mkdir -p "$run/back"
	echo "$spec" >"$run/spec"
	set -- "$dir"/*
	# of one file, -o is a file
	if [ $# -eq 1 ]; then
		one=/${1##*/}
		mkdir "$run/out"
	fi
	run deltafsctl encode --yes --codec "$spec" --base base.safetensors "$@" -o "$run/out$one"
	for name; do
		name=${name##*/}
		run deltafsctl decode --base base.safetensors "$run/out/$name" -o "$run/back/$name"
	done
}

n=0
while read -r spec; do
	n=$((n + 1))
	encode_run "$n" "${spec#+ }" tunes
	[ "${spec:0:1}" != + ] || touch "$n/twists"
done <<<"$SPECS"
encode_run sharded ultradelta:s=0.9 shards

runs=$(seq "$n")
# shellcheck disable=SC2086
"$python" "$DFS_SRC/tests/codec/papers.py" base.safetensors tunes $runs || fail "not what the papers say"
"$python" "$DFS_SRC/tests/codec/papers.py" base.safetensors shards sharded || fail "not what the papers say, of a model in two files"
