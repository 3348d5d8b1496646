#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_papers: what lossy codecs decode is what the papers' formulas give in 64-bit floats, but for roundings that are counted
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

"$python" "$DFS_SRC/tests/codec/papers_model.py" base.safetensors tune.safetensors || fail "no model"

# Each line is a codec with its options.
SPECS='bitdelta
bitdelta:scale=scalar
bitdelta:scale=column
bitdelta:scale=row,k=2
bitdelta:scale=column,k=4'

while read -r spec; do
	run deltafsctl encode --yes --codec "$spec" --base base.safetensors tune.safetensors -o out
	run deltafsctl decode --base base.safetensors out -o back
	"$python" "$DFS_SRC/tests/codec/papers.py" "$spec" base.safetensors tune.safetensors out back ||
		fail "$spec: not what the paper says"
	rm -f out back
done <<<"$SPECS"
